"""Sparse item-item weights against the same in a dense table."""

import pytest
import torch

from viral.graph import SparseMatrix
from viral.models import HistoryScorer, SparseHistoryScorer
from viral.models.scorers import SparseTable, item_weights

USERS, ITEMS = 9, 14


def weights() -> torch.Tensor:
    """Row 3 says nothing, nothing is said for column 5, and row 0 says something for all others."""
    rng = torch.Generator().manual_seed(0)
    table = torch.randn(ITEMS, ITEMS, generator=rng) * (torch.rand(ITEMS, ITEMS, generator=rng) < 0.3)
    table[0] = torch.linspace(-1, 1, ITEMS)
    table[3], table[:, 5] = 0, 0
    return table


def pair() -> tuple[HistoryScorer, SparseHistoryScorer]:
    """User 2 took nothing, user 4 everything."""
    taken = torch.rand(USERS, ITEMS, generator=torch.Generator().manual_seed(1)) < 0.3
    taken[2], taken[4] = False, True
    offsets = torch.nn.functional.pad(taken.sum(dim=1).cumsum(0), (1, 0))
    table, items = weights(), taken.nonzero()[:, 1]
    rows, columns = table.nonzero(as_tuple=True)
    sparse = SparseMatrix.of(rows, columns, table[rows, columns], (ITEMS, ITEMS))
    return HistoryScorer(offsets, items, table), SparseHistoryScorer(offsets, items, sparse)


@pytest.mark.parametrize("entries", [1, 13, 1 << 20])
@pytest.mark.parametrize("users", [[0, 1, 2, 3, 4, 5, 6, 7, 8], [4, 4, 0], [2], [2, 2, 1], []], ids=str)
def test_scores(users: list[int], entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_weights, "BLOCK_ENTRIES", entries)
    dense, sparse = pair()
    asked = torch.tensor(users, dtype=torch.int64)
    expected = dense(asked)
    torch.testing.assert_close(sparse(asked), expected)
    room = torch.full((len(users), ITEMS + 3), 7.0)[:, :ITEMS]  # as full ranking gives it: rows apart
    assert sparse(asked, out=room) is room
    torch.testing.assert_close(room, expected)
    assert (sparse.num_users, sparse.num_items) == (USERS, ITEMS)


def test_no_more_weights_are_picked_out_at_once_than_a_block_and_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_weights, "BLOCK_ENTRIES", 20)
    _, sparse = pair()
    sizes, rows = [], SparseMatrix.rows
    monkeypatch.setattr(
        SparseMatrix, "rows", lambda self, chosen: [m := rows(self, chosen), sizes.append(len(m.values))][0]
    )
    sparse(torch.arange(USERS))
    assert len(sizes) > 3 and max(sizes) <= 20 + ITEMS


def test_one_person() -> None:
    dense, sparse = pair()
    for taken in ([], [3], [0, 7, 2]):
        some = torch.tensor(taken, dtype=torch.int64)
        torch.testing.assert_close(sparse.sums(some), dense.weights[some].sum(dim=0))
        asked = torch.tensor([5, 1, 0, 1])
        torch.testing.assert_close(sparse.between(some, asked), dense.between(some, asked))
        assert dense.between(some, asked).shape == (len(taken), 4)
    for user in (0, 2, 4):
        assert sparse.split(user, 6)["score"] == pytest.approx(dense.split(user, 6)["score"], abs=1e-6)


def test_a_table_of_which_rows_become_dense() -> None:
    dense, sparse = pair()
    table, expected = sparse.item_vectors, dense.weights.T
    assert table.shape == (ITEMS, ITEMS) and len(table) == ITEMS
    assert torch.equal(table[3], expected[3])
    grid, some = torch.tensor([[0, 5, 5], [13, 0, 2]]), torch.arange(ITEMS) % 3 == 0
    assert torch.equal(table[grid], expected[grid]) and torch.equal(table[some], expected[some])
    assert table[grid[:0]].shape == (0, 3, ITEMS)
    vector = torch.linspace(-2, 3, ITEMS)
    torch.testing.assert_close(table @ vector, expected @ vector)
    torch.testing.assert_close(table @ vector.reshape(-1, 1).repeat(1, 3), (expected @ vector)[:, None].repeat(1, 3))
    torch.testing.assert_close(table.norms(), expected.norm(dim=1))
    wide = SparseMatrix.of(torch.tensor([1]), torch.tensor([4]), torch.tensor([2.0]), (3, 5))
    assert SparseTable(wide)[torch.tensor([1, 0])].tolist() == [[0, 0, 0, 0, 2], [0, 0, 0, 0, 0]]
