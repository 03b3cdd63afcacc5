"""Full-ranking evaluation: who is ranked, what is masked, and how much memory it may take."""

import pytest
import torch

from viral.base.errors import DataError
from viral.data.interactions import Interactions
from viral.evaluation import evaluate, top_items
from worlds import interactions, random_world

SCORES = torch.tensor(
    [
        [9.0, 8, 7, 6, 5],
        [1.0, 2, 3, 4, 5],
        [5.0, 4, 9, 8, 7],
    ]
)


class Table:
    """A scorer that reads a table and remembers what it was asked."""

    def __init__(self, scores: torch.Tensor) -> None:
        self.scores, self.blocks = scores, []

    def __call__(self, users: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        self.blocks.append((len(users), out is not None))
        return self.scores[users] if out is None else out.copy_(self.scores[users])


def ranked(seen: Interactions | None, k: int, scores: torch.Tensor = SCORES) -> list[list[int]]:
    users = torch.arange(len(scores))
    return torch.cat(list(top_items(Table(scores), users, seen, k))).tolist()


def test_the_best_items_first_without_what_was_seen():
    assert ranked(None, 2) == [[0, 1], [4, 3], [2, 3]]
    assert ranked(interactions([(0, 0), (0, 2), (2, 3)], 3, 5), 2) == [[1, 3], [4, 3], [2, 4]]


def test_a_user_with_fewer_unseen_items_has_places_left_over():
    seen = interactions([(0, 0), (0, 1), (0, 2), (0, 4)] + [(2, i) for i in range(5)], 3, 5)
    assert ranked(seen, 3) == [[3, -1, -1], [4, 3, 2], [-1, -1, -1]]


def test_asking_for_more_than_there_is():
    assert ranked(None, 99)[1] == [4, 3, 2, 1, 0]


def test_nobody_to_rank_for():
    assert list(top_items(Table(SCORES), torch.zeros(0, dtype=torch.int64), None, 3)) == []


def test_the_scores_are_not_changed():
    before = SCORES.clone()
    ranked(interactions([(0, 0), (1, 4)], 3, 5), 3)
    assert torch.equal(SCORES, before)


def test_by_hand():
    held_out = interactions([(0, 1), (0, 4), (2, 0)], 3, 5)
    seen = interactions([(0, 0), (1, 4), (2, 2), (2, 3)], 3, 5)
    metrics = evaluate(Table(SCORES), held_out, seen, cutoffs=(1, 3))
    assert metrics.users.tolist() == [0, 2]  # user 1 has nothing held out
    assert metrics.per_user["recall@1"].tolist() == [0.5, 0.0]  # ranked: 1 2 3 | 4 0 1
    assert metrics.per_user["recall@3"].tolist() == [0.5, 1.0]
    assert metrics.per_user["precision@3"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert metrics.per_user["ndcg@3"].tolist() == pytest.approx([1 / (1 + 0.6309297535714575), 0.6309297535714575])
    assert metrics.coverage == {"coverage@1": 2 / 5, "coverage@3": 1.0}
    mean = metrics.mean()
    assert mean["recall@3"] == 0.75 and mean["hit_rate@1"] == 0.5 and mean["coverage@1"] == 0.4


def test_the_published_protocol_keeps_validation_items_in_the_ranking():
    held_out, train = interactions([(0, 2)], 3, 5), interactions([(0, 0)], 3, 5)
    valid = interactions([(0, 1)], 3, 5)
    published = evaluate(Table(SCORES), held_out, train, cutoffs=(1,))
    both = evaluate(Table(SCORES), held_out, train.union(valid), cutoffs=(1,))
    assert (published.mean()["recall@1"], both.mean()["recall@1"]) == (0.0, 1.0)


def test_what_was_seen_is_never_a_hit_nor_counted_as_shown():
    everything = interactions([(0, i) for i in range(4)], 3, 5)
    metrics = evaluate(Table(SCORES), interactions([(0, 3), (0, 4)], 3, 5), everything, cutoffs=(5,))
    assert metrics.per_user["recall@5"].tolist() == [0.5]
    assert metrics.coverage == {"coverage@5": 1 / 5}


def test_a_place_left_over_is_no_hit_of_the_user_before():
    seen = interactions([(1, i) for i in range(1, 5)], 3, 5)
    metrics = evaluate(Table(SCORES), interactions([(0, 4), (1, 2)], 3, 5), seen, cutoffs=(3,))
    assert metrics.per_user["recall@3"].tolist() == [0.0, 0.0]


def test_a_pair_held_out_twice_counts_once():
    once = evaluate(Table(SCORES), interactions([(1, 4), (1, 0)], 3, 5), interactions([], 3, 5))
    twice = evaluate(Table(SCORES), interactions([(1, 0), (1, 4), (1, 0)], 3, 5), interactions([], 3, 5))
    assert once.mean() == twice.mean()


def test_fewer_items_than_the_cutoff():
    metrics = evaluate(Table(SCORES), interactions([(1, 4), (1, 0)], 3, 5), interactions([], 3, 5), cutoffs=(2, 20))
    assert metrics.per_user["recall@2"].tolist() == [0.5]
    assert metrics.per_user["recall@20"].tolist() == [1.0]
    assert metrics.per_user["precision@20"].tolist() == [0.1]
    assert metrics.coverage["coverage@20"] == 1.0


def test_nothing_held_out_is_an_error():
    with pytest.raises(DataError, match="nothing is held out"):
        evaluate(Table(SCORES), interactions([], 3, 5), interactions([], 3, 5))


@pytest.mark.parametrize("rows_a_block", [1, 3, 7, 1000])
def test_blocks_change_nothing_and_bound_the_memory(rows_a_block):
    split = random_world(40, 23, 0.2, seed=6).split
    scores = torch.randn(40, 23, generator=torch.Generator().manual_seed(0))
    whole = evaluate(Table(scores), split.test, split.train)
    table = Table(scores)
    blocked = evaluate(table, split.test, split.train, block_bytes=rows_a_block * 23 * 4 + 3)
    assert torch.equal(blocked.users, whole.users)
    assert blocked.mean() == whole.mean()
    assert all(torch.equal(blocked.per_user[name], values) for name, values in whole.per_user.items())
    probe, *asked = table.blocks
    assert probe[0] == 1
    assert max(rows for rows, _ in asked) <= rows_a_block and all(buffered for _, buffered in asked)
    assert sum(rows for rows, _ in asked) == len(whole.users)


def test_a_scorer_in_double_is_ranked_in_double():
    scores = SCORES.double()
    scores[0, 1] = scores[0, 0] + 1e-12  # a difference that single precision would lose
    assert ranked(None, 2, scores)[0] == [1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_against_a_loop_over_users(seed):
    split = random_world(30, 25, 0.2, seed=seed).split
    scores = torch.randn(30, 25, generator=torch.Generator().manual_seed(seed))
    metrics = evaluate(Table(scores), split.test, split.train, cutoffs=(4,))
    recalls = []
    for user in range(30):
        relevant = set(split.test.items[split.test.users == user].tolist())
        seen = set(split.train.items[split.train.users == user].tolist())
        if relevant:
            order = [i for i in sorted(range(25), key=lambda i: -scores[user, i].item()) if i not in seen][:4]
            recalls.append(len(relevant & set(order)) / len(relevant))
    assert metrics.per_user["recall@4"].tolist() == pytest.approx(recalls)
