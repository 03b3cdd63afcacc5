"""Intervals, tests and shares against scipy and against numbers worked out by hand."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from scipy import stats

from viral.lab.study.statistics import ANY, UNIT, Interval, compare_all, contribution, ratio, shares

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("n", [4, 5, 30])
def test_the_interval_is_students(n):
    values = RNG.normal(0.2, 0.03, n)
    found = Interval.of(list(values))
    low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((values.mean(), low, high, n), abs=1e-12)


def test_four_seeds_by_hand():
    found = Interval.of([0.1, 0.1, 0.3, 0.3])  # s/√n = 0.1155/2, t(0.975, 3) = 3.1824
    assert (found.mean, found.low, found.high) == pytest.approx((0.2, 0.2 - 0.18374, 0.2 + 0.18374), abs=1e-5)


@pytest.mark.parametrize("values", [(0.01, 0.36), (0.3, 0.1, 0.2)])
def test_fewer_than_four_seeds_have_no_interval_but_their_ends(values):
    """Student's t of two seeds gave a recall of -0.01 to 0.36: so few tell nothing of others."""
    found = Interval.of(values, UNIT)
    assert (found.low, found.high, found.few, found.values) == (min(values), max(values), True, values)


def test_an_interval_is_cut_where_the_metric_ends_and_only_there():
    spread = [0.0, 0.02, 0.04, 0.3]
    free, cut = Interval.of(spread), Interval.of(spread, UNIT)
    assert free.low < 0 == cut.low and cut.high == free.high < 1 and cut.mean == free.mean
    assert Interval.of([0.7, 0.96, 0.98, 1.0], UNIT).high == 1.0 < Interval.of([0.7, 0.96, 0.98, 1.0]).high


def test_cutting_at_the_range_loses_no_coverage():
    """Whatever is cut off holds no value that the truth could have."""
    draws = np.random.default_rng(0).beta(1, 20, (2000, 5))  # a mean of 1/21: many free intervals begin below zero
    free, cut = ([Interval.of(row, within) for row in draws.tolist()] for within in (ANY, UNIT))
    covers = [[one.low <= 1 / 21 <= one.high for one in those] for those in (free, cut)]
    assert covers[0] == covers[1] and any(one.low < 0 for one in free)


def test_an_interval_comes_out_of_its_json_again():
    found = Interval.of([0.1, 0.2], UNIT)
    assert Interval.from_json(json.loads(json.dumps(asdict(found)))).few
    for written in ({"mean": 0.2, "low": -1.07, "high": 1.47, "n": 2}, {"mean": None, "low": None, "high": None}):
        assert Interval.from_json(written).low is None, "Student's ends of two seeds, as older versions wrote them"
    older = {"mean": 0.2, "low": 0.1, "high": 0.3, "n": 5}
    assert Interval.from_json(older) == Interval(0.2, 0.1, 0.3, 5)


def test_one_seed_has_no_interval_and_none_no_mean():
    assert Interval.of([0.4]) == Interval(0.4, None, None, 1, (0.4,))
    assert math.isnan(Interval.of([]).mean) and Interval.of([]).n == 0


def test_undefined_seeds_are_left_out_and_counted_so():
    assert Interval.of([0.1, float("nan"), 0.3]) == Interval.of([0.1, 0.3])


def test_the_interval_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(1.0, 1.0, (2000, 5))
    found = [Interval.of(list(row)) for row in draws]
    covered = np.mean([one.low <= 1 <= one.high for one in found])
    assert covered == pytest.approx(0.95, abs=0.02)


@pytest.fixture(scope="module")
def users():
    rng = np.random.default_rng(1)
    reference = rng.random(400)
    rows = {"worse": reference - 0.05 + rng.normal(0, 0.1, 400), "same": reference + rng.normal(0, 0.1, 400)}
    rows["little"] = reference + 0.012 + rng.normal(0, 0.1, 400)
    return rows, reference


def test_the_test_agrees_with_scipys(users):
    rows, reference = users
    found = compare_all(rows, reference)
    for name, values in rows.items():
        sample = stats.permutation_test(
            (values - reference,), np.mean, permutation_type="samples", n_resamples=9999, rng=np.random.default_rng(5)
        )
        assert found[name].test.p_value == pytest.approx(sample.pvalue, abs=0.02)
        assert found[name].test.difference == pytest.approx((values - reference).mean())


def test_holm_is_over_the_rows(users):
    rows, reference = users
    found = compare_all(rows, reference)
    p = sorted((one.test.p_value, name) for name, one in found.items())
    expected, worst = {}, 0.0
    for rank, (value, name) in enumerate(p):
        worst = max(worst, min(1.0, (3 - rank) * value))
        expected[name] = worst
    assert {name: one.p_holm for name, one in found.items()} == pytest.approx(expected)
    assert found["worse"].p_holm < 0.05 < found["same"].p_holm
    alone = compare_all({"little": rows["little"]}, reference)["little"]
    assert alone.p_holm == alone.test.p_value < found["little"].p_holm, "a family of one needs no correction"


def test_effect_relative_and_wins_by_hand():
    reference = np.array([0.5, 0.5, 0.5, 0.5])
    found = compare_all({"row": np.array([0.7, 0.5, 0.6, 0.4])}, reference)["row"]
    differences = [0.2, 0.0, 0.1, -0.1]  # mean 0.05, sd 0.1291
    assert found.effect == pytest.approx(0.05 / np.std(differences, ddof=1))
    assert found.effect == pytest.approx(0.3873, abs=1e-4)
    assert found.relative == pytest.approx(0.1)
    assert (found.test.wins, found.test.ties, found.test.losses) == (2, 1, 1)


def test_users_that_do_not_differ_have_no_effect_size():
    same = np.ones(5)
    found = compare_all({"row": same}, same)["row"]
    assert math.isnan(found.effect) and found.test.p_value == 1


def test_contribution_by_hand():
    found = contribution([0.22, 0.33], [0.2, 0.3])  # +10 % at both seeds
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert contribution([0.1], [0.2]).mean == pytest.approx(-0.5)
    assert contribution([0.1, 0.2], [0.0, 0.1]).n == 1, "nothing is relative to zero"


def test_shares_by_hand():
    # seed 1: removing the text loses 0.3, removing the picture 0.1; seed 2: 0.2 and nothing (text only is better)
    found = shares([0.5, 0.5], [0.4, 0.6], [0.2, 0.3])
    assert found["text"].mean == pytest.approx((0.75 + 1) / 2)
    assert found["visual"].mean == pytest.approx((0.25 + 0) / 2)
    assert found["text"].n == 2


def test_shares_are_undefined_where_no_removal_does_harm():
    found = shares([0.5, 0.5], [0.6, 0.4], [0.5, 0.3])
    assert found["text"].n == found["visual"].n == 1
    assert found["text"].mean + found["visual"].mean == pytest.approx(1)


def test_ratio_over_zero():
    assert math.isnan(ratio(1.0, 0.0)) and ratio(1.0, 4.0) == 0.25
