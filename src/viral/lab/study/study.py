"""What all studies say of themselves: their command, their data, their rows; written as JSON and read back."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from viral.base.errors import UsageError, nearest
from viral.base.language import _, n_
from viral.base.provenance import commit
from viral.data.dataset import Dataset
from viral.lab.report import Curve
from viral.lab.report.wording import fixed
from viral.lab.study.feature_reads import encoders_of
from viral.lab.study.json_values import fields_json, fields_of
from viral.lab.study.kept_results import cells_of_row, kept_cells
from viral.lab.study.runner import Outcome
from viral.lab.study.training_cells import TrainingCell
from viral.lab.study.training_rows import USER_METRICS, Row

if TYPE_CHECKING:
    import polars as pl

METRIC = "recall@20"


@dataclass(frozen=True, slots=True)
class Summary:
    """A study in a line of a list."""

    size: str  # what is in it
    amount: int  # rows or trials
    best: str
    value: float | None  # of the best


@dataclass(frozen=True, slots=True, kw_only=True)
class Study(ABC):
    """A finished study of one data set."""

    KIND: ClassVar[str]
    FILE: ClassVar[str]  # that it is read back from

    command: str = ""
    dataset: str = ""  # its folder, as it was named
    counts: Mapping[str, Any] = field(default_factory=dict)  # of the data set
    commit: str = ""

    @property
    def data(self) -> str:
        """The name of the data set."""
        return Path(self.dataset).name

    @property
    def ours(self) -> tuple[str, ...]:
        """The rows that are VIRAL, whatever their names."""
        return ()

    def to_json(self) -> dict[str, Any]:
        """What ``--json`` prints and the file keeps."""
        return fields_json(self, without=("curves",))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Out of its JSON; raises as :func:`viral.lab.study.json_values.from_json` does."""
        study: Self = fields_of(cls, document)
        return study

    @abstractmethod
    def summary(self) -> Summary:
        """For the list of studies."""


def setting_text(value: Any) -> str:
    """A value of a configuration as it is shown; none is ``none``, as in a recipe."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStudy(Study):
    """A study of rows at several seeds."""

    rows: tuple[Any, ...]
    seeds: tuple[int, ...]

    def label_of(self, row: Any) -> str:
        """A row's name where it stands alone."""
        return str(row.name)

    @property
    def failures(self) -> list[str]:
        return [f"{self.label_of(row)}, {failure}" for row in self.rows for failure in row.failures]

    @property
    def size(self) -> str:
        """How much is in it."""
        seeds = len({seed for row in self.rows for seed in row.seeds})
        told = n_("%(number)s row", "%(number)s rows", len(self.rows)), n_("%(number)s seed", "%(number)s seeds", seeds)
        return ", ".join(told)

    def to_json(self) -> dict[str, Any]:
        return Study.to_json(self) | {"failures": self.failures}


def about_data(dataset: Dataset, command: str) -> dict[str, Any]:
    """The fields of every study that is being made."""
    counts = dict(dataset.manifest["counts"])
    return {"command": command, "dataset": str(dataset.path), "counts": counts, "commit": commit()}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TrainingStudy(RowStudy):
    """A finished study whose rows are trainings that were measured on the test set."""

    FILE = "results.json"

    rows: tuple[Row, ...]
    reference: str = ""  # the row that the others are tested against
    metric: str = METRIC
    features: Mapping[str, str] = field(default_factory=dict)  # what made each feature table
    users: int | None = None
    seconds: float = 0.0  # of the command; cells that were there cost none
    curves: tuple[Curve, ...] = ()  # of the first seed of each row that was trained in epochs, the best row first

    def frame(self) -> "pl.DataFrame":
        """A row each: metrics on test, means over seeds with intervals, and the test against the reference."""
        import polars as pl

        columns = [
            {"row": row.name, "seeds": len(row.seeds)}
            | {f"{name}{end}": getattr(found, kind)
               for name, found in row.metrics.items() if name in USER_METRICS
               for kind, end in (("mean", ""), ("low", "_low"), ("high", "_high"))}
            | {"p_holm": row.comparison.p_holm if row.comparison is not None else None}
            for row in self.rows
        ]  # fmt: skip
        return pl.DataFrame(columns, infer_schema_length=None)

    def __repr__(self) -> str:
        """The table of the first metrics; all there is to know is in the fields and in ``to_json()``."""
        table = self.frame()
        shown = [name for name in ("row", "seeds", *USER_METRICS, "p_holm") if name in table.columns]
        return f"{self.KIND} on {self.data}\n{table.select(shown)}"

    def summary(self) -> Summary:
        first = max((row for row in self.rows if row.seeds), key=lambda row: row.mean(self.metric), default=None)
        size, amount = self.size, len(self.rows)
        if first is None:
            return Summary(size, amount, _("no result"), None)
        value = first.mean(self.metric)
        return Summary(size, amount, f"{first.name}: {self.metric} {fixed(value)}", value)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Out of its JSON, with what older versions did not say."""
        metric = document.get("metric", METRIC)
        seeds = dict.fromkeys(seed for row in document["rows"] for seed in row["seeds"])
        known = {"seeds": list(seeds), **document, "metric": metric if metric in USER_METRICS else METRIC}
        study: Self = fields_of(cls, known)
        return study


def training_study(
    dataset: Dataset, command: str, outcomes: Sequence[Outcome[TrainingCell]], *, seeds: Sequence[int], metric: str
) -> dict[str, Any]:
    """The fields of a study of trainings that is being made, but for its rows."""
    users = next((int(o.result.summary["users"]) for o in outcomes if o.result is not None), None)
    return about_data(dataset, command) | {
        "seeds": tuple(seeds),
        "metric": metric,
        "features": encoders_of(dataset),
        "users": users,
    }


def check_metric(metric: str) -> None:
    """Raise ``UsageError`` for what is not measured for each user."""
    if metric not in USER_METRICS:
        raise UsageError(f"cannot test {metric!r}", hint=nearest(metric, USER_METRICS))


def curve(name: str, summary: Mapping[str, Any], metric: str) -> Curve | None:
    """One training, where it was validated more than once; None too where its history is damaged."""
    try:
        history = [one for one in summary["history"] if metric in one["valid"]]
        made = Curve(
            model=name,
            epochs=tuple(int(one["epoch"]) for one in history),
            valid=tuple(float(one["valid"][metric]) for one in history),
            loss=tuple(math.fsum(map(float, one["losses"].values())) for one in history),
            best_epoch=summary["valid"].get("best_epoch"),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return made if len(made.epochs) > 1 else None


def curves_of(study: Path, rows: Sequence[Row], metric: str) -> Iterator[Curve]:
    """The first seed of each row that is trained in epochs, from the cells that the study kept, best row first."""
    cells = kept_cells(study)
    for row in sorted((row for row in rows if row.seeds), key=lambda row: -row.mean(metric)):
        for cell in cells_of_row(cells, row.name, row.model_key, row.seeds)[:1]:
            if (made := curve(row.name, cell.summary, metric)) is not None:
                yield made
