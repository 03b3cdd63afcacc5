"""A recipe with nothing left to its model: class by variant, configuration, training, memory."""

from dataclasses import asdict, replace
from typing import Any, ClassVar

import pytest

from viral.base.errors import UsageError
from viral.base.files import fingerprint
from viral.base.recipe import BY_MODEL, PUBLISHED, MemoryConfig, Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.lab.study import TrainingCell
from viral.models import BPR, MODELS, VIRAL, VIRALBeyond
from viral.models.viral.config import BeyondConfig
from viral.models.viral.paper_config import VARIANTS, VIRALConfig
from viral.run.configuration import configured, name_of, recipe_for, with_words
from viral.run.pipeline import train
from worlds import dataset_folder, two_tastes

SINCE = {"loss", "temperature", "sampled_items"}  # fields of the training that there were not at first


def test_viral_without_a_variant_is_the_default_one() -> None:
    for config in ({}, {"variant": "beyond"}, {"num_layers": 1}):
        found = configured(Recipe(model="viral", config=config))
        assert found.model is VIRALBeyond
        assert found.config == BeyondConfig(**config)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_of_the_paper_leads_to_its_class(variant: str) -> None:
    found = configured(Recipe(model="viral", config={"variant": variant, "num_layers": 1}))
    assert found.model is VIRAL and found.config == VIRALConfig(variant=variant, num_layers=1)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"variant": "redu3"}, r"'redu3' is not allowed"),
        ({"visual": "image"}, "unknown key 'visual' in BeyondConfig"),
        ({"variant": "light", "sources": ["text"]}, "unknown key 'sources' in VIRALConfig"),
    ],
)
def test_a_field_of_another_variant_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        configured(Recipe(model="viral", config=config))


def test_what_is_left_out_is_the_models_own_else_the_published() -> None:
    viral = configured(Recipe(model="viral")).recipe
    assert asdict(viral.train) == asdict(TrainConfig()) | dict(PUBLISHED) | dict(VIRALBeyond.TRAIN)
    assert (viral.train.loss, viral.memory.kind) == ("softmax", "ease")
    for recipe in (Recipe(model="lightgcn"), Recipe(model="viral", config={"variant": "light"})):
        other = configured(recipe).recipe
        assert asdict(other.train) == asdict(TrainConfig()) | dict(PUBLISHED)
        assert (other.train.loss, other.memory.kind) == ("own", "off")


def test_what_is_given_stays() -> None:
    given = TrainConfig(loss="own", learning_rate=0.5, patience=3, seed=4)
    found = configured(Recipe(model="viral", train=given, memory=MemoryConfig(kind="off", weight=2.0))).recipe
    assert (found.train.loss, found.train.learning_rate, found.train.patience, found.train.seed) == ("own", 0.5, 3, 4)
    assert found.train.batch_size == VIRALBeyond.TRAIN["batch_size"]
    assert found.memory == MemoryConfig(kind="off", weight=2.0)
    assert configured(found).recipe == found, "nothing is left"


def test_a_model_from_outside_may_say_how_it_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(BPR):
        TRAIN: ClassVar = {"learning_rate": 0.25}
        MEMORY: ClassVar = "ease"

    monkeypatch.setitem(MODELS, "mine", Mine)
    found = configured(Recipe(model="mine")).recipe
    assert (found.train.learning_rate, found.train.batch_size, found.memory.kind) == (0.25, 2048, "ease")


def test_plain_is_all_there_is_to_a_run() -> None:
    plain = configured(Recipe(model="viral", config={"num_layers": 3})).plain
    assert plain["config"] == asdict(BeyondConfig(num_layers=3))
    assert plain["train"].keys() >= SINCE and plain["memory"]["kind"] == "ease"
    assert BY_MODEL not in plain["train"].values()


@pytest.mark.parametrize("config", [{}, {"variant": "light"}], ids=["other model", "published reading"])
def test_without_softmax_and_memory_the_key_is_what_it_was_before_there_were_any(config: dict[str, Any]) -> None:
    """Of results that were computed before, none is computed again."""
    recipe = Recipe(model="viral" if config else "lightgcn", config=config, train=TrainConfig(batch_size=64, seed=3))
    of_then = {
        "model": recipe.model,
        "config": asdict(configured(recipe).config),
        "train": {
            "learning_rate": 1e-3, "decay": 1.0, "weight_decay": 0.0, "batch_size": 64, "max_epochs": 1000,
            "patience": 20, "evaluate_every": 1, "monitor": "recall@20", "seed": 3,
        },
        "fill": "mean",
    }  # fmt: skip
    assert configured(recipe).plain == of_then
    cell = TrainingCell(name="row", group="study", recipe=recipe, reads=())
    hashes = {"items.parquet": "a", "interactions.parquet": "b"}
    assert cell.key(hashes) == fingerprint(1, fingerprint(of_then), fingerprint(hashes))
    for other in (
        replace(recipe, train=replace(recipe.train, loss="softmax")),
        replace(recipe, memory=MemoryConfig(kind="ease")),
    ):
        assert replace(cell, recipe=other).key(hashes) != cell.key(hashes)


@pytest.mark.parametrize(
    ("model", "words", "section"),
    [
        ("lightgcn", [], "train"),
        ("viral", [], "train"),
        ("viral", ["variant=light"], "config"),
        ("viral", ["config.variant = paper"], "config"),
        ("bpr", ["model=mentor"], "config"),
        ("mentor", ["model=bpr"], "train"),
    ],
)
def test_a_bare_name_is_the_models_own_where_it_has_such_a_field(model: str, words: list[str], section: str) -> None:
    """``temperature`` was a field of some models before it was one of the training."""
    for order in (["temperature=0.4", *words], [*words, "temperature=0.4"]):
        found = with_words(Recipe(model=model), order)
        assert found.train == TrainConfig(**({"temperature": 0.4} if section == "train" else {}))
        assert found.config.get("temperature") == (0.4 if section == "config" else None)
    both = with_words(Recipe(model=model), [*words, "train.temperature=0.3", "seed=2", "loss=own", "embedding_dim=8"])
    assert (both.train.temperature, both.train.seed, both.train.loss) == (0.3, 2, "own")
    assert both.config["embedding_dim"] == 8


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return dataset_folder(tmp_path_factory.mktemp("configured") / "data", two_tastes(16))


def test_a_run_is_told_what_it_read_and_how_its_memory_was_chosen(
    dataset: Dataset, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {"embedding_dim": 4, "hidden_dim": 4, "crossmodal_dim": 4, "num_neighbors": 3}
    recipe = Recipe(model="viral", config={**sizes, "sources": ["text", "image"]}, train=TrainConfig(max_epochs=2))
    summary = train(dataset, recipe, tmp_path / "run")
    assert summary["reads"] == ["text", "image"] and summary["memory"]["kind"] == "ease"
    assert summary["memory"]["features"] == ["text", "image"]
    assert "reads text (test), image (test); not description" in capsys.readouterr().err
    assert summary["memory"]["valid_without"] == max(
        record["valid"].get("recall@20", 0) for record in summary["history"]
    )
    assert Recipe.read(tmp_path / "run" / "recipe.toml") == configured(recipe).recipe
    plain = train(dataset, replace(recipe, memory=MemoryConfig(kind="off")), tmp_path / "plain")
    assert "memory" not in plain and plain["valid"]["recall@20"] == summary["memory"]["valid_without"]


def test_a_class_is_named_as_it_is_found_again() -> None:
    assert name_of(MODELS["bpr"]) == "bpr"
    double = type("BPR", (BPR,), {"__module__": BPR.__module__})
    with pytest.raises(UsageError, match="is another class"):
        name_of(double)


def test_settings_are_of_the_model_or_of_the_training() -> None:
    recipe = recipe_for("lightgcn", {"num_layers": 2, "max_epochs": 5, "memory": {"kind": "off"}})
    assert recipe.config == {"num_layers": 2} and recipe.train.max_epochs == 5 and recipe.memory.kind == "off"
    assert recipe_for(recipe, {}) == recipe
    with pytest.raises(UsageError, match="unknown key"):
        configured(recipe_for("lightgcn", {"num_lairs": 2}))
