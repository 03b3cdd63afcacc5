"""The numbers of ``viral compare --cold``: means with intervals, ratios to random order, tests against content.

A user's value is the mean over the seeds at which something is ranked for; so a user counts once, however many seeds
there are. Intervals of means and ratios are 95 % bootstrap intervals over users: they tell of other users, for these
withheld items and trainings. What other withheld items and trainings would tell is in the interval over seeds.
Shapes: n users, S seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viral.evaluation import PairedTest, holm, paired_test
from viral.lab.study.cold.cold_cells import CONTENT, RANDOM, ColdCell, recalls_of
from viral.lab.study.cold.withheld_items import PLACES
from viral.lab.study.kept_results import FloatArray
from viral.lab.study.runner import Outcome
from viral.lab.study.statistics import UNIT, Interval

ROUNDS = 2_000  # of the bootstrap
BySeed = Mapping[int, Mapping[str, float]]  # seed -> user id -> recall


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number and its 95 % bootstrap interval over users."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Against:
    """A row minus content-only neighbours, user by user; Holm's correction over the rows of the same place."""

    test: PairedTest
    p_holm: float


@dataclass(frozen=True, slots=True)
class ColdPlace:
    """Recall@20 in one place."""

    recall: Bounds
    over_seeds: Interval  # of the means of each seed
    ratio: Bounds  # to random order
    against: Against | None  # None for content itself
    users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdRow:
    """One model's answer by one way of embedding new items; ``model`` and ``way`` are empty for what is no model."""

    name: str
    model: str
    way: str
    places: Mapping[str, ColdPlace]
    seeds: tuple[int, ...]
    epochs: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    commits: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def cold_rows(outcomes: Sequence[Outcome[ColdCell]]) -> list[ColdRow]:
    """One row for each row's name and way, random order and content first."""
    found: dict[tuple[str, str], dict[int, Mapping[str, Mapping[str, float]]]] = {}
    for outcome in outcomes:
        if outcome.result is None:
            found.setdefault((outcome.cell.name, "failed"), {})
            continue
        for way, places in recalls_of(outcome.result).items():
            values = {place: dict(zip(*recall, strict=True)) for place, recall in places.items()}
            found.setdefault((outcome.cell.name, way), {})[outcome.cell.seed] = values
    done = {name for (name, _), seeds in found.items() if seeds}
    keys = [key for key, seeds in found.items() if seeds or key[0] not in done]
    tests = {place: _tests(found, keys, place) for place in PLACES}
    return [_row(key, found, outcomes, tests) for key in keys]


def _at(found: Mapping[Any, Any], key: tuple[str, str], place: str) -> BySeed:
    return {seed: values[place] for seed, values in found.get(key, {}).items() if place in values}


def _paired(row: BySeed, other: BySeed) -> tuple[FloatArray, FloatArray]:
    """Values of both (n,), (n,): each user's mean over the seeds that both have."""
    seeds = [seed for seed in row if seed in other]
    users = list(dict.fromkeys(user for seed in seeds for user in row[seed]))

    def means(of: BySeed) -> FloatArray:
        return np.array([np.mean([of[seed][user] for seed in seeds if user in of[seed]]) for user in users])

    return means(row), means(other)


def _tests(found: Mapping[Any, Any], keys: Sequence[tuple[str, str]], place: str) -> dict[tuple[str, str], Against]:
    content = _at(found, (CONTENT, ""), place)
    pairs = {key: _paired(_at(found, key, place), content) for key in keys if key[0] not in (RANDOM, CONTENT)}
    tests = {key: paired_test(row, other) for key, (row, other) in pairs.items() if len(row)}
    corrected = holm({"\0".join(key): test.p_value for key, test in tests.items()})
    return {key: Against(test, corrected["\0".join(key)]) for key, test in tests.items()}


def _row(
    key: tuple[str, str],
    found: Mapping[Any, Any],
    outcomes: Sequence[Outcome[ColdCell]],
    tests: Mapping[str, Mapping[tuple[str, str], Against]],
) -> ColdRow:
    places = {}
    for place in PLACES:
        values, chance = _at(found, key, place), _at(found, (RANDOM, ""), place)
        row, random = _paired(values, chance)
        if len(row):
            recall, ratio = _bounds(row, random)
            by_seed = Interval.of([float(np.mean(list(users.values()))) for users in values.values()], UNIT)
            places[place] = ColdPlace(recall, by_seed, ratio, tests[place].get(key), len(row))
    mine = [o for o in outcomes if o.cell.name == key[0]]
    kept = [o.result.summary for o in mine if o.result is not None]
    return ColdRow(
        name=key[0],
        model=next((str(s["model"]) for s in kept if "model" in s), ""),
        way=key[1],
        places=places,
        seeds=tuple(o.cell.seed for o in mine if o.result is not None),
        epochs=tuple(int(s["epochs"]) for s in kept if "epochs" in s),
        seconds=tuple(float(s["seconds"]) for s in kept if "seconds" in s),
        commits=tuple(dict.fromkeys(str(s["commit"]) for s in kept)),
        failures=tuple(f"seed {o.cell.seed}: {o.failure}" for o in mine if o.failure),
    )


def _bounds(row: FloatArray, random: FloatArray) -> tuple[Bounds, Bounds]:
    """The mean of a row (n,) and its ratio to that of random order (n,), with the same users drawn for both."""
    rng, both = np.random.default_rng(0), np.stack([row, random])
    means = np.stack([both[:, rng.integers(0, len(row), len(row))].mean(axis=1) for _ in range(ROUNDS)])
    made = []
    for value, drawn in ((row.mean(), means[:, 0]), (row.mean() / random.mean(), means[:, 0] / means[:, 1])):
        low, high = np.quantile(drawn, [0.025, 0.975])
        made.append(Bounds(float(value), float(low), float(high)))
    return made[0], made[1]
