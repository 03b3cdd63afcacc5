"""iALS against alternating solves user by user and item by item, and its loss as the paper writes it."""

import numpy as np
import pytest
import torch

from viral.base.errors import UsageError
from worlds import World, dense, interactions, random_world, small_model

DIM, ALPHA, LAMBDA = 5, 0.3, 0.02


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)  # users took 1 to 8 items: fewer and more than DIM


def model_of(world: World, sweeps: int, exponent: float, seed: int = 0):
    numbers = {"embedding_dim": DIM, "unobserved_weight": ALPHA, "reg_weight": LAMBDA, "reg_exponent": exponent}
    return small_model("ials", world, seed, num_sweeps=sweeps, init_std=0.5, **numbers)


def weights(taken: np.ndarray, exponent: float) -> np.ndarray:
    """λ_u of every row of (U, I)."""
    return LAMBDA * (taken.sum(1) + ALPHA * taken.shape[1]) ** exponent


def side(taken: np.ndarray, others: np.ndarray, exponent: float) -> np.ndarray:
    """Row by row, the least squares over all columns: 1 + α₀ of weight and target 1/(1 + α₀) where taken."""
    rows = []
    for row, weight in zip(taken, weights(taken, exponent), strict=True):
        confidence = row + ALPHA
        left = (others * confidence[:, None]).T @ others + weight * np.eye(DIM)
        rows.append(np.linalg.solve(left, (others * row[:, None]).sum(0)))
    return np.array(rows)


@pytest.mark.parametrize(("sweeps", "exponent"), [(1, 1.0), (4, 1.0), (3, 0.0), (2, 0.5)])
def test_alternating_least_squares(sweeps, exponent, world):
    model = model_of(world, sweeps, exponent)
    taken = dense(world.split.train).numpy()
    assert taken.sum(1).min() < DIM < taken.sum(1).max() and taken.sum(0).max() > DIM
    items = (torch.randn(18, DIM, generator=torch.Generator().manual_seed(0)) * 0.5 / DIM**0.5).double().numpy()
    for _ in range(sweeps):
        users = side(taken, items, exponent)
        items = side(taken.T, users, exponent)
    np.testing.assert_allclose(model.users.numpy(), users, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(model.items.numpy(), items, rtol=1e-3, atol=1e-4)
    scores = model.score(torch.arange(30)).numpy()
    np.testing.assert_allclose(scores, users @ items.T, rtol=1e-3, atol=1e-4)


def loss(taken: np.ndarray, users: np.ndarray, items: np.ndarray) -> float:
    scores = users @ items.T
    observed = ((1 - scores[taken == 1]) ** 2).sum() + ALPHA * (scores**2).sum()
    return observed + weights(taken, 1.0) @ (users**2).sum(1) + weights(taken.T, 1.0) @ (items**2).sum(1)


def test_every_sweep_lowers_the_loss_and_the_last_is_level(world):
    taken = dense(world.split.train).numpy()
    models = [model_of(world, sweeps, 1.0) for sweeps in (1, 2, 4, 8, 60)]
    losses = [loss(taken, model.users.double().numpy(), model.items.double().numpy()) for model in models]
    assert losses == sorted(losses, reverse=True) and losses[0] > losses[-1]
    users, items = (table.double().requires_grad_() for table in (models[-1].users, models[-1].items))
    x, scores = torch.from_numpy(taken), users @ items.T
    of_users, of_items = (torch.from_numpy(weights(side_of, 1.0)) for side_of in (taken, taken.T))
    total = (x * (1 - scores) ** 2).sum() + ALPHA * (scores**2).sum()
    total = total + of_users @ (users**2).sum(1) + of_items @ (items**2).sum(1)
    total.backward()
    assert items.grad.abs().max() < 1e-4 and users.grad.abs().max() < 0.05  # of 2 and more at the start


def test_the_seed_is_the_start_and_who_took_nothing_is_at_zero():
    world = random_world(12, 9, 0.3, seed=1)
    cold = interactions([(u, i) for u, i in dense(world.split.train).nonzero().tolist() if u != 4 and i != 7], 12, 9)
    cold = World(world.split, world.tables, type(world.inputs)(cold, world.inputs.features))
    model = model_of(cold, 1, 1.0)
    assert not model.users[4].any() and not model.items[7].any() and model.users[3].any()
    assert torch.equal(model.items, model_of(cold, 1, 1.0).items)
    assert not torch.allclose(model.items, model_of(cold, 1, 1.0, seed=1).items)


def test_blocks_of_users_change_nothing(world, monkeypatch):
    whole = model_of(world, 2, 1.0)
    monkeypatch.setattr("viral.models.baselines.ials.BLOCK_ENTRIES", 1)
    torch.testing.assert_close(model_of(world, 2, 1.0).items, whole.items, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_solved_is_refused(world):
    """More dimensions than items: without a regulariser to speak of there is no one solution."""
    with pytest.raises(UsageError, match="reg_weight"):
        small_model("ials", world, embedding_dim=64, reg_weight=1e-9, init_std=10.0)
