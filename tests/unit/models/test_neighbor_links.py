"""The links of all nodes against the two graphs, dense."""

import pytest
import torch

from viral.graph import SparseMatrix
from viral.models.viral.neighbor_links import Links, with_self


def drawn(size: int, seed: int) -> SparseMatrix:
    """A sparse matrix with an empty row and a full one."""
    g = torch.Generator().manual_seed(seed)
    there = torch.rand(size, size, generator=g) < 0.4
    there[1], there[2] = False, True
    rows, columns = there.nonzero().T
    return SparseMatrix.of(rows, columns, torch.rand(len(rows), generator=g), (size, size))


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
@pytest.mark.parametrize("with_users", [True, False])
@pytest.mark.parametrize("with_items", [True, False])
def test_links_are_both_graphs_and_the_nodes_themselves(with_users, with_items, precision):
    of_users, of_items = drawn(5, 0).to(precision), drawn(4, 1).to(precision)
    dense = torch.eye(9, dtype=precision)
    if with_users:
        dense[:5, :5] = (dense[:5, :5] + of_users.to_torch().to_dense()) / 2
    if with_items:
        dense[5:, 5:] += of_items.to_torch().to_dense()
    users = with_self(of_users, 0.5) if with_users else with_self(SparseMatrix.empty(5))
    both = Links(users, of_items if with_items else SparseMatrix.empty(4))().to(precision)
    x = torch.randn(9, 3, dtype=precision, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(both @ x, dense @ x)
    chosen = torch.tensor([8, 0, 2, 8])
    torch.testing.assert_close(both.rows(chosen) @ x, dense[chosen] @ x)
