"""Counts to bits: corrections, intervals, groups of users and refusals."""

from dataclasses import replace

import numpy as np
import pytest

from viral.base.errors import DataError, UsageError
from viral.lab.information.decomposition import PARTS
from viral.lab.information.estimation import PairCells, estimate, quantile_labels


def labels(rule, count=2000, values=2, seed=0, users=200):
    """Pairs whose cells are drawn and whose y is rule(text, visual, user, rng)."""
    rng = np.random.default_rng(seed)
    text, visual = rng.integers(0, values, count), rng.integers(0, values, count)
    user = rng.integers(0, users, count)
    chosen = rule(text, visual, user, rng)
    return PairCells(text, visual, text * values + visual, chosen, user, np.zeros_like(user), text, visual)


def nothing(text, visual, user, rng):
    return rng.integers(0, 2, len(text))


@pytest.mark.parametrize("correction", ["permutation", "extrapolation"])
def test_bias_is_taken_away(correction):
    found = estimate(labels(nothing, 3000, 8), correction=correction, bootstrap=0)
    assert found.information["both"].plug_in > 0.01
    assert abs(found.information["both"].bits) < 0.005
    assert abs(found.parts().total) < 0.005


def test_without_correction_the_bias_stays():
    found = estimate(labels(nothing, 3000, 8), correction="none", bootstrap=0)
    assert found.broja["synergistic"].bits == found.broja["synergistic"].plug_in > 0.005


def test_exclusive_or():
    found = estimate(labels(lambda text, visual, *_: text ^ visual), bootstrap=20)
    assert found.parts().synergistic == pytest.approx(1.0, abs=0.02)
    assert found.parts("common").synergistic == pytest.approx(1.0, abs=0.02)


def test_pooled_opposite_tastes_cancel_and_groups_show_them():
    opposite = labels(lambda text, visual, user, _: text ^ (user % 2))
    assert abs(estimate(opposite, bootstrap=0).information["text"].bits) < 0.01
    grouped = replace(opposite, groups=opposite.users % 2)
    assert estimate(grouped, bootstrap=0).information["text"].bits == pytest.approx(1.0, abs=0.02)


def test_intervals_cover():
    """The interval of 20 logs holds the truth (H(0.2) by the mutual information of a noisy bit) about 19 times."""
    truth = 1 + 0.2 * np.log2(0.2) + 0.8 * np.log2(0.8)

    def noisy(text, visual, user, rng):
        return text ^ (rng.random(len(text)) < 0.2)

    found = [
        estimate(labels(noisy, 1000, seed=seed), bootstrap=50, seed=seed).information["text"] for seed in range(20)
    ]
    assert sum(each.low <= truth <= each.high for each in found) >= 16
    assert all(each.low < each.bits < each.high for each in found)
    assert np.mean([each.high - each.low for each in found]) < 0.15


def test_too_few_counts_are_refused():
    with pytest.raises(DataError, match="fewer than 5 a cell") as fault:
        estimate(labels(nothing, 500, 16))
    assert "--clusters" in fault.value.hint


def test_unknown_corrections_and_definitions_are_refused():
    with pytest.raises(UsageError, match="unknown correction"):
        estimate(labels(nothing), correction="some")
    bare = replace(labels(nothing), common_text=None, common_visual=None)
    with pytest.raises(UsageError, match="no common parts"):
        estimate(bare, bootstrap=0).parts("common")


def test_the_same_seed_gives_the_same_numbers():
    one, two = (estimate(labels(nothing), bootstrap=10, seed=3).to_json() for _ in range(2))
    assert one == two
    assert set(one["shares"]["broja"]) == set(PARTS)


def test_quantile_cells_are_equal():
    cells = quantile_labels(np.random.default_rng(0).normal(size=1000), 4)
    assert np.bincount(cells).tolist() == [250] * 4
