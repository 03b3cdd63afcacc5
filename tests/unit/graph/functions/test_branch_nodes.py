"""Tables of all nodes against concatenations written out, gradients included."""

import pytest
import torch
import torch.nn.functional as F

from viral.graph.functions import branch_nodes as nodes
from viral.graph.functions.branch_nodes import branch_nodes, weigh_users


def tables(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Users (2, 7, 3) and items (5, 3) of two branches."""
    g = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(*n, 3, dtype=torch.float64, generator=g, requires_grad=True) for n in ((2, 7), (5,), (5,)))


@pytest.mark.parametrize("block_rows", [2, 5, 100])
def test_branch_nodes_are_normalised_concatenations(block_rows, monkeypatch):
    monkeypatch.setattr(nodes, "BLOCK_ROWS", block_rows)
    users, *items = tables()
    plain = torch.cat([F.normalize(torch.cat(pair), dim=1) for pair in zip(users, items, strict=True)], dim=1)
    ours = branch_nodes(users, *items)
    torch.testing.assert_close(ours, plain)
    weight = torch.randn(plain.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gradients = [torch.autograd.grad((weight * y).sum(), (users, *items)) for y in (ours, plain)]
    torch.testing.assert_close(*gradients)


def test_a_row_of_zeros_stays_one():
    users, *items = (x.detach().clone() for x in tables())
    users[1, 3] = 0
    users.requires_grad_()
    made = branch_nodes(users, *items)
    made.square().sum().backward()
    assert made[3, 3:].abs().max() == 0 and made.isfinite().all() and users.grad.isfinite().all()


def test_users_are_weighed_branch_by_branch_and_items_are_not():
    users, *items = tables()
    x = branch_nodes(users, *items).detach().requires_grad_()
    weights = torch.randn(7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    every = torch.cat([weights, weights.new_ones(5, 2)]).repeat_interleave(3, dim=1)
    torch.testing.assert_close(weigh_users(x, weights), x * every)
    assert torch.autograd.gradcheck(weigh_users, (x, weights))
