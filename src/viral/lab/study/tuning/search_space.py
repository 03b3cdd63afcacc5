"""What is tried: for each hyper-parameter its candidates, as the model's class names them in ``SPACE``."""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from viral.base.errors import UsageError, nearest
from viral.base.recipe import Recipe, TrainConfig, build
from viral.run.configuration import configured

PLAIN = (bool, int, float, str, type(None))  # what a study's database can hold


@dataclass(frozen=True, slots=True)
class Space:
    """A finite grid: every combination of one candidate each is a point, and a point has a number in [0, size)."""

    candidates: Mapping[str, tuple[Any, ...]]

    @property
    def size(self) -> int:
        return math.prod(len(values) for values in self.candidates.values())

    def at(self, number: int) -> dict[str, Any]:
        """The point of a number."""
        point = {}
        for name, values in self.candidates.items():
            number, place = divmod(number, len(values))
            point[name] = values[place]
        return point

    def number(self, point: Mapping[str, Any]) -> int | None:
        """The number of a point; None where it is not in the space."""
        number, step = 0, 1
        for name, values in self.candidates.items():
            if name not in point or point[name] not in values:
                return None
            number += step * values.index(point[name])
            step *= len(values)
        return number


def space_of(recipe: Recipe, *, fixed: Collection[str] = ()) -> Space:
    """The space of the recipe's model, without the fields ``fixed``.

    Raises ``UsageError`` where the model names no space, or one with a field that neither its configuration nor the
    training has, or with a candidate that is not a plain value.
    """
    model = configured(recipe).model
    where = f"SPACE of model {recipe.model!r}"
    known = {field.name for kind in (model.Config, TrainConfig) for field in fields(kind)} - {"seed", "monitor"}
    for name, values in model.SPACE.items():
        if name not in known:
            raise UsageError(f"{name!r} cannot be tuned", where=where, hint=nearest(name, known))
        if not values or len(set(values)) < len(values) or not all(isinstance(value, PLAIN) for value in values):
            raise UsageError(f"the candidates of {name!r} are not distinct plain values: {values!r}", where=where)
    space = Space({name: tuple(values) for name, values in model.SPACE.items() if name not in fixed})
    if not space.candidates:
        hint = "name candidates in the class attribute SPACE, beside the model's Config"
        raise UsageError(f"model {recipe.model!r} leaves nothing to tune", where=where, hint=hint)
    return space


def at_point(recipe: Recipe, point: Mapping[str, Any]) -> Recipe:
    """The recipe with the point's values: in ``config`` where the model has such a field, else in ``train``."""
    own = {field.name for field in fields(configured(recipe).config)}
    values = recipe.values()
    for name, value in point.items():
        values["config" if name in own else "train"][name] = value
    return build(Recipe, values, where="the search space")


def point_of(recipe: Recipe, space: Space) -> dict[str, Any]:
    """The values that the recipe has for the fields of the space, defaults written out."""
    found = configured(recipe)
    values = asdict(found.recipe.train) | asdict(found.config)
    return {name: values[name] for name in space.candidates}
