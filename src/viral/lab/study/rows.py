"""From outcomes of cells to the rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viral.base.errors import DataError
from viral.lab.study.cells import FloatArray
from viral.lab.study.code_fingerprint import code_of
from viral.lab.study.runner import Outcome
from viral.lab.study.statistics import POSITIVE, UNIT, Comparison, Interval, Range, compare_all, ratio
from viral.models import Recommender
from viral.run.configuration import configured

USER_METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")  # of each user; the others are of all together
# Popularity bias is the popularity of what is shown over that of what the users took in the test set.
METRICS = (*USER_METRICS, "coverage@20", "popularity@20", "popularity_bias@20")


def range_of(metric: str) -> Range:
    """Where a metric's values lie: shares between 0 and 1, popularity above 0."""
    return POSITIVE if metric.startswith("popularity") else UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table: a recipe at its seeds. ``comparison`` is None for the reference and what equals it."""

    name: str
    group: str
    model: str
    model_key: str
    place: float | None
    seeds: tuple[int, ...]
    values: dict[str, tuple[float, ...]]  # metric -> one per seed
    valid: tuple[float, ...]  # the monitored metric on validation, one per seed
    metrics: dict[str, Interval]
    max_epochs: int  # that a training was allowed
    patience: int
    epochs: tuple[int, ...]  # that it used, one per seed
    stopped: tuple[str, ...]  # why, one per seed: "patience", "max_epochs" or "closed form"
    epoch_seconds: tuple[float, ...]  # mean of an epoch's training, one per seed
    seconds: tuple[float, ...]  # of building, training and validation, one per seed
    parameters: int | None
    memory: tuple[int, ...]  # peak bytes of the process that trained it: of the cell alone only in a fresh one
    commits: tuple[str, ...]
    code_changed: bool | None  # the code that a cell was computed by is not the one that is here; None: not known
    failures: tuple[str, ...]
    comparison: Comparison | None = None


def make_rows(outcomes: Sequence[Outcome], *, metric: str = "recall@20", reference: str | None = None) -> list[Row]:
    """Gather the outcomes by row, in order; compare each with the row of the group and name ``reference``.

    ``metric`` is the one that is tested. The reference is the first row called so; without one nothing is tested. Rows
    that are the same recipe under another name are one test, and the reference under another name is none.
    """
    gathered: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        gathered.setdefault((outcome.cell.group, outcome.cell.name), []).append(outcome)
    users = {}
    for those in gathered.values():
        key = those[0].cell.model_key
        if key not in users and (found := _users_mean(those, metric)) is not None:
            users[key] = found
    keys = [those[0].cell.model_key for those in gathered.values() if those[0].cell.name == reference]
    compared: dict[str, Comparison] = {}
    if keys and keys[0] in users:
        others = {key: values for key, values in users.items() if key != keys[0]}
        compared = compare_all(others, users[keys[0]])
    return [_row(those, compared.get(those[0].cell.model_key)) for those in gathered.values()]


def _row(outcomes: Sequence[Outcome], comparison: Comparison | None) -> Row:
    cell = outcomes[0].cell
    chosen = configured(cell.recipe)
    done = [(o.cell.seed, o.result.summary) for o in outcomes if o.result is not None]
    summaries = [summary for _, summary in done]
    values = {name: tuple(_value(s, name) for s in summaries) for name in METRICS}
    train = chosen.recipe.train
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
        seconds=tuple(s["build_seconds"] + sum(s["epoch_seconds"]) + sum(s["valid_seconds"]) for s in summaries),
        parameters=summaries[0]["num_parameters"] if summaries else None,
        memory=tuple(int(s["peak_memory_bytes"]) for s in summaries),
        commits=tuple(dict.fromkeys(str(s["commit"]) for s in summaries)),
        code_changed=_code_changed(chosen.model, [s.get("code") for s in summaries]),
        failures=tuple(f"seed {o.cell.seed}: {o.failure or 'no result'}" for o in outcomes if o.result is None),
        comparison=comparison,
    )


def _code_changed(model: type[Recommender[Any]], codes: Sequence[str | None]) -> bool | None:
    now = code_of(model)
    if any(code is not None and code != now for code in codes):
        return True
    return None if None in codes else False


def _value(summary: Mapping[str, Any], metric: str) -> float:
    """A metric of a cell; NaN for one that an older version did not measure."""
    exposure = summary.get("exposure", {})
    if metric == "popularity_bias@20":
        return ratio(float(exposure.get("popularity@20", "nan")), float(exposure.get("held_out_popularity", "nan")))
    return float(summary["metrics"].get(metric, exposure.get(metric, "nan")))


def _users_mean(outcomes: Sequence[Outcome], metric: str) -> FloatArray | None:
    """One metric of every user, averaged over the seeds: (n,)."""
    total, ids, count = None, None, 0
    for outcome in outcomes:
        if outcome.result is None:
            continue
        users, values = outcome.result.per_user(metric)
        if ids is not None and users != ids:
            raise DataError("two cells measured different users", where=str(outcome.result.folder))
        ids, count = users, count + 1
        total = values if total is None else total + values
    return None if total is None else np.asarray(total / count)


def find_row(rows: Sequence[Row], name: str) -> Row | None:
    """The first row of that name that has a result."""
    return next((row for row in rows if row.name == name and row.seeds), None)


def common(*rows: Row, metric: str) -> list[list[float]]:
    """The metric of each row at the seeds that all of them have, in the same order."""
    seeds = [seed for seed in rows[0].seeds if all(seed in row.seeds for row in rows)]
    return [[row.values[metric][row.seeds.index(seed)] for seed in seeds] for row in rows]
