"""The decomposition of small tables: textbook truths, the library as oracle, and a certificate."""

import numpy as np
import pytest

from viral.base.errors import DataError, UsageError
from viral.lab.information.decomposition import (
    PARTS,
    Parts,
    decompose,
    garbling,
    join,
    library,
    mutual_information,
    union_information,
)

BITS = (0, 1)


def logic(rule, values=2):
    """p(x1, x2, y) of y = rule(x1, x2) with fair bits; the rule may forbid a cell with None."""
    p = np.zeros((2, 2, values))
    for a in BITS:
        for b in BITS:
            if (y := rule(a, b)) is not None:
                p[a, b, y] = 1
    return p


TEXTBOOK = {
    "and": (logic(lambda a, b: a & b), (0.3113, 0, 0, 0.5)),
    "xor": (logic(lambda a, b: a ^ b), (0, 0, 0, 1)),
    "copied bit": (logic(lambda a, b: a if a == b else None), (1, 0, 0, 0)),
    "unique text": (logic(lambda a, b: a), (0, 1, 0, 0)),
    "unique visual": (logic(lambda a, b: b), (0, 0, 1, 0)),
    "two-bit copy": (logic(lambda a, b: 2 * a + b, 4), (0, 1, 1, 0)),
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_textbook_distributions(name):
    table, expected = TEXTBOOK[name]
    found = decompose(table)
    exact = table.shape[2] == 2
    assert [getattr(found, part) for part in PARTS] == pytest.approx(expected, abs=1e-4 if exact else 0.01)


@pytest.mark.parametrize("name", [name for name in TEXTBOOK if name != "two-bit copy"])  # that one is the library's
def test_textbook_distributions_by_the_library(name):
    table, expected = TEXTBOOK[name]
    found = library(table)
    assert [getattr(found, part) for part in PARTS] == pytest.approx(expected, abs=0.01)


def random_table(seed, shape=(3, 4, 2)):
    return np.random.default_rng(seed).gamma(0.5, size=shape) + 1e-9


@pytest.mark.parametrize("seed", [0, 1, 2, 4])
def test_it_finds_what_the_library_finds(seed):
    """On tables where the library's solver converges (of five, not on that of seed 3, where it goes on at random)."""
    p = np.random.default_rng(seed).gamma(2.0, size=(3, 4, 2))
    ours, theirs = decompose(p), library(p)
    assert [getattr(ours, n) for n in PARTS] == pytest.approx([getattr(theirs, n) for n in PARTS], abs=1e-6)


@pytest.mark.parametrize(("shape", "seed"), [((3, 4, 2), 0), ((3, 4, 2), 1), ((3, 4, 2), 3), ((16, 16, 2), 7)])
def test_the_minimum_is_reached_by_a_coupling_that_keeps_both_margins(shape, seed):
    """q = Σ_j p(j, y) K1(x1 | j) K2(x2 | j) is allowed and tells exactly the union: no bound can be lower."""
    p = random_table(seed, shape)
    p /= p.sum()
    first, second = p.sum(axis=1), p.sum(axis=0)
    union = join(first, second)
    q = np.einsum("jy,ja,jb->aby", union, garbling(union, first), garbling(union, second))
    np.testing.assert_allclose(q.sum(axis=1), first, atol=1e-6)
    np.testing.assert_allclose(q.sum(axis=0), second, atol=1e-6)
    assert mutual_information(q.reshape(-1, 2) / q.sum()) == pytest.approx(union_information(first, second), abs=1e-4)


def test_any_other_coupling_tells_more():
    p = random_table(3)
    p /= p.sum()
    first, second = p.sum(axis=1), p.sum(axis=0)
    independent = np.einsum("ay,by->aby", first, second) / first.sum(axis=0)
    assert mutual_information(independent.reshape(-1, 2)) > union_information(first, second) + 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_the_redundancy_of_williams_and_beer(seed):
    p = random_table(seed, (3, 3, 3))
    ours, theirs = decompose(p, "imin"), library(p, "imin")
    assert [getattr(ours, n) for n in PARTS] == pytest.approx([getattr(theirs, n) for n in PARTS], abs=1e-6)


def test_parts_are_no_less_than_zero_and_add_up():
    for seed in range(20):
        p = random_table(seed, (6, 7, 2))
        found = decompose(p)
        assert min(getattr(found, part) for part in PARTS) > -1e-9
        assert found.total == pytest.approx(mutual_information((p / p.sum()).reshape(-1, 2)))


def test_splitting_a_value_changes_nothing():
    p = random_table(1)
    split = np.concatenate([p[:1] * 0.3, p[:1] * 0.7, p[1:]])
    assert decompose(split).redundant == pytest.approx(decompose(p).redundant, abs=1e-9)


def test_a_source_is_not_better_than_one_that_tells_more():
    noisy, clean = np.array([[0.3, 0.2], [0.2, 0.3]]), np.array([[0.5, 0.0], [0.0, 0.5]])
    assert mutual_information(garbling(clean, noisy).T @ clean) == pytest.approx(mutual_information(noisy), abs=1e-6)
    with pytest.raises(DataError, match="not as good"):
        garbling(noisy, clean)


def test_shares():
    assert Parts(1, 1, -0.5, 2).shares() == {
        "redundant": 0.25,
        "unique_text": 0.25,
        "unique_visual": 0.0,
        "synergistic": 0.5,
    }
    assert set(Parts(0, 0, 0, 0).shares().values()) == {0.0}


@pytest.mark.parametrize(
    "table", [np.zeros((2, 2, 2)), np.ones((2, 2)), -np.ones((2, 2, 2)), np.full((2, 2, 2), np.nan)]
)
def test_what_is_no_table_is_refused(table):
    with pytest.raises(DataError, match="not a table"):
        decompose(table)


def test_tables_too_large_for_the_library_are_refused_with_a_way_out():
    with pytest.raises(DataError, match="too large") as fault:
        decompose(np.ones((16, 16, 3)))
    assert "fewer clusters" in fault.value.hint


def test_unknown_measures_are_refused():
    with pytest.raises(UsageError, match="unknown measure"):
        decompose(np.ones((2, 2, 2)), "best")  # type: ignore[arg-type]
