"""The paired test and Holm's correction."""

from itertools import product

import numpy as np
import pytest

from viral.evaluation import holm, least_p, paired_test, quick_paired_test


def test_an_obvious_difference():
    rng = np.random.default_rng(0)
    b = rng.random(200)
    found = paired_test(b + 0.1 + 0.01 * rng.normal(size=200), b, rounds=2000)
    assert found.p_value == pytest.approx(1 / 2001)
    assert found.low < found.difference < found.high
    assert found.low > 0.09 and found.high < 0.11
    assert (found.wins, found.ties, found.losses) == (200, 0, 0)


def test_no_difference_at_all():
    a = np.linspace(0, 1, 50)
    found = paired_test(a, a, rounds=100)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)
    assert (found.wins, found.ties, found.losses) == (0, 50, 0)


def test_exchanging_the_models_changes_the_sign_only():
    rng = np.random.default_rng(1)
    a, b = rng.random(60), rng.random(60)
    one, other = paired_test(a, b, rounds=1000, seed=3), paired_test(b, a, rounds=1000, seed=3)
    assert one.p_value == other.p_value
    assert one.difference == -other.difference
    assert (one.low, one.high) == (pytest.approx(-other.high), pytest.approx(-other.low))
    assert (one.wins, one.losses) == (other.losses, other.wins)


def test_the_p_value_is_the_exact_one_up_to_sampling():
    """Eleven pairs have 2^11 sign patterns: count them all."""
    difference = np.array([0.3, -0.1, 0.25, 0.0, 0.4, 0.1, -0.2, 0.35, 0.05, 0.15, 0.2])
    signs = np.array(list(product([1, -1], repeat=11)))
    exact = (np.abs(signs @ difference) >= abs(difference.sum()) - 1e-12).mean()
    found = paired_test(difference, np.zeros(11), rounds=40_000)
    assert found.p_value == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 40_000) ** 0.5 + 1 / 40_000)
    assert found.ties == 1


def test_under_the_null_the_p_value_is_uniform():
    rng = np.random.default_rng(5)
    p = []
    for trial in range(300):
        a, b = rng.random(25), rng.random(25)
        p.append(paired_test(a, b, rounds=199, seed=trial).p_value)
    for level in (0.1, 0.25, 0.5, 0.75):
        expected = 4 * (level * (1 - level) / 300) ** 0.5
        assert np.mean(np.array(p) <= level) == pytest.approx(level, abs=expected)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    covered = 0
    for trial in range(200):
        a = 0.2 + rng.normal(size=80)
        found = paired_test(a, np.zeros(80), rounds=400, seed=trial)
        covered += found.low <= 0.2 <= found.high
    assert 0.95 - 4 * (0.95 * 0.05 / 200) ** 0.5 <= covered / 200 <= 1


def test_the_seed_decides():
    rng = np.random.default_rng(2)
    a, b = rng.random(30), rng.random(30)
    assert paired_test(a, b, seed=1, rounds=500) == paired_test(a, b, seed=1, rounds=500)
    assert paired_test(a, b, seed=1, rounds=500) != paired_test(a, b, seed=2, rounds=500)


def test_batches_add_up(monkeypatch):
    from viral.evaluation import significance

    batches = significance._batches(10_000, 3000)
    assert sum(batches) == 10_000 and max(batches) * 3000 <= 4_000_000 and len(batches) > 1
    assert significance._batches(7, 10**9) == [1] * 7


def test_unpaired_values_are_refused():
    with pytest.raises(ValueError, match="paired values"):
        paired_test(np.zeros(3), np.zeros(4))


def test_holm_by_hand():
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert adjusted == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})
    assert list(adjusted) == ["a", "b", "c", "d"]


def test_holm_stops_at_one():
    assert holm({"a": 0.7, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_the_quick_test_is_the_same_test_with_other_draws():
    rng = np.random.default_rng(2)
    b = rng.random(300)
    moved = np.where(rng.random(300) < 0.1, rng.normal(0.1, 0.3, 300), 0.0)
    slow, quick = paired_test(b + moved, b, rounds=20_000), quick_paired_test(b + moved, b, rounds=20_000)
    assert quick.difference == pytest.approx(slow.difference)
    assert quick.p_value == pytest.approx(slow.p_value, abs=0.015) and 0.001 < slow.p_value < 0.5
    assert (quick.low, quick.high) == (pytest.approx(slow.low, abs=5e-4), pytest.approx(slow.high, abs=5e-4))
    assert (quick.wins, quick.ties, quick.losses) == (slow.wins, slow.ties, slow.losses)
    same = quick_paired_test(b, b)
    assert (same.difference, same.low, same.high, same.p_value, same.ties) == (0, 0, 0, 1, 300)


@pytest.mark.parametrize("users", [1, 2, 5, 6, 9])
def test_the_least_p_is_that_of_all_users_on_one_side(users):
    difference = np.concatenate([np.linspace(0.1, 0.3, users), np.zeros(20)])
    found = quick_paired_test(difference, np.zeros(len(difference)), rounds=40_000)
    assert found.p_value == pytest.approx(least_p(found), abs=0.01)
    assert (least_p(found) < 0.05) is (users >= 6)


def test_the_least_p_of_nobody_is_one():
    assert least_p(quick_paired_test(np.ones(3), np.ones(3))) == 1
