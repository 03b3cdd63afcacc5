"""RP3β against walks counted by hand: item to user, user to item, damped by popularity."""

import pytest
import torch

from worlds import World, dense, random_world, small_model


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.5, 0.6), (1.4, 0.3)])
@pytest.mark.parametrize("num_neighbors", [4, 100])
def test_walks_of_three_steps(num_neighbors, alpha, beta, world):
    model = small_model("rp3beta", world, num_neighbors=num_neighbors, alpha=alpha, beta=beta)
    x = dense(world.split.train)
    out = (x.T / x.sum(0)[:, None]) ** alpha  # item to user (I, U)
    back = (x / x.sum(1).clamp(min=1)[:, None]) ** alpha  # user to item (U, I)
    walks = out @ back / x.sum(0) ** beta
    walks.fill_diagonal_(0)
    for row in walks:
        least = row.sort(descending=True).values[:num_neighbors][-1]
        row[row < least * (1 - 1e-6)] = 0
    torch.testing.assert_close(model.weights.to_torch().to_dense().double(), walks, rtol=1e-5, atol=1e-7)
    scores = model.score(torch.arange(30)).double()
    torch.testing.assert_close(scores, x @ walks, rtol=1e-5, atol=1e-6)
    once = back[:, :, None] * walks  # (U, I, I): the walks from the user on, in their three steps
    order = once.sum(1).argsort(dim=1, descending=True, stable=True)
    ranked = scores.gather(1, order)
    assert (ranked.diff() < 1e-6).all()  # in the same order, as a user's first step is the same to all
