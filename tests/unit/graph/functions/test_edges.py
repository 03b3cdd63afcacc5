"""Edges with learnt weights, against dense matrices."""

import pytest
import torch

from viral.graph.functions.edges import Edges

ROWS = torch.tensor([0, 0, 0, 2, 2, 3])
COLUMNS = torch.tensor([1, 4, 0, 4, 2, 1])  # row 1 and column 3 have none
SHAPE = (4, 5)


@pytest.fixture
def edges() -> Edges:
    return Edges(ROWS, COLUMNS, SHAPE)


def draw(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


def matrix(weights: torch.Tensor) -> torch.Tensor:
    return torch.zeros(SHAPE, dtype=torch.float64).index_put((ROWS, COLUMNS), weights)


def test_dot_is_the_product_of_the_ends(edges):
    a, b = draw(4, 3), draw(5, 3)
    torch.testing.assert_close(edges.dot(a, b), (a @ b.T)[ROWS, COLUMNS])
    assert torch.autograd.gradcheck(edges.dot, (a, b))


def test_sum_is_a_matrix_product(edges):
    weights, x = draw(6), draw(5, 3)
    torch.testing.assert_close(edges.sum(weights, x), matrix(weights) @ x)
    assert torch.autograd.gradcheck(edges.sum, (weights, x))


def test_softmax_is_over_a_row(edges):
    logits = draw(6)
    expected = [logits[row == ROWS].softmax(0) for row in (0, 2, 3)]
    torch.testing.assert_close(edges.softmax(logits), torch.cat(expected))
    assert torch.autograd.gradcheck(edges.softmax, (logits,))
    assert edges.softmax(logits * 1e4).isfinite().all()


def test_laplacian_scales_by_row_sums_on_both_sides():
    rows, columns = torch.tensor([0, 0, 1, 2, 2]), torch.tensor([0, 2, 1, 2, 0])
    edges, w = Edges(rows, columns, (3, 3)), torch.tensor([1.0, 0.5, 1.0, 1.0, 0.2], dtype=torch.float64)
    degrees = torch.tensor([1.5, 1.0, 1.2], dtype=torch.float64)
    torch.testing.assert_close(edges.laplacian(w), w / (degrees[rows] * degrees[columns]).sqrt())


def test_gradients_reach_only_what_asks_for_them(edges):
    weights, x = draw(6), draw(5, 3).detach()
    edges.sum(weights, x).sum().backward()
    assert weights.grad is not None and x.grad is None


def test_rows_out_of_order_are_refused():
    with pytest.raises(ValueError, match="sorted by row"):
        Edges(torch.tensor([1, 0]), torch.tensor([0, 0]), (2, 1))
