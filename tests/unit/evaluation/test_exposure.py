"""How the first places are shared out, and what a penalty for popularity changes."""

from dataclasses import replace

import pytest
import torch

from viral.evaluation import exposure as measuring
from viral.evaluation.exposure import LessPopular, above_average, exposure, gini
from worlds import interactions, two_tastes


def test_everybody_is_shown_the_same() -> None:
    """12 users have the same scores: each has the first three items that they have not taken."""
    split = two_tastes(12).split
    found = exposure(lambda users, out=None: -torch.arange(12.0).expand(len(users), 12).clone(), split, k=3)
    assert (found.k, found.users, found.items) == (3, 12, 12)
    shown = {
        user: [i for i in range(12) if i not in split.train.items[split.train.users == user]][:3] for user in range(12)
    }
    counts = torch.bincount(torch.tensor([item for items in shown.values() for item in items]), minlength=12)
    assert found.coverage == int(counts.count_nonzero()) / 12 < 1
    assert found.most == int(counts.max()) / 12 and found.most_item == f"i{int(counts.argmax())}"
    degrees = split.train.item_degrees().double()
    assert found.recommended == pytest.approx(float(degrees[[i for items in shown.values() for i in items]].mean()))
    assert found.taken == pytest.approx(float(degrees[split.train.items].mean()))


@pytest.mark.parametrize(
    ("counts", "value"), [([5, 5, 5, 5], 0.0), ([0, 0, 0, 8], 0.75), ([0, 0], 0.0), ([1, 3], 0.25), ([3, 1], 0.25)]
)
def test_gini(counts: list[int], value: float) -> None:
    assert gini(torch.tensor(counts)) == pytest.approx(value)


def test_without_a_test_set_others_are_ranked_for_and_of_many_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    split = two_tastes(12).split
    scores = torch.rand(12, 12, generator=torch.Generator().manual_seed(0))
    nothing = replace(split.test, users=split.test.users[:0], items=split.test.items[:0])
    for parts in (replace(split, test=nothing), replace(split, test=nothing, valid=nothing)):
        assert exposure(lambda users, out=None: scores[users].clone(), parts).users == 12
    empty = replace(split, test=nothing, valid=nothing, train=nothing)
    assert exposure(lambda users, out=None: scores[users].clone(), empty) is None
    monkeypatch.setattr(measuring, "MOST_USERS", 5)
    monkeypatch.setattr(measuring, "LEAST_USERS", 1)
    assert exposure(lambda users, out=None: scores[users].clone(), split).users == 4


def test_only_what_is_more_popular_than_the_average_pays() -> None:
    train = interactions([(user, 0) for user in range(8)] + [(0, 1), (0, 2)], 8, 4)
    found = above_average(train)
    told = torch.tensor([8.0, 1, 1, 0]).log1p()
    z = (told - told.mean()) / told.std(correction=0)
    assert torch.allclose(found, torch.tensor([float(z[0]), 0, 0, 0])) and z[0] > 0
    assert not above_average(interactions([(0, 0), (0, 1)], 1, 2)).any()
    assert not above_average(interactions([], 1, 2)).any()


def test_the_penalty_is_in_standard_deviations_of_the_users_scores() -> None:
    rows = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    made = LessPopular(lambda users, out=None: rows[users].clone(), torch.tensor([0.0, 0.0, 2.0]), 0.5)
    sigma = rows.std(dim=1, correction=0)
    wanted = rows.clone()
    wanted[:, 2] -= sigma
    assert torch.allclose(made(torch.tensor([0, 1])), wanted)
    assert rows[0, 2] == 3
