"""Studies from Python: models by name, class or recipe."""

from pathlib import Path

import pytest

import viral
from viral.base.errors import UsageError
from viral.models import MODELS
from worlds import dataset_folder, two_tastes

FEW = {"max_epochs": 2, "embedding_dim": 8, "batch_size": 100}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> viral.Dataset:
    return viral.Dataset.open(dataset_folder(tmp_path_factory.mktemp("world") / "data", two_tastes(16)).path)


def test_models_are_compared_by_their_names(dataset: viral.Dataset, tmp_path: Path) -> None:
    recipe = viral.Recipe(model="lightgcn", config={"embedding_dim": 8, "num_layers": 1})
    rows = {"popular": "popularity", "small": recipe, "bpr": MODELS["bpr"]}
    found = viral.compare(dataset, rows, seeds=2, out=tmp_path / "study", settings={"train": {"max_epochs": 2}})
    assert {row.name for row in found.rows} == set(rows) and found.failures == []
    assert all(tuple(row.seeds) == (0, 1) for row in found.rows)
    assert (tmp_path / "study" / "report.html").is_file() and "viral.compare(" in found.command
    again = viral.compare(
        str(dataset.path), ["popularity", "bpr"], seeds=(1,), out=tmp_path / "named", metric="ndcg@20"
    )
    assert {row.name for row in again.rows} == {"popularity", "bpr"} and again.metric == "ndcg@20"


def test_new_items_are_compared(dataset: viral.Dataset, tmp_path: Path) -> None:
    found = viral.compare(dataset, ["popularity"], seeds=1, out=tmp_path / "cold", cold=True)
    assert [row.name for row in found.rows][-1] == "popularity" and (tmp_path / "cold" / "cold.json").is_file()


def test_rows_that_cannot_be_told_apart_are_refused(dataset: viral.Dataset, tmp_path: Path) -> None:
    for models, why in (
        (["bpr", MODELS["bpr"]], None),
        (["bpr", "bpr"], "same name"),
        ([], "nothing"),
        ("bpr", "one word"),
    ):
        if why is not None:
            with pytest.raises(UsageError, match=why):
                viral.compare(dataset, models, seeds=1, out=tmp_path / "study")


def test_what_is_given_is_not_tuned(dataset: viral.Dataset, tmp_path: Path) -> None:
    settings = {"embedding_dim": 8, "train": {"max_epochs": 1}}
    found = viral.tune(dataset, "lightgcn", out=tmp_path / "tune", trials=2, seed=3, settings=settings)
    assert "embedding_dim" not in found.space.candidates and found.seed == 3
    assert (tmp_path / "tune" / "best.toml").is_file()


def test_viral_is_taken_apart(dataset: viral.Dataset, tmp_path: Path) -> None:
    found = viral.ablate(dataset, out=tmp_path / "ablation", seeds=1, studies=["words"], settings=FEW)
    assert found.rows and (tmp_path / "ablation" / "report.html").is_file()
