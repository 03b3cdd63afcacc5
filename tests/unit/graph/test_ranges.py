"""Products range by range against whole ones."""

import pytest
import torch

from viral.graph import SparseMatrix, bipartite_adjacency
from viral.graph.functions import ranges
from viral.graph.functions.ranges import RangedMatrix
from worlds import interactions

WIDTH = 4


@pytest.fixture
def small_cache(monkeypatch):
    """A cache of five rows of ``WIDTH`` float64 numbers, and ranges that are worth it from one entry a row on."""
    monkeypatch.setattr(ranges, "CACHED_BYTES", 5 * WIDTH * 8)
    monkeypatch.setattr(ranges, "LEAST_ENTRIES", 1)


def matrices(shape: tuple[int, int], count: int) -> tuple[RangedMatrix, SparseMatrix]:
    """The same entries in both forms; the last rows are empty."""
    rng = torch.Generator().manual_seed(count)
    rows = torch.randint(max(1, shape[0] - 2), (count,), generator=rng)
    columns = torch.randint(shape[1], (count,), generator=rng)
    values = torch.randn(count, generator=rng, dtype=torch.float64)
    return RangedMatrix.of(rows, columns, values, shape), SparseMatrix.of(rows, columns, values, shape)


@pytest.mark.parametrize(("shape", "count", "parts"), [((7, 20), 90, 4), ((7, 18), 90, 4), ((9, 17), 20, 2)])
def test_the_product_is_the_whole_one(small_cache, shape, count, parts):
    """18 columns are not a multiple of the ranges; of 20 entries in 9 rows no more than two ranges are worth it."""
    ranged, plain = matrices(shape, count)
    x = torch.randn(shape[1], WIDTH, dtype=torch.float64, requires_grad=True)
    y = torch.randn(shape[0], WIDTH, dtype=torch.float64)
    product = ranged @ x
    torch.testing.assert_close(product, plain @ x)
    assert list(ranged._ranges) == [parts], "it was not worked off in ranges"
    assert sum(len(part.values) for _, part in ranged.ranges(parts)) == count
    (gradient,) = torch.autograd.grad((product * y).sum(), x)
    torch.testing.assert_close(gradient, plain.to_torch().to_dense().T @ y)


def test_what_the_cache_holds_or_short_rows_are_multiplied_whole(small_cache):
    ranged, plain = matrices((7, 5), 90)
    x = torch.randn(5, WIDTH, dtype=torch.float64)
    assert torch.equal(ranged @ x, plain @ x)
    short, plain = matrices((30, 40), 50)
    x = torch.randn(40, WIDTH, dtype=torch.float64)
    assert torch.equal(short @ x, plain @ x)
    assert not ranged._ranges
    assert not short._ranges


def test_the_ranges_are_built_once(small_cache):
    ranged, _ = matrices((7, 20), 90)
    x = torch.randn(20, WIDTH, dtype=torch.float64)
    first = ranged @ x
    kept = ranged.ranges(4)
    assert torch.equal(ranged @ x, first)
    assert ranged.ranges(4) is kept


def test_a_matrix_without_rows_or_entries(small_cache):
    x = torch.randn(20, WIDTH, dtype=torch.float64)
    assert (matrices((3, 20), 0)[0] @ x).count_nonzero() == 0
    assert (matrices((0, 20), 0)[0] @ x).shape == (0, WIDTH)


def test_both_halves_of_the_user_item_graph_are_the_dense_product(small_cache):
    pairs = [(user, item) for user in range(30) for item in range(25) if (3 * user + item) % 4]
    adjacency = bipartite_adjacency(interactions(pairs, 30, 25))
    nodes = torch.randn(55, 8)
    product = torch.cat(adjacency.multiply_blocks(adjacency.blocks(nodes)))
    torch.testing.assert_close(product, adjacency.to_torch().to_dense() @ nodes)
    assert adjacency.of_users._ranges
    assert adjacency.of_items._ranges
