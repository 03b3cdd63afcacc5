"""Sparse products against dense ones."""

import numpy as np
import pytest
import torch

from viral.graph import SparseMatrix
from viral.graph.functions.sparse import FEW


def entries(shape: tuple[int, int], count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random entries in random order; some rows empty, some places twice."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, max(1, shape[0] - 2), count)  # the last rows stay empty
    columns = rng.integers(0, shape[1], count)
    return torch.from_numpy(rows), torch.from_numpy(columns), torch.from_numpy(rng.normal(size=count))


def to_dense(rows, columns, values, shape) -> torch.Tensor:
    matrix = torch.zeros(shape, dtype=values.dtype)
    for row, column, value in zip(rows.tolist(), columns.tolist(), values, strict=True):
        matrix[row, column] += value
    return matrix


SHAPES = [((7, 5), 20), ((5, 9), 60), ((6, 6), 0), ((1, 1), 3)]


@pytest.mark.parametrize(("shape", "count"), SHAPES)
def test_product_and_gradient_are_the_dense_ones(shape, count):
    given = entries(shape, count, seed=count)
    sparse, plain = SparseMatrix.of(*given, shape), to_dense(*given, shape)
    x = torch.randn(shape[1], 4, dtype=torch.float64, requires_grad=True)
    y = torch.randn(shape[0], 4, dtype=torch.float64)
    torch.testing.assert_close(sparse @ x, plain @ x)
    (gradient,) = torch.autograd.grad(((sparse @ x) * y).sum(), x)
    torch.testing.assert_close(gradient, plain.T @ y)


@pytest.mark.parametrize(("shape", "count"), SHAPES)
def test_the_path_of_other_devices_is_the_same_matrix(shape, count):
    given = entries(shape, count, seed=count + 1)
    x = torch.randn(shape[1], 3, dtype=torch.float64)
    sparse = SparseMatrix.of(*given, shape)
    torch.testing.assert_close(sparse.to_torch() @ x, sparse @ x)
    torch.testing.assert_close(sparse.to_torch().to_dense(), to_dense(*given, shape))


def test_a_product_off_the_processor_uses_torchs_rows(monkeypatch):
    given = entries((6, 4), 15, seed=3)
    sparse, x = SparseMatrix.of(*given, (6, 4)), torch.randn(4, 2, dtype=torch.float64)
    expected = sparse @ x

    class Elsewhere(torch.Tensor):
        """A tensor that says it lies on another device."""

        @property
        def device(self):
            return torch.device("meta")

    def no_bag(*args, **kwargs):
        raise AssertionError("embedding_bag is for processors")

    monkeypatch.setattr(torch.nn.functional, "embedding_bag", no_bag)
    torch.testing.assert_close(torch.Tensor(sparse.multiply(x.as_subclass(Elsewhere))).double(), expected)


def test_a_symmetric_matrix_is_its_own_transpose():
    rows, columns, values = entries((6, 6), 12, seed=5)
    both = (torch.cat([rows, columns]), torch.cat([columns, rows]), torch.cat([values, values]))
    sparse = SparseMatrix.of(*both, (6, 6), symmetric=True)
    assert sparse.transpose is sparse
    x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad((sparse @ x).square().sum(), x)
    plain = to_dense(*both, (6, 6))
    torch.testing.assert_close(gradient, plain.T @ (2 * plain @ x.detach()))


def test_the_transpose_is_kept_and_moves_along():
    sparse = SparseMatrix.of(*entries((5, 7), 20, seed=1), (5, 7))
    assert sparse.transpose is sparse.transpose
    assert sparse.transpose.shape == (7, 5)
    sparse.float()
    assert sparse.transpose.values.dtype == torch.float32
    x = torch.randn(7, 2, requires_grad=True)
    (sparse @ x).sum().backward()
    torch.testing.assert_close(x.grad, sparse.to_torch().to_dense().T @ torch.ones(5, 2))


@pytest.mark.parametrize(("shape", "count"), SHAPES)
def test_the_transpose_is_bit_for_bit_the_sorted_one(shape, count):
    """Entries of a column stay in the order of their rows, and those at one place apart and in their own."""
    sparse = SparseMatrix.of(*entries(shape, count, seed=2), shape)
    rows, columns, values = sparse.entries()
    expected, turned = SparseMatrix.of(columns, rows, values, shape[::-1]), sparse.transpose
    assert turned.shape == expected.shape
    for name in ("offsets", "columns", "values"):
        torch.testing.assert_close(getattr(turned, name), getattr(expected, name), rtol=0, atol=0)


def test_gradcheck():
    sparse = SparseMatrix.of(*entries((5, 4), 9, seed=2), (5, 4))
    assert torch.autograd.gradcheck(lambda x: sparse @ x, torch.randn(4, 3, dtype=torch.float64, requires_grad=True))


def test_a_strided_factor_is_read_right():
    given = entries((5, 4), 9, seed=2)
    x = torch.randn(3, 4, dtype=torch.float64).T
    torch.testing.assert_close(SparseMatrix.of(*given, (5, 4)) @ x, to_dense(*given, (5, 4)) @ x)


def test_entries_come_back_sorted_by_place():
    rows, columns, values = torch.tensor([2, 0, 2]), torch.tensor([1, 3, 0]), torch.tensor([1.0, 2.0, 3.0])
    found = SparseMatrix.of(rows, columns, values, (3, 4)).entries()
    assert [t.tolist() for t in found] == [[0, 2, 2], [3, 0, 1], [2.0, 3.0, 1.0]]


def test_it_adds_nothing_to_a_state_dict():
    assert SparseMatrix.of(*entries((5, 4), 9, seed=2), (5, 4)).state_dict() == {}


def test_chosen_rows_are_those_of_the_matrix_and_may_repeat():
    given = entries((7, 5), 20, seed=3)
    sparse, plain = SparseMatrix.of(*given, (7, 5)), to_dense(*given, (7, 5))
    for chosen in (torch.tensor([4, 0, 6, 4]), torch.tensor([6]), torch.tensor([], dtype=torch.int64)):
        some = sparse.rows(chosen)
        assert some.shape == (len(chosen), 5)
        x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
        y = torch.randn(len(chosen), 3, dtype=torch.float64)
        torch.testing.assert_close(some @ x, plain[chosen] @ x)
        (gradient,) = torch.autograd.grad(((some @ x) * y).sum(), x)
        torch.testing.assert_close(gradient, plain[chosen].T @ y)


FEW_ROWS = torch.tensor([3, 170, 3, 199, 0])  # one of them twice, one of them empty


def test_few_rows_and_columns_of_a_product_are_those_of_the_dense_one():
    given = entries((200, 190), 1500, seed=6)
    sparse, plain = SparseMatrix.of(*given, (200, 190)), to_dense(*given, (200, 190))
    rng = torch.Generator().manual_seed(0)
    x, values = (torch.randn(n, 3, dtype=torch.float64, generator=rng) for n in (190, 5))
    columns = FEW_ROWS.clamp(max=189)
    assert len(FEW_ROWS) * FEW < min(sparse.shape), "the branch of few"
    torch.testing.assert_close(sparse.multiply_rows(FEW_ROWS, x), (plain @ x)[FEW_ROWS])
    table = torch.zeros(190, 3, dtype=torch.float64)
    for column, value in zip(columns.tolist(), values, strict=True):
        table[column] += value
    torch.testing.assert_close(sparse.multiply_columns(columns, values), plain @ table)
    nobody = torch.zeros(0, dtype=torch.int64)
    assert sparse.multiply_rows(nobody, x).shape == (0, 3)
    torch.testing.assert_close(sparse.multiply_columns(nobody, values[:0]), torch.zeros(200, 3, dtype=torch.float64))
