"""One person's scores by the quick product against the plain one."""

import pytest
import torch

from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.models import EmbeddingScorer, HistoryScorer
from viral.models.scorers import product
from viral.run.bundle import Bundle
from viral.run.retrieval import Retriever

USERS, ITEMS, K = 12, 300, 25


ROWS = torch.randn(50, 20, generator=torch.Generator().manual_seed(0))
TABLES = {
    "rows": ROWS,
    "columns": ROWS.reshape(20, 50).T,  # as the columns of item-item weights
    "every other": ROWS.repeat(1, 2)[::2, ::2],
    "one number": ROWS[:1].expand(30, 20),
    "double": ROWS.double() + 1e-12,
    "nothing": ROWS[:0],
}


@pytest.mark.parametrize("name", TABLES)
def test_the_product_is_torchs(name: str) -> None:
    table = TABLES[name]
    before, vector = table.clone(), torch.linspace(-2, 3, 20, dtype=table.dtype)
    found = product(table, vector)
    tight = {"rtol": 1e-13, "atol": 1e-13} if table.dtype == torch.float64 else {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(found, table @ vector, **tight)
    found.fill_(7.0)  # the caller's to change
    assert torch.equal(table, before)


def scorer(kind: str, seen: Interactions) -> EmbeddingScorer | HistoryScorer:
    rng = torch.Generator().manual_seed(1)
    if kind == "history":
        return HistoryScorer(*seen.rows(), torch.randn(ITEMS, ITEMS, generator=rng))
    users, items = torch.randn(USERS, 16, generator=rng), torch.randn(16, ITEMS, generator=rng).T
    return EmbeddingScorer(users, items if kind == "strided" else items.contiguous())


@pytest.mark.parametrize("kind", ["embedding", "strided", "history"])
def test_recommendations_are_the_masked_topk(kind: str) -> None:
    taken = torch.rand(USERS, ITEMS, generator=torch.Generator().manual_seed(2)) < 0.3
    seen = Interactions(*taken.nonzero(as_tuple=True), USERS, ITEMS)
    made = scorer(kind, seen)
    users = Vocabulary([f"u{n}" for n in range(USERS)], "user")
    items = Vocabulary([f"i{n}" for n in range(ITEMS)], "item")
    retriever = Retriever(Bundle(made, users, items, ("",) * ITEMS, seen, {}))
    best = made(torch.arange(USERS)).masked_fill(taken, -torch.inf).topk(K)
    for user in range(USERS):
        found = retriever.recommend(f"u{user}", K)
        assert [r.item_id for r in found] == [f"i{item}" for item in best.indices[user].tolist()]
        assert [r.score for r in found] == pytest.approx(best.values[user].tolist(), rel=1e-4, abs=1e-5)
