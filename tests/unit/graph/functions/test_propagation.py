"""Propagation against powers of the dense matrix."""

import pytest
import torch

from viral import graph
from viral.data.interactions import Interactions
from viral.graph import SparseMatrix
from viral.graph.functions import embedding, propagate_mean, propagate_mean_rows, propagate_sum


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


def bipartite(num_users: int, num_items: int) -> graph.Bipartite:
    rng = torch.Generator().manual_seed(2)
    users = torch.randint(num_users, (3 * num_users,), generator=rng)
    items = torch.randint(num_items, (3 * num_users,), generator=rng)
    return graph.bipartite_adjacency(Interactions(users, items, num_users, num_items)).double()


def dense_of(sparse: SparseMatrix) -> torch.Tensor:
    rows, columns, values = sparse.entries()
    return torch.zeros(sparse.shape, dtype=values.dtype).index_put_((rows, columns), values, accumulate=True)


@pytest.mark.parametrize("num_layers", [0, 1, 2, 3])
def test_a_bipartite_graph_is_multiplied_by_halves(num_layers):
    sparse = bipartite(9, 5)
    powers = sum(torch.linalg.matrix_power(dense_of(sparse), layer) for layer in range(num_layers + 1))
    x = torch.randn(14, 3, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(propagate_sum(sparse, x, num_layers), powers @ x)
    torch.testing.assert_close(sparse @ x, dense_of(sparse) @ x)
    assert torch.autograd.gradcheck(lambda nodes: propagate_mean(sparse, nodes, num_layers), x)


@pytest.mark.parametrize("num_users", [9, 300], ids=["whole last layer", "some rows of the last layer"])
@pytest.mark.parametrize("num_layers", [0, 1, 2, 3])
def test_some_rows_of_the_mean(num_layers, num_users):
    sparse, num_items = bipartite(num_users, 7), 7
    users, items = torch.tensor([3, 0, 3, 8]), torch.tensor([6, 6, 1])
    nodes = torch.cat([users, items + num_users])
    x = torch.randn(num_users + num_items, 3, dtype=torch.float64, requires_grad=True)
    means, own = propagate_mean_rows(sparse, x.tensor_split([num_users]), num_layers, (users, items))
    plain = propagate_mean(sparse, x, num_layers)
    torch.testing.assert_close(torch.cat(means), plain[nodes])
    assert torch.equal(torch.cat(own), x[nodes])
    weights = torch.randn(2, 7, 3, dtype=torch.float64)
    (found,) = torch.autograd.grad((torch.cat(means) * weights[0] + torch.cat(own) * weights[1]).sum(), x)
    (wanted,) = torch.autograd.grad((plain[nodes] * weights[0] + x[nodes] * weights[1]).sum(), x)
    torch.testing.assert_close(found, wanted)


def test_some_rows_of_a_graph_of_one_block():
    sparse, _ = matrix(symmetric=False)
    rows = torch.tensor([6, 2, 2])
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    (means,), (own,) = propagate_mean_rows(sparse, (x,), 2, (rows,))
    plain = propagate_mean(sparse, x, 2)[rows]
    torch.testing.assert_close(means, plain)
    (found,) = torch.autograd.grad(means.square().sum() + own.sum(), x)
    (wanted,) = torch.autograd.grad(plain.square().sum() + x[rows].sum(), x)
    torch.testing.assert_close(found, wanted)


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
