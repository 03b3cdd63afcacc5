"""The rows of a comparison or an ablation: made of its cells' outcomes, written as JSON, and read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from viral.base.language import marked
from viral.lab.study.json_values import fields_of
from viral.lab.study.kept_results import users_mean
from viral.lab.study.runner import Outcome
from viral.lab.study.statistics import POSITIVE, UNIT, Comparison, Interval, Range, compare_all, ratio
from viral.lab.study.training_cells import TrainingCell, training_seconds
from viral.run.configuration import configured

USER_METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")  # of each user; the others are of all together
CLOSED_FORM = marked("closed form")  # why a training stopped that has no epochs
# Popularity bias is the popularity of what is shown over that of what the users chose in the test set.
METRICS = (*USER_METRICS, "coverage@20", "popularity@20", "popularity_bias@20")


def range_of(metric: str) -> Range:
    """Where a metric's values lie: shares between 0 and 1, popularity above 0."""
    return POSITIVE if metric.startswith("popularity") else UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table: a recipe at its seeds. ``comparison`` is None for the reference and what equals it.

    What has a default may be absent in the files of older versions.
    """

    name: str
    group: str
    model: str
    model_key: str
    place: float | None = None
    seeds: tuple[int, ...]
    values: Mapping[str, tuple[float, ...]]  # metric -> one per seed
    valid: tuple[float, ...] = ()  # the monitored metric on validation, one per seed
    metrics: Mapping[str, Interval]
    max_epochs: int = 0  # that a training was allowed
    patience: int = 0
    epochs: tuple[int, ...] = ()  # that it used, one per seed
    stopped: tuple[str, ...] = ()  # why, one per seed: "patience", "max_epochs" or "closed form"
    epoch_seconds: tuple[float, ...] = ()  # mean of an epoch's training, one per seed
    seconds: tuple[float, ...] = ()  # of building, training and validation, one per seed
    parameters: int | None = None
    memory: tuple[int, ...] = ()  # peak bytes of the processes that trained it, where each seed had one of its own
    commits: tuple[str, ...] = ()
    code_changed: bool | None = None  # whether other code than the present computed a cell; None: not known
    failures: tuple[str, ...] = ()
    comparison: Comparison | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Whatever version wrote it: older ones took the ends of few seeds' intervals otherwise."""
        row: Self = fields_of(cls, {**values, "comparison": values.get("comparison") or None})
        known = {name: Interval.of(numbers, range_of(name)) for name, numbers in row.values.items() if numbers}
        nothing = {name: Interval.of(()) for name in METRICS}
        return replace(row, metrics={**nothing, **row.metrics, **known})

    def mean(self, metric: str) -> float:
        """Over the seeds."""
        return self.metrics[metric].mean

    @property
    def trained(self) -> bool:
        """Whether it is trained in epochs, and not computed at one stroke; of one without a result, so assumed."""
        return not self.stopped or any(why != CLOSED_FORM for why in self.stopped)

    @property
    def capped(self) -> int:
        """Seeds whose training was ended by the limit of epochs while validation might still have risen."""
        return sum(why == "max_epochs" for why in self.stopped)


def mean(values: Sequence[float]) -> float:
    """The mean, NaN of nothing."""
    return sum(values) / len(values) if values else float("nan")


def make_rows(
    outcomes: Sequence[Outcome[TrainingCell]],
    *,
    metric: str = "recall@20",
    reference: str | None = None,
    own_processes: bool = False,
) -> list[Row]:
    """Gather the outcomes by row, in order; compare each with the row of the group and name ``reference``.

    ``metric`` is the one that is tested. The reference is the first row called so; without one nothing is tested. Rows
    that are the same recipe under another name are one test, and the reference under another name is none.
    ``own_processes`` says that each cell had one, so that its peak memory is its own.
    """
    gathered: dict[str, list[Outcome[TrainingCell]]] = {}
    for outcome in outcomes:
        gathered.setdefault(outcome.cell.label, []).append(outcome)
    users = {}
    for those in gathered.values():
        key = those[0].cell.model_key
        if key not in users and (found := users_mean([o.result for o in those if o.result is not None], metric)):
            users[key] = np.array(list(found.values()))
    keys = [those[0].cell.model_key for those in gathered.values() if those[0].cell.name == reference]
    compared: dict[str, Comparison] = {}
    if keys and keys[0] in users:
        others = {key: values for key, values in users.items() if key != keys[0]}
        compared = compare_all(others, users[keys[0]])
    rows = [_row(those, compared.get(those[0].cell.model_key)) for those in gathered.values()]
    return rows if own_processes else [replace(row, memory=()) for row in rows]


def _row(outcomes: Sequence[Outcome[TrainingCell]], comparison: Comparison | None) -> Row:
    cell = outcomes[0].cell
    done = [(o.cell.seed, o.result.summary) for o in outcomes if o.result is not None]
    summaries = [summary for _, summary in done]
    values = {name: tuple(_value(s, name) for s in summaries) for name in METRICS}
    train = configured(cell.recipe).recipe.train
    return Row(
        name=cell.name,
        group=cell.group,
        model=cell.recipe.model,
        model_key=cell.model_key,
        place=cell.place,
        seeds=tuple(seed for seed, _ in done),
        values=values,
        valid=tuple(float(s["valid"].get(train.monitor, "nan")) for s in summaries),
        metrics={name: Interval.of(numbers, range_of(name)) for name, numbers in values.items()},
        max_epochs=train.max_epochs,
        patience=train.patience,
        epochs=tuple(int(s["epochs"]) for s in summaries),
        stopped=tuple(str(s["stopped_because"]) for s in summaries),
        epoch_seconds=tuple(sum(s["epoch_seconds"]) / max(1, len(s["epoch_seconds"])) for s in summaries),
        seconds=tuple(map(training_seconds, summaries)),
        parameters=summaries[0]["num_parameters"] if summaries else None,
        memory=tuple(int(s["peak_memory_bytes"]) for s in summaries),
        commits=tuple(dict.fromkeys(str(s["commit"]) for s in summaries)),
        code_changed=_code_changed(cell.code, [s.get("code") for s in summaries]),
        failures=tuple(f"seed {o.cell.seed}: {o.failure or 'no result'}" for o in outcomes if o.result is None),
        comparison=comparison,
    )


def _code_changed(now: str, codes: Sequence[str | None]) -> bool | None:
    if any(code is not None and code != now for code in codes):
        return True
    return None if None in codes else False


def _value(summary: Mapping[str, Any], metric: str) -> float:
    """A metric of a cell; NaN for one that an older version did not measure."""
    exposure = summary.get("exposure", {})
    if metric == "popularity_bias@20":
        return ratio(float(exposure.get("popularity@20", "nan")), float(exposure.get("held_out_popularity", "nan")))
    return float(summary["metrics"].get(metric, exposure.get(metric, "nan")))


def find_row(rows: Sequence[Row], name: str) -> Row | None:
    """The first row of that name that has a result."""
    return next((row for row in rows if row.name == name and row.seeds), None)


def common(*rows: Row, metric: str) -> list[list[float]]:
    """The metric of each row at the seeds that all of them have, in the same order."""
    seeds = [seed for seed in rows[0].seeds if all(seed in row.seeds for row in rows)]
    return [[row.values[metric][row.seeds.index(seed)] for seed in seeds] for row in rows]
