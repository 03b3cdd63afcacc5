"""The k best by maxima of groups against ``topk`` of whole rows."""

import pytest
import torch

from viral.evaluation import best as module
from viral.evaluation.best import Columns, best, plain

INF = float("inf")


def laid_out(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, Columns]:
    columns = Columns.of(scores.shape[1], k)
    memory = columns.memory(len(scores), scores)
    memory[:, : scores.shape[1]] = scores
    return memory, columns


def check(scores: torch.Tensor, k: int) -> None:
    memory, columns = laid_out(scores, k)
    assert torch.equal(best(memory, columns, k), plain(scores, k))
    assert torch.equal(memory[:, : scores.shape[1]].nan_to_num(), scores.nan_to_num())  # they are only read


def random(rows: int, columns: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("size", "k"), [(961, 1), (1000, 20), (2048, 5), (4097, 20), (7050, 20), (7050, 50)])
def test_the_same_as_topk(size, k):
    assert Columns.of(size, k).num_maxima >= k
    check(random(37, size, seed=size + k), k)


@pytest.mark.parametrize(("size", "k"), [(5, 3), (20, 20), (900, 20), (944, 20)])
def test_few_columns_are_ordered_whole(size, k):
    assert Columns.of(size, k).num_maxima == 0
    check(random(6, size, seed=size), k)


def test_rows_without_equal_scores_are_never_ordered_whole(monkeypatch):
    scores = random(64, 3000, seed=1)
    scores[scores == scores.amax()] = INF
    scores[:, ::3] = -INF  # masked
    expected = plain(scores, 10)
    monkeypatch.setattr(module, "plain", lambda *_: pytest.fail("a whole row was ordered"))
    found = best(*laid_out(torch.cat([scores, random(1, 3000, seed=2)]), 10), 10)  # the last row may be
    assert torch.equal(found[:-1], expected)


@pytest.mark.parametrize("levels", [1, 2, 30, 500])
def test_equal_scores_come_in_the_order_of_topk(levels):
    rng = torch.Generator().manual_seed(levels)
    check(torch.randint(levels, (50, 2000), generator=rng).float() - levels // 2, 10)
    check(torch.randint(levels, (50, 2000), generator=rng) * -0.0, 10)


def test_both_zeros_are_equal():
    scores = random(40, 2000, seed=3).abs().neg()
    for first, second in ((0.0, -0.0), (-0.0, 0.0)):
        scores[:, 100], scores[:, 900] = first, second
        check(scores, 5)


def test_rows_with_little_left_and_without_numbers():
    scores = random(6, 2000, seed=4)
    scores[0] = -INF
    scores[1, 7:] = -INF
    scores[2, 10:] = -INF
    scores[3] = float("nan")
    scores[4, :1990] = -INF
    found = best(*laid_out(scores, 10), 10)
    assert torch.equal(found[[0, 1, 2, 4, 5]], plain(scores, 10)[[0, 1, 2, 4, 5]])
    assert found[0].tolist() == [-1] * 10 and found[1, 7:].tolist() == [-1] * 3


def test_crowded_groups():
    scores = random(8, 4000, seed=5)
    scores[:, 160:400] += 10  # all of the best lie side by side, in a few groups
    check(scores, 20)
    scores[:, :2000] = 9.5  # and as many equal ones as there are
    check(scores, 20)


def test_double_keeps_its_precision():
    scores = random(4, 2000, seed=6).double()
    scores[0, 1900] = scores[0].amax() + 1e-12
    assert best(*laid_out(scores, 10), 10)[0, 0] == 1900
    check(scores, 10)
