"""Ranking by groups, in blocks whose memory is used again, against ``topk`` of the whole masked table."""

import pytest
import torch

from elsewhere import There, elsewhere
from viral.data.interactions import Interactions
from viral.evaluation import top_items
from viral.evaluation.best import Columns
from viral.models import EmbeddingScorer

USERS, ITEMS, K, ROWS = 60, 2015, 20, 7  # a row in memory is one place longer than ITEMS; ROWS: users a block


def drawn(seed: int) -> tuple[EmbeddingScorer, Interactions, torch.Tensor]:
    """Whole-numbered vectors, whose products are exact in any block; what was seen is among the best of each user."""
    rng = torch.Generator().manual_seed(seed)
    users, items = (torch.randint(-1000, 1001, (n, 4), generator=rng).float() for n in (USERS, ITEMS))
    seen = torch.rand(USERS, ITEMS, generator=rng) < 0.02
    seen.scatter_(1, (users @ items.T).topk(30).indices[:, ::3], True)
    seen[1] = False
    seen[2] = True
    seen[3, 5:] = True  # five places are filled
    return EmbeddingScorer(users, items), Interactions(*seen.nonzero(as_tuple=True), USERS, ITEMS), seen


@pytest.mark.parametrize("chosen", ["everybody", "some"])
@pytest.mark.parametrize("seed", range(4))
def test_blocks_of_groups_rank_as_topk_of_the_whole_table(seed: int, chosen: str) -> None:
    scorer, seen, mask = drawn(seed)
    columns = Columns.of(ITEMS, K)
    assert columns.num_maxima and columns.width == ITEMS + 1, "a place that is no item"
    order = torch.randperm(USERS, generator=torch.Generator().manual_seed(seed))
    users = torch.arange(USERS) if chosen == "everybody" else order[:45]
    best = (scorer.users @ scorer.items.T).masked_fill(mask, -torch.inf)[users].topk(K)
    found = list(top_items(scorer, users, seen, K, block_bytes=4 * ITEMS * ROWS))
    assert [len(block) for block in found] == [len(block) for block in users.split(ROWS)]
    assert torch.equal(torch.cat(found), best.indices.masked_fill(best.values == -torch.inf, -1))


def test_the_ranking_elsewhere_is_the_same() -> None:
    scorer, seen, _ = drawn(9)
    users = torch.arange(USERS)
    expected = torch.cat(list(top_items(scorer, users, seen, K, block_bytes=4 * ITEMS * ROWS)))
    with elsewhere():
        there = EmbeddingScorer(scorer.users.to("meta"), scorer.items.to("meta"))
        found = list(top_items(there, users, seen, K, block_bytes=4 * ITEMS * ROWS))
        assert all(isinstance(block, There) for block in found)
        assert torch.equal(torch.cat(found).cpu(), expected)
