"""Propagation against powers of the dense matrix."""

import pytest
import torch

from viral.graph import SparseMatrix
from viral.nn import embedding, propagate_mean, propagate_sum


def matrix(symmetric: bool) -> tuple[SparseMatrix, torch.Tensor]:
    plain = torch.randn(7, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    plain = torch.where(plain.abs() > 0.8, plain, 0)
    if symmetric:
        plain = plain + plain.T
    rows, columns = plain.nonzero(as_tuple=True)
    return SparseMatrix.of(rows, columns, plain[rows, columns], (7, 7), symmetric=symmetric), plain


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("num_layers", [0, 1, 2, 4])
def test_the_sum_of_powers(symmetric, num_layers):
    sparse, plain = matrix(symmetric)
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    powers = sum(torch.linalg.matrix_power(plain, layer) for layer in range(num_layers + 1))
    torch.testing.assert_close(propagate_sum(sparse, x, num_layers), powers @ x)
    torch.testing.assert_close(propagate_mean(sparse, x, num_layers), powers @ x / (num_layers + 1))
    y = torch.randn(7, 3, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((propagate_sum(sparse, x, num_layers) * y).sum(), x)
    torch.testing.assert_close(gradient, powers.T @ y)
    assert torch.autograd.gradcheck(lambda nodes: propagate_mean(sparse, nodes, num_layers), x)


@pytest.mark.parametrize("num_layers", [0, 2])
def test_the_input_is_left_alone(num_layers):
    sparse, _ = matrix(symmetric=True)
    x = torch.randn(7, 3, dtype=torch.float64)
    before = x.clone()
    propagate_sum(sparse, x, num_layers).add_(1)
    assert torch.equal(x, before)


def test_an_embedding_has_xavier_weights():
    torch.manual_seed(0)
    uniform, normal = embedding(2000, 64).weight, embedding(2000, 64, normal=True).weight
    deviation = (2 / 2064) ** 0.5
    assert uniform.abs().max().item() <= 3**0.5 * deviation + 1e-9
    assert uniform.std().item() == pytest.approx(deviation, rel=0.02)
    assert normal.std().item() == pytest.approx(deviation, rel=0.02)
    assert normal.abs().max().item() > 3**0.5 * deviation
