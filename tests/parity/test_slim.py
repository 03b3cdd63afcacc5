"""SLIM against a plain coordinate descent and an elastic net over all items, and the limits that it keeps."""

import numpy as np
import pytest
import torch

from viral.base.errors import UsageError
from worlds import World, dense, random_world, small_model

STRENGTHS = [(5.0, 0.5), (0.5, 0.1), (0.0, 1.0), (3.0, 2.0)]


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(60, 18, 0.25, seed=3)


def weights_of(world: World, reg_weight: float, l1_weight: float) -> np.ndarray:
    model = small_model("slim", world, reg_weight=reg_weight, l1_weight=l1_weight)
    weights = model.weights.to_torch().to_dense()
    scores = model.score(torch.arange(60)).double()
    torch.testing.assert_close(scores, dense(world.split.train) @ weights.double(), rtol=1e-5, atol=1e-5)
    return weights.numpy()


@pytest.mark.parametrize(("reg_weight", "l1_weight"), STRENGTHS)
def test_coordinate_descent(reg_weight, l1_weight, world):
    x = dense(world.split.train).numpy()
    gram = x.T @ x
    expected = np.zeros((18, 18))
    for j in range(18):
        w = expected[:, j]
        for _ in range(300):
            for i in set(range(18)) - {j}:
                rest = gram[i, j] - gram[i] @ w + gram[i, i] * w[i] - l1_weight
                w[i] = max(0.0, rest) / (gram[i, i] + reg_weight)
    np.testing.assert_allclose(weights_of(world, reg_weight, l1_weight), expected, atol=1e-4)
    assert (expected == 0).sum() > 18  # some of them are at the limit, beside the diagonal


@pytest.mark.parametrize(("reg_weight", "l1_weight"), STRENGTHS)
def test_no_item_is_left_out_that_counts(reg_weight, l1_weight, world):
    """The elastic net over all other items, not only those that more than λ users took with it."""
    linear = pytest.importorskip("sklearn.linear_model")
    x, total = dense(world.split.train).numpy(), reg_weight + l1_weight
    net = linear.ElasticNet(
        alpha=total / len(x), l1_ratio=l1_weight / total, positive=True, fit_intercept=False, tol=1e-10, max_iter=10**5
    )
    expected = np.zeros((18, 18))
    for j in range(18):
        others = [i for i in range(18) if i != j]
        expected[others, j] = net.fit(x[:, others], x[:, j]).coef_
    np.testing.assert_allclose(weights_of(world, reg_weight, l1_weight), expected, atol=1e-4)


def test_a_strong_l1_leaves_nothing_and_none_at_all_is_refused(world):
    assert not weights_of(world, 1.0, 60.0).any()
    with pytest.raises(UsageError, match="l1_weight"):
        small_model("slim", world, l1_weight=0.0)


def test_items_that_are_not_solved_are_told(world, monkeypatch, capsys):
    monkeypatch.setattr("viral.models.baselines.slim.MAX_SWEEPS", 1)
    weights_of(world, 0.5, 0.1)
    assert "items of 18 were not solved to the end in 1 sweeps of SLIM" in capsys.readouterr().err
