"""Recipes: strict, and the same after they were written."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest

from viral.base.errors import UsageError
from viral.base.files import fingerprint
from viral.base.recipe import BY_MODEL, PUBLISHED, MemoryConfig, Recipe, TrainConfig, build
from viral.models.viral.paper import VIRALConfig


@dataclass(frozen=True, kw_only=True)
class Config:
    dim: int
    rate: float = 0.1
    name: str | None = "a"
    mode: Literal["x", "y"] = "x"
    on: bool = False
    sizes: tuple[int, ...] = (1,)


def recipe(**values: Any) -> Recipe:
    return Recipe(model="lightgcn", **values)


def test_values_take_the_fields_type():
    made = build(Config, {"dim": 3, "rate": 2, "name": "none", "mode": "y", "on": True, "sizes": [4, 5]}, where="here")
    assert made == Config(dim=3, rate=2.0, name=None, mode="y", on=True, sizes=(4, 5))
    assert isinstance(made.rate, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dim": 3, "rata": 1}, "unknown key 'rata' in Config"),
        ({"rate": 1.0}, "key 'dim' is missing in Config"),
        ({"dim": 2.0}, "2.0 is not int"),
        ({"dim": "2"}, "'2' is not int"),
        ({"dim": True}, "True is not int"),
        ({"dim": None}, "None is not int"),
        ({"dim": 1, "rate": "fast"}, "'fast' is not float"),
        ({"dim": 1, "rate": True}, "True is not float"),
        ({"dim": 1, "name": 5}, "5 is not str"),
        ({"dim": 1, "mode": "z"}, "'z' is not allowed"),
        ({"dim": 1, "on": 1}, "1 is not bool"),
        ({"dim": 1, "sizes": [1, "2"]}, "'2' is not int"),
    ],
)
def test_anything_else_is_refused_with_its_place(values, message):
    with pytest.raises(UsageError, match=message) as caught:
        build(Config, values, where="file.toml")
    assert caught.value.where.startswith("file.toml")


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(UsageError) as caught:
        build(Config, {"dim": 1, "rata": 1}, where="x")
    assert caught.value.hint == "did you mean rate?"


def test_toml_there_and_back(tmp_path):
    original = recipe(
        config={"num_layers": 4, "text": None, "reg_weight": 1e-5, "visual": "image", "flag": False},
        train=TrainConfig(learning_rate=5e-4, monitor="ndcg@10", seed=7),
        fill="zero",
    )
    original.write(tmp_path / "r.toml")
    again = Recipe.read(tmp_path / "r.toml")
    assert again == original
    assert again.fingerprint == original.fingerprint != recipe().fingerprint


def test_none_reaches_the_models_configuration(tmp_path):
    (tmp_path / "r.toml").write_text('model = "viral"\n[config]\nvisual = "none"\nalignment_items = 512\n')
    read = Recipe.read(tmp_path / "r.toml")
    assert read.config["visual"] is None
    assert build(VIRALConfig, read.config, where="x") == VIRALConfig(visual=None, alignment_items=512)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "key 'model' is missing in Recipe"),
        ('model = "a"\nseed = 1', "unknown key 'seed' in Recipe"),
        ('model = "a"\n[train]\nlr = 1', "unknown key 'lr' in TrainConfig"),
        ('model = "a"\ntrain = 3', "3 is not a section"),
        ('model = "a"\nconfig = 3', "3 is not a section"),
        ('model = "a"\nfill = "median"', "'median' is not allowed"),
        ('model = "a', "not valid TOML"),
        ("model = " + "[" * 5000, "not valid TOML"),
        ('model = "a"\n[train]\nbatch_size = 0', "batch_size = 0 is less than 1"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, message):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        Recipe.read(tmp_path / "r.toml")


def test_an_absent_or_binary_file_is_named(tmp_path):
    with pytest.raises(UsageError, match="no such recipe"):
        Recipe.read(tmp_path / "r.toml")
    (tmp_path / "r.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not valid TOML"):
        Recipe.read(tmp_path / "r.toml")


def test_settings_go_where_their_key_is():
    changed = recipe(config={"num_layers": 2}).with_settings(
        [
            "num_layers=4",
            "seed=3",
            "train.learning_rate=1e-4",
            "config.text=title",
            "fill=zero",
            "visual = none",
            "x=[1, 2]",
        ]
    )
    assert changed.config == {"num_layers": 4, "text": "title", "visual": None, "x": [1, 2]}
    assert changed.train == TrainConfig(seed=3, learning_rate=1e-4)
    assert changed.fill == "zero" and changed.model == "lightgcn"


def test_settings_do_not_change_the_recipe_they_start_from():
    original = recipe(config={"num_layers": 2})
    assert original.with_settings(["num_layers=4"]).config["num_layers"] == 4
    assert original.config["num_layers"] == 2
    assert original.with_settings([]) == original


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("num_layers", "is not KEY=VALUE"),
        ("=3", "is not KEY=VALUE"),
        ("model.layers=3", "unknown section 'model'"),
        ("train.lr=3", "unknown key 'lr'"),
        ("memory.size=3", "unknown key 'size' in MemoryConfig"),
        ("memory.kind=slim", "'slim' is not allowed"),
        ("memory.weight=-1", "weight = -1.0 is less than 0"),
        ("memory.reg_weight=0", "reg_weight = 0.0 is less than"),
        ("memory.feature_weight=-1", "feature_weight = -1.0 is less than 0"),
        ("memory.feature_reg=0", "feature_reg = 0.0 is less than"),
        ("memory.user_power=-1", "user_power = -1.0 is less than 0"),
        ("memory.dropout=1", r"dropout = 1.0 is not in \[0, 1\)"),
        ("memory.dropout=-0.1", r"dropout = -0.1 is not in \[0, 1\)"),
        ("memory.neighbors=0", "neighbors = 0 is less than 1"),
        ("memory=ease", "'ease' is not a section"),
        ("loss=sofmax", "'sofmax' is not allowed"),
        ("temperature=0", "temperature = 0.0 is less than 0.01"),
        ("sampled_items=-1", "sampled_items = -1 is less than 0"),
        ("seed=1.5", "1.5 is not int"),
        ("seed=many", "'many' is not int"),
        ("config=x", "'x' is not a section"),
        ("seed=" + "[" * 5000, "is not int"),
        ("train=3", "3 is not a section"),
        ("learning_rate=0", "learning_rate = 0.0 is not a positive number"),
        ("learning_rate=nan", "learning_rate = nan"),
        ("learning_rate=inf", "learning_rate = inf"),
        ("decay=0", "decay = 0.0 is not above 0"),
        ("decay=1.1", "decay = 1.1 is not above 0 and at most 1"),
        ("weight_decay=-1", "weight_decay = -1.0 is less than 0"),
        ("seed=-1", "seed = -1 is less than 0"),
        ("seed=99999999999999999999", "seed = 99999999999999999999 is too large"),
        ("patience=0", "patience = 0"),
        ("evaluate_every=0", "evaluate_every = 0"),
        ("max_epochs=0", "max_epochs = 0"),
    ],
)
def test_a_wrong_setting_is_named(setting, message):
    with pytest.raises(UsageError, match=message):
        recipe().with_settings([setting])


def test_a_wrong_section_names_those_there_are():
    with pytest.raises(UsageError, match="unknown section 'memroy'") as caught:
        recipe().with_settings(["memroy.kind=off"])
    assert "config, train, memory" in caught.value.hint


def test_settings_reach_every_section_and_leave_the_rest_to_the_model():
    changed = recipe().with_settings(
        ["memory.kind=ease", "memory.weight=0.5", 'memory.features=["text"]', "loss=softmax", "train.temperature=0.3"]
    )
    assert changed.memory == MemoryConfig(kind="ease", weight=0.5, features=("text",))
    assert changed.train == TrainConfig(loss="softmax", temperature=0.3) and changed.train.batch_size is BY_MODEL
    assert changed.with_settings(["memory.weight=none"]).memory.weight is None
    assert recipe().with_settings(["sampled_items=7", "num_layers=2"]).config == {"num_layers": 2}


def test_what_is_left_to_the_model_is_not_among_the_values():
    assert recipe().values()["train"].keys() == {"decay", "weight_decay", "monitor", "seed"}
    assert "kind" not in recipe().values()["memory"]
    given = recipe(train=TrainConfig(batch_size=5, loss="own"), memory=MemoryConfig(kind="off"), fill="zero")
    assert given.values() == {
        "model": "lightgcn",
        "config": {},
        "train": {"loss": "own", "batch_size": 5, "decay": 1.0, "weight_decay": 0.0, "monitor": "recall@20", "seed": 0},
        "memory": {
            "kind": "off", "weight": None, "feature_weight": None, "reg_weight": 50.0, "feature_reg": 10.0,
            "user_power": 0.5, "dropout": 0.5, "features": None, "neighbors": None,
        },
        "fill": "zero",
    }  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {},
        {
            "train": TrainConfig(loss="softmax", sampled_items=9),
            "memory": MemoryConfig(kind="ease", features=("text",)),
        },
        {"memory": MemoryConfig(features=(), reg_weight=3.0, neighbors=100)},
    ],
    ids=["nothing said", "softmax and memory", "a memory by the model"],
)
def test_what_is_left_to_the_model_comes_back_so(tmp_path, values):
    original = recipe(**values)
    original.write(tmp_path / "r.toml")
    assert Recipe.read(tmp_path / "r.toml") == original
    assert build(Recipe, original.values(), where="x") == original


def test_a_training_takes_from_the_model_what_it_leaves_out():
    own = {"loss": "softmax", "patience": 5, "temperature": 0.4}
    made = TrainConfig(patience=9, seed=3).of_model(own)
    assert (made.loss, made.patience, made.temperature, made.seed) == ("softmax", 9, 0.4, 3)
    left = {name: value for name, value in PUBLISHED.items() if name not in ("loss", "patience", "temperature")}
    assert {name: getattr(made, name) for name in left} == left
    assert made.of_model({"learning_rate": 7.0}) == made, "nothing is left"
    assert TrainConfig().of_model({}) == TrainConfig(**PUBLISHED)


def test_a_recipe_of_before_is_still_known_by_its_fingerprint():
    """A study's note names the recipe that it ended with, every field of the training written out."""
    train = {name: value for name, value in PUBLISHED.items() if name not in ("loss", "temperature", "sampled_items")}
    train |= {"decay": 1.0, "weight_decay": 0.0, "monitor": "recall@20", "seed": 0}
    of_then = {"model": "lightgcn", "config": {"num_layers": 2}, "train": train, "fill": "mean"}
    now = build(Recipe, of_then, where="best.toml")
    assert now.fingerprint == fingerprint(of_then)
    others = [replace(now, memory=MemoryConfig(kind="off")), replace(now, train=replace(now.train, loss="softmax"))]
    assert len({one.fingerprint for one in (now, *others)}) == 3


def test_a_value_of_the_model_is_checked_as_one_of_the_recipe():
    with pytest.raises(UsageError, match="patience = 0 is less than 1"):
        TrainConfig().of_model({"patience": 0})


def test_a_memory_takes_its_kind_from_the_model():
    assert MemoryConfig(weight=2.0).of_model("ease") == MemoryConfig(kind="ease", weight=2.0)
    assert MemoryConfig(kind="off").of_model("ease") == MemoryConfig(kind="off")
