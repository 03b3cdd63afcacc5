"""A run from Python: trained by a name, a class or a recipe, and asked in frames."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import viral
from encoders import BagOfWords, Colours
from shop_folder import make_folder, picture
from viral.base.errors import DataError, UnknownIdError, UsageError
from viral.models import MODELS
from viral.models.baselines.bpr import BPR
from viral.run.explain.explanation import explain
from viral.run.pipeline import evaluate_run
from viral.run.trained_run import NewItem
from worlds import World, dataset_folder, two_tastes

FEW = {"max_epochs": 3, "learning_rate": 0.02, "batch_size": 100, "embedding_dim": 8}


class Mine(BPR):
    """A model of one's own."""


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(16)


@pytest.fixture(scope="module")
def dataset(world: World, tmp_path_factory: pytest.TempPathFactory) -> viral.Dataset:
    return viral.Dataset.open(dataset_folder(tmp_path_factory.mktemp("world") / "data", world).path)


@pytest.fixture(scope="module")
def run(dataset: viral.Dataset, tmp_path_factory: pytest.TempPathFactory) -> viral.Run:
    return viral.train(dataset, "viral", tmp_path_factory.mktemp("runs") / "viral", seed=1, **FEW)


def test_what_is_asked_for_is_trained(dataset: viral.Dataset, run: viral.Run, tmp_path: Path) -> None:
    assert (run.recipe.model, run.recipe.train.seed, run.recipe.train.max_epochs) == ("viral", 1, 3)
    assert run.recipe.config == {"embedding_dim": 8} and run.summary["model"] == "viral"
    again = viral.train(dataset, run.recipe, tmp_path / "again")
    assert again.metrics == run.metrics and "recall@20" in run.metrics
    assert torch.equal(again.bundle.scorer.item_vectors, run.bundle.scorer.item_vectors)
    sections = {"config": {"embedding_dim": 8}, "train": {name: FEW[name] for name in ("learning_rate", "batch_size")}}
    other = viral.train(str(dataset.path), "viral", tmp_path / "other", seed=1, max_epochs=3, **sections)
    assert other.metrics == run.metrics


def test_a_class_is_trained_by_its_name(dataset: viral.Dataset, tmp_path: Path) -> None:
    run = viral.train(dataset, Mine, tmp_path / "run", max_epochs=1)
    assert run.recipe.model == f"{__name__}:Mine"
    assert viral.train(dataset, MODELS["popularity"], tmp_path / "popular").recipe.model == "popularity"

    class Local(BPR):
        """Nothing that a recipe could name."""

    with pytest.raises(UsageError, match="Local"):
        viral.train(dataset, Local, tmp_path / "local")


def test_a_run_is_opened_where_it_is(run: viral.Run, tmp_path: Path) -> None:
    found = viral.Run.open(str(run.path))
    assert found.metrics == run.metrics and found.path == run.path
    with pytest.raises(DataError, match=r"run\.json"):
        viral.Run.open(tmp_path)


def test_a_run_for_production_has_no_metrics(dataset: viral.Dataset, tmp_path: Path) -> None:
    run = viral.train(dataset, "lightgcn", tmp_path / "run", production=True, max_epochs=1)
    assert run.metrics == {} and run.summary["production"]


def test_many_users_are_one_frame(run: viral.Run, world: World) -> None:
    users = ["u3", "u0"]
    found = run.recommend(users, k=4)
    parts = list(run.retriever.recommend("u0", 1)[0].parts)
    assert found.columns == ["user_id", "rank", "item_id", "title", "score", *(f"score_{part}" for part in parts)]
    assert found["user_id"].to_list() == ["u3"] * 4 + ["u0"] * 4 and found["rank"].to_list() == [1, 2, 3, 4] * 2
    one = [recommendation.item_id for recommendation in run.retriever.recommend("u0", 4)]
    assert found.filter(user_id="u0")["item_id"].to_list() == one == run.recommend("u0", k=4)["item_id"].to_list()
    summed = found.select(pl.sum_horizontal(pl.col("^score_.*$"))).to_series()
    assert np.allclose(summed, found["score"], atol=1e-5)
    seen = set(run.recommend(pl.Series(["u0"]), k=16, seen=True)["item_id"])
    assert seen - set(run.recommend("u0", k=16)["item_id"]) == set(run.history("u0")["item_id"])
    assert run.history("u0").columns == ["item_id", "title"] and run.history("u0").height > 0


def test_unknown_users_are_an_error_unless_they_are_left(run: viral.Run) -> None:
    with pytest.raises(UnknownIdError, match="nobody"):
        run.recommend(["u0", "nobody"])
    found = run.recommend(["nobody", "u0"], k=2, unknown="leave")
    assert found["user_id"].to_list() == ["u0", "u0"]
    nothing = run.recommend([], k=2)
    assert nothing.height == 0 and nothing.schema["user_id"] == pl.String and nothing.schema["score"] == pl.Float64
    with pytest.raises(UsageError, match="neither"):
        run.recommend("u0", unknown="popular")  # type: ignore[arg-type]


def test_new_users_and_the_popular(run: viral.Run) -> None:
    found = run.recommend_for(["i0", "i2"], k=3)
    wanted = run.retriever.recommend_for(["i0", "i2"], 3)
    assert found["item_id"].to_list() == [one.item_id for one in wanted] and "user_id" not in found.columns
    with pytest.raises(UsageError, match="no items"):
        run.recommend_for("i0")
    popular = run.popular(2)
    assert popular.columns == ["rank", "item_id", "title", "score"]
    assert popular["score"][0] == run.bundle.seen.item_degrees().max()


def test_an_explanation_is_that_of_the_bundle(run: viral.Run) -> None:
    item = run.recommend("u0", k=1)["item_id"][0]
    found = run.explain("u0", item)
    assert found == explain(run.bundle, "u0", item, fold_in=run.retriever.fold_in)
    assert found.rank == 1 and run.because("u0", item).endswith(".")


def test_similar_items_and_the_audience(run: viral.Run) -> None:
    found = run.similar("i0", 3, by="text")
    assert found.columns == ["rank", "item_id", "title", "similarity"]
    assert all(int(item.removeprefix("i")) % 2 == 0 for item in found["item_id"])
    audience = run.audience("i0", 3)
    assert audience.columns == ["rank", "user_id", "score"] and audience["rank"].to_list() == [1, 2, 3]


def test_evaluating_is_that_of_the_command_line(run: viral.Run) -> None:
    assert run.evaluate("valid") == evaluate_run(run.path, name="valid")
    assert run.evaluate()["metrics"] == run.metrics


def test_vectors_are_exported(run: viral.Run, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    run.export(tmp_path / "export")
    assert pl.read_parquet(tmp_path / "export" / "items.parquet")["item_id"].to_list() == list(run.bundle.items.ids)


def test_an_update_is_a_new_run(dataset: viral.Dataset, run: viral.Run, tmp_path: Path) -> None:
    found = run.update(dataset, tmp_path / "next", epochs=1)
    assert found.path == tmp_path / "next" and "update" in found.summary and "update" not in run.summary


def test_a_new_item_is_described_and_placed(tmp_path: Path) -> None:
    from viral.encode import encode_dataset

    source = make_folder(tmp_path / "shop")
    shop = viral.import_table(source, tmp_path / "data", images=source / "pictures")
    encode_dataset(shop, descriptions=shop.enrich(), encoder=BagOfWords(), vision=Colours())
    run = viral.train(shop, "viral", tmp_path / "run", **(FEW | {"max_epochs": 10}))
    run.retriever.encoders.words, run.retriever.encoders.vision = BagOfWords(), Colours()
    mug = run.add_item(title="Red cup", image=str(picture(tmp_path / "cup.png", "red")))
    assert isinstance(mug, NewItem) and mug.id.startswith("new-")
    assert mug.title == "Red cup" and "red" in mug.description
    assert mug.id == run.add_item(title="Red cup", image=tmp_path / "cup.png").id != run.add_item(title="Cup").id
    assert set(mug.features) == {"text", "title", "description", "image"} and mug.vector.ndim == 1
    alike = run.similar(mug, 3, by="image")
    assert all(title.startswith("Red") for title in alike["title"]), "the picture is of that colour"
    assert run.audience(mug, 5).height == 5 and run.similar(mug).height == 10
    assert run.add_item("Cup", id="mine").id == "mine"
    with pytest.raises(UsageError, match="in the run already"):
        run.add_item("Cup", id="A-1")
