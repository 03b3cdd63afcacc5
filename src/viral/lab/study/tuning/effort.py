"""What the tuning of a recipe cost, as ``viral tune`` noted it beside the recipe."""

from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import DataError
from viral.base.files import read_json
from viral.base.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Effort:
    """Trials of a tuning study, and the epochs and seconds that all of them took."""

    trials: int
    epochs: int
    seconds: float


def effort_of(path: Path, recipe: Recipe) -> Effort | None:
    """The effort behind a recipe's file; None where it is not the very recipe that a study beside it ended with."""
    try:
        note = read_json(path.parent / "tune.json")
        if note["recipe_fingerprint"] != recipe.fingerprint:
            return None
        return Effort(int(note["counts"]["trials"]), int(note["epochs"]), float(note["seconds"]))
    except (DataError, OSError, KeyError, TypeError, ValueError):
        return None
