"""The softmax over items against its formula written out with plain autograd."""

import math

import pytest
import torch
from torch import Tensor

from viral.graph.functions.softmax import softmax_loss

USERS, ITEMS, DIM, TAU = 5, 12, 4, 0.3
HISTORIES = ((0, 3, 7), (1,), (2, 11, 5, 6), (7, 8), (0, 1))


def tables() -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(3)
    draws = (torch.randn(n, DIM, generator=g, dtype=torch.float64) for n in (USERS, ITEMS))
    users, items = (torch.nn.functional.normalize(x, dim=1).requires_grad_() for x in draws)
    return users, items


def pairs() -> tuple[Tensor, Tensor]:
    found = [(row, item) for row, history in enumerate(HISTORIES) for item in history]
    return torch.tensor([row for row, _ in found]), torch.tensor([item for _, item in found])


def written_out(users: Tensor, items: Tensor, candidates: list[int]) -> Tensor:
    terms = []
    for row, history in enumerate(HISTORIES):
        powers = {j: torch.exp(users[row] @ items[j] / TAU) for j in range(ITEMS)}
        others = sum(powers[j] for j in candidates if j not in history) * (ITEMS / len(candidates))
        terms += [-torch.log(powers[i] / (powers[i] + others)) for i in history]
    return torch.stack(terms).mean()


@pytest.mark.parametrize("candidates", [None, [0, 2, 3, 9, 10, 7]])
def test_value_and_gradients_are_the_formulas(candidates):
    users, items = tables()
    drawn = None if candidates is None else torch.tensor(candidates)
    ours = softmax_loss(users, items, *pairs(), TAU, candidates=drawn)
    plain = written_out(users, items, candidates or list(range(ITEMS)))
    torch.testing.assert_close(ours, plain)
    for found, wanted in zip(
        torch.autograd.grad(3 * ours, (users, items)), torch.autograd.grad(3 * plain, (users, items)), strict=True
    ):
        torch.testing.assert_close(found, wanted)


def test_a_user_whose_items_are_all_the_candidates_is_finite():
    users, items = tables()
    loss = softmax_loss(users, items, *pairs(), TAU, candidates=torch.tensor([1]))
    gradients = torch.autograd.grad(loss, (users, items))
    assert math.isfinite(loss.item()) and all(g.isfinite().all() for g in gradients)
