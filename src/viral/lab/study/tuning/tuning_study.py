"""A tuning study as it stands: its trials, the recipe of the best, and what choosing it cost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from viral.base.errors import DataError
from viral.base.files import read_json
from viral.base.language import _, marked, n_
from viral.base.recipe import Recipe
from viral.lab.report import Section, Table
from viral.lab.report.wording import duration, fixed, whole
from viral.lab.study.json_values import fields_json, fields_of, to_json
from viral.lab.study.study import METRIC, Study, Summary, setting_text
from viral.lab.study.tuning.search_space import Space

BEST_FILE = "best.toml"
STATES = (marked("complete"), marked("pruned"), marked("failed"))  # of a trial


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial. ``value`` is the best of the monitored metric on validation, of a pruned trial up to there."""

    number: int
    state: str  # one of STATES
    point: Mapping[str, Any]
    value: float | None = None
    epochs: int = 0
    seconds: float = 0.0
    best_epoch: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning(Study):
    """Trials of points of a space; ``recipe`` is that of the best finished one, where it is at hand."""

    KIND, FILE = "tuning", "tune.json"

    out: str
    model: str
    monitor: str = METRIC
    seed: int = 0
    space: Space
    trials: tuple[TrialRow, ...]
    recipe: Recipe | None = None
    recipe_fingerprint: str | None = None

    @property
    def best(self) -> TrialRow | None:
        """The complete trial with the greatest value, the earliest of equals; None where none is complete."""
        complete = [row for row in self.trials if row.state == "complete" and row.value is not None]
        return max(complete, key=lambda row: row.value or 0.0, default=None)

    @property
    def ranked(self) -> list[TrialRow]:
        """The trials, best first, those that were not completed last."""
        return sorted(self.trials, key=lambda row: (row.state != "complete", -(row.value or 0.0)))

    @property
    def exhausted(self) -> bool:
        return len(self.trials) >= self.space.size

    def to_json(self) -> dict[str, Any]:
        states = Counter(row.state for row in self.trials)
        return fields_json(self, without=("out", "recipe", "counts", "space")) | {
            "counts": {"trials": len(self.trials), **{state: states[state] for state in STATES}},
            "space": to_json(self.space.candidates),
            "size": self.space.size,
            "exhausted": self.exhausted,
            "epochs": sum(row.epochs for row in self.trials),
            "seconds": sum(row.seconds for row in self.trials),
            "best": to_json(self.best),
            "recipe": str(Path(self.out) / BEST_FILE),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        said = {name: value for name, value in document.items() if name not in ("space", "recipe", "counts")}
        space = {"candidates": {name: tuple(values) for name, values in document.get("space", {}).items()}}
        out = str(Path(str(document.get("recipe", ""))).parent)
        study: Self = fields_of(cls, {"model": "", **said, "space": space, "out": out})
        return study

    def summary(self) -> Summary:
        value, amount = self.best.value if self.best is not None else None, len(self.trials)
        said = _("%(model)s: %(value)s on validation", model=self.model, value=fixed(value))
        return Summary(n_("%(number)s trial", "%(number)s trials", amount), amount, said, value)


def tuning_sections(study: Tuning) -> list[Section]:
    """The trials, best first."""
    names = list(dict.fromkeys(name for row in study.trials for name in row.point))
    valued = _("%(metric)s on validation", metric=study.monitor)
    table = Table(
        heading=_("Trials"),
        columns=(_("trial"), valued, _("ended"), _("epochs"), _("time"), *names),
        rows=tuple(
            (
                str(row.number),
                fixed(row.value),
                _(row.state) if row.state in STATES else row.state,
                whole(row.epochs),
                duration(row.seconds),
                *(setting_text(row.point.get(name)) for name in names),
            )
            for row in study.ranked
        ),
        numeric=(valued, _("epochs"), _("time")),
        caption=_("Made by %(command)s", command=study.command),
        highlight=frozenset({0}) if study.trials else frozenset(),
    )
    return [table]


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
