"""EASE with text against a ridge regression, item by item, over users and features."""

import pytest
import torch

from viral.base.errors import UsageError
from worlds import World, dense, random_world, small_model

SOURCES = {
    "text only": ({}, {"text": 1.0}),
    "both": ({"visual": "image"}, {"image": 0.3, "text": 0.7}),
    "picture only": ({"text": None, "visual": "image"}, {"image": 1.0}),
}


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)


@pytest.mark.parametrize(("reg_weight", "feature_weight"), [(0.5, 3.0), (20.0, 50.0)])
@pytest.mark.parametrize(("settings", "shares"), SOURCES.values(), ids=SOURCES)
def test_a_ridge_regression_of_every_item_on_the_others(settings, shares, reg_weight, feature_weight, world):
    numbers = {"reg_weight": reg_weight, "feature_weight": feature_weight, "visual_weight": 0.3}
    model = small_model("easetext", world, **numbers, **settings)
    taken = dense(world.split.train)
    rows = [taken]
    for modality, share in shares.items():
        x = world.inputs.features[modality].double()
        rows.append((feature_weight * share) ** 0.5 * (x / (x * x).sum(1, keepdim=True) ** 0.5).T)  # (F, I)
    z = torch.cat(rows)
    expected = torch.zeros(18, 18, dtype=torch.float64)
    for j in range(18):
        others = [i for i in range(18) if i != j]
        gram = z[:, others].T @ z[:, others] + reg_weight * torch.eye(17, dtype=torch.float64)
        expected[others, j] = torch.linalg.solve(gram, z[:, others].T @ z[:, j])
    torch.testing.assert_close(model.weights.double(), expected, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(model.score(torch.arange(30)).double(), taken @ expected, rtol=1e-3, atol=1e-5)


def test_without_weight_it_is_ease(world):
    users = torch.arange(30)
    alone = small_model("easetext", world, feature_weight=0.0, reg_weight=5.0).score(users)
    assert torch.equal(alone, small_model("ease", world, reg_weight=5.0).score(users))
    assert not torch.allclose(small_model("easetext", world, reg_weight=5.0).score(users), alone)


@pytest.mark.parametrize("settings", [{"feature_weight": -1.0}, {"visual_weight": 1.1}, {"reg_weight": -1e6}])
def test_a_setting_out_of_range_is_refused(settings, world):
    with pytest.raises(UsageError, match=next(iter(settings))):
        small_model("easetext", world, **settings)
