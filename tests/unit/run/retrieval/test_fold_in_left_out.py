"""The strength of the rule that folds newcomers in, against fitting again without each user."""

import pytest
import torch
from torch import Tensor

from viral.run.retrieval.fold_in import STRENGTHS, _ridge

USERS, WIDTH = 60, 10


def solved(h: Tensor, rest: Tensor, penalty: Tensor) -> Tensor:
    return torch.linalg.solve(h.T @ h + penalty * torch.eye(h.shape[1], dtype=h.dtype), h.T @ rest)


def left_out(h: Tensor, rest: Tensor, penalty: Tensor) -> Tensor:
    """The squared error over users, each foretold by a rule that was learnt without them."""
    others = [torch.arange(len(h)) != user for user in range(len(h))]
    found = [h[user] @ solved(h[kept], rest[kept], penalty) for user, kept in enumerate(others)]
    return (torch.stack(found) - rest).square().sum()


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0, 3.0, 30.0])
def test_the_strength_is_the_one_that_foretells_users_left_out_best(noise: float) -> None:
    rng = torch.Generator().manual_seed(0)
    h = torch.randn(USERS, 2 * WIDTH, generator=rng, dtype=torch.float64)
    map_ = torch.randn(2 * WIDTH, WIDTH, generator=rng, dtype=torch.float64) / 4
    users = h @ map_ + h[:, :WIDTH] + noise * torch.randn(USERS, WIDTH, generator=rng, dtype=torch.float64)
    first = h[:, :WIDTH]
    start = torch.cat([torch.eye(WIDTH), torch.zeros(WIDTH, WIDTH)]).double() * (first * users).sum() / (first**2).sum()
    rest, size = users - h @ start, torch.linalg.eigvalsh(h.T @ h).mean()
    errors = torch.stack([left_out(h, rest, strength * size) for strength in STRENGTHS])
    chosen = STRENGTHS[int(errors.argmin())]
    torch.testing.assert_close(_ridge(h, users), start + solved(h, rest, chosen * size), rtol=1e-6, atol=1e-8)
    assert (chosen == STRENGTHS[0]) == (noise == 0), "noise asks for a strength"
