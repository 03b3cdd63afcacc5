"""The search space: every point has a number, and a wrong space is told before the first trial."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from viral.base.errors import UsageError
from viral.base.recipe import Recipe
from viral.lab.study.tuning.search_space import Space, at_point, point_of, space_of
from viral.models import BPR, MODELS

SPACE = Space({"reg_weight": (0.1, 0.01), "num_layers": (1, 2, 3), "learning_rate": (1e-3,)})


def test_numbers_and_points_are_one_to_one():
    points = [SPACE.at(number) for number in range(SPACE.size)]
    assert SPACE.size == 6 and len({tuple(point.items()) for point in points}) == 6
    assert [SPACE.number(point) for point in points] == list(range(6))
    assert SPACE.number({**points[0], "num_layers": 9}) is None and SPACE.number({}) is None


def test_a_point_goes_where_its_fields_are():
    base = Recipe(model="lightgcn", config={"embedding_dim": 8})
    made = at_point(base, {"num_layers": 2, "learning_rate": 0.5})
    assert made.config == {"embedding_dim": 8, "num_layers": 2} and made.train.learning_rate == 0.5
    assert point_of(base, SPACE) == {"reg_weight": 1e-4, "num_layers": 3, "learning_rate": 1e-3}


def test_what_is_fixed_is_not_tuned():
    assert list(space_of(Recipe(model="lightgcn"), fixed=["num_layers"]).candidates) == ["reg_weight"]
    with pytest.raises(UsageError, match="nothing to tune"):
        space_of(Recipe(model="lightgcn"), fixed=["num_layers", "reg_weight"])
    with pytest.raises(UsageError, match="nothing to tune"):
        space_of(Recipe(model="popularity"))


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.SPACE])
def test_every_space_of_the_zoo_makes_configurations(name):
    recipe = Recipe(model=name)
    space = space_of(recipe)
    for field, values in space.candidates.items():
        for value in values:
            assert point_of(at_point(recipe, {field: value}), space)[field] == value
    assert at_point(recipe, space.at(space.size - 1)).model == name


class Misspelt(BPR):
    SPACE: ClassVar = {"reg_wieght": (1.0,)}


class Twice(BPR):
    SPACE: ClassVar = {"reg_weight": (1.0, 1.0)}


class Nested(BPR):
    @dataclass(frozen=True, kw_only=True)
    class Config:
        reg_weight: tuple[float, ...] = (1.0,)

    SPACE: ClassVar = {"reg_weight": ((1.0, 2.0),)}


@pytest.mark.parametrize(
    ("model", "said"),
    [(Misspelt, "did you mean reg_weight"), (Twice, "not distinct plain values"), (Nested, "not distinct plain")],
)
def test_a_wrong_space_is_told(model, said, monkeypatch):
    monkeypatch.setitem(MODELS, "mine", model)
    with pytest.raises(UsageError) as caught:
        space_of(Recipe(model="mine"))
    assert said in str(caught.value)
