"""The metrics of each row by whom it serves, light and heavy users, head, tail and cold items, each with its test."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from viral.base.language import marked
from viral.data.splitting import Split
from viral.evaluation import CUTOFFS, PairedTest, holm, item_segments, least_p, quick_paired_test, user_segments, within
from viral.lab.study.json_values import from_json
from viral.lab.study.kept_results import CellResult, FloatArray
from viral.lab.study.runner import Outcome
from viral.lab.study.statistics import SIGNIFICANT, UNIT, Interval, test_of, test_values
from viral.lab.study.training_cells import TrainingCell
from viral.lab.study.training_rows import USER_METRICS

SEGMENTS = (marked("light"), marked("heavy"), marked("head"), marked("tail"), marked("cold"))


@dataclass(frozen=True, slots=True)
class SegmentTest:
    """A row against the reference over the users of one segment, the seeds averaged, in the metric that is tested.

    ``p_holm`` is corrected for all rows and segments of the comparison. ``least_p`` is the least p that so few users
    who differ can have.
    """

    test: PairedTest
    p_holm: float
    least_p: float

    @property
    def too_few(self) -> bool:
        """No difference between the two, however large, could have been significant."""
        return self.least_p >= SIGNIFICANT

    @property
    def significant(self) -> bool:
        return self.p_holm < SIGNIFICANT

    def to_json(self) -> dict[str, Any]:
        """Flat, as CSV has it, too."""
        return test_values(self.test) | {"p_holm": self.p_holm, "least_p": self.least_p}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Out of :meth:`to_json`."""
        return cls(test_of(values), *(from_json(float, values[name]) for name in ("p_holm", "least_p")))


@dataclass(frozen=True, slots=True)
class Segment:
    """One row in one segment: ``users`` are those who count in it; intervals are over seeds."""

    row: str
    segment: str
    users: int
    metrics: Mapping[str, Interval]
    comparison: SegmentTest | None = None  # None for the reference, what equals it, and where either was not measured


@dataclass(frozen=True, slots=True)
class _Measured:
    """One cell in one segment: means over its users, and the tested metric of each of them, (n,)."""

    means: dict[str, float]
    tested: FloatArray


def segments_of(
    outcomes: Sequence[Outcome[TrainingCell]], split: Split, *, metric: str, reference: str
) -> list[Segment]:
    """Every row in every segment that has somebody in it, with its test against the row ``reference`` in ``metric``.

    Item segments only of cells whose ranks were kept. One cell is read at a time, so that memory is that of one test
    set and of one number per row, segment and user.
    """
    items = item_segments(split.train)
    keys, found = dict[str, str](), dict[tuple[str, str], list[_Measured]]()
    for outcome in outcomes:
        if outcome.result is None:
            continue
        keys[outcome.cell.name] = outcome.cell.model_key
        for segment, measured in [*_by_user(outcome.result, split, metric), *_by_item(outcome.result, items, metric)]:
            found.setdefault((outcome.cell.name, segment), []).append(measured)
    made = [
        Segment(
            row,
            segment,
            len(cells[0].tested),
            {name: Interval.of([cell.means[name] for cell in cells], UNIT) for name in USER_METRICS},
        )
        for (row, segment), cells in found.items()
    ]
    users = {place: np.mean([cell.tested for cell in cells], axis=0) for place, cells in found.items()}
    tests = _tests(users, keys, reference)
    return [replace(each, comparison=tests.get((keys[each.row], each.segment))) for each in made]


def _tests(
    users: Mapping[tuple[str, str], FloatArray], keys: Mapping[str, str], reference: str
) -> dict[tuple[str, str], SegmentTest]:
    """By recipe and segment: the same recipe under another name is one test, the reference under another name none."""
    tests: dict[tuple[str, str], PairedTest] = {}
    for (row, segment), values in users.items():
        place = (keys[row], segment)
        theirs = users.get((reference, segment))
        if theirs is not None and keys[row] != keys[reference] and place not in tests:
            tests[place] = quick_paired_test(values, theirs)
    names = {f"{key} {segment}": (key, segment) for key, segment in tests}
    corrected = holm({name: tests[place].p_value for name, place in names.items()})
    return {place: SegmentTest(tests[place], corrected[n], least_p(tests[place])) for n, place in names.items()}


def _by_user(result: CellResult, split: Split, metric: str) -> Iterable[tuple[str, _Measured]]:
    values = {name: result.per_user(name) for name in USER_METRICS}
    chosen = user_segments(split.train, split.users.indices(values[metric][0]))
    for name, mask in chosen.items():
        if mask.any():
            inside = {each: v[mask.numpy()] for each, (_, v) in values.items()}
            yield name, _Measured({each: float(v.mean()) for each, v in inside.items()}, inside[metric])


def _by_item(result: CellResult, segments: Mapping[str, Tensor], metric: str) -> Iterable[tuple[str, _Measured]]:
    ranks = result.ranks()
    if ranks is None:
        return
    users, items, places = (torch.from_numpy(np.ascontiguousarray(column)) for column in ranks)
    for name, mask in segments.items():
        chosen = mask[items]
        if chosen.any():
            metrics = within(users, places, chosen, CUTOFFS)
            yield name, _Measured({each: metrics[each].mean().item() for each in USER_METRICS}, metrics[metric].numpy())
