"""L3AE against its objective, minimised column by column without the column's own item."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from viral.base.errors import DataError, UsageError
from worlds import World, dense, random_world, small_model


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 12, 0.3, seed=4)


def features_alone(world: World, modalities: list[str], reg: float) -> Tensor:
    """EASE of the features: each item's column of the kernel by ridge on the other items."""
    unit = [F.normalize(world.inputs.feature(m), dim=1).double() for m in modalities]
    x = torch.cat(unit, dim=1) / len(modalities) ** 0.5
    weights = torch.zeros(12, 12, dtype=torch.float64)
    for j in range(12):
        rest = torch.arange(12) != j
        a = x[rest]
        weights[rest, j] = torch.linalg.solve(a @ a.T + reg * torch.eye(11, dtype=torch.float64), a @ x[j])
    return weights


def written_out(world: World, modalities: list[str], **n: float) -> Tensor:
    x = dense(world.split.train)
    lengths = x.sum(dim=1).clamp(min=1)
    x = x * (lengths / lengths.mean()).pow(-n["user_power"] / 2)[:, None]
    beta = n["feature_weight"] if modalities else 0.0
    target = features_alone(world, modalities, n["feature_reg"]) if modalities else torch.zeros(12, 12)
    penalty = n["reg_weight"] + n["dropout"] / (1 - n["dropout"]) * x.square().sum(dim=0)
    weights = torch.zeros(12, 12, dtype=torch.float64)
    for j in range(12):
        rest = torch.arange(12) != j
        a = x[:, rest]
        normal = a.T @ a + torch.diag(penalty[rest]) + beta * torch.eye(11, dtype=torch.float64)
        weights[rest, j] = torch.linalg.solve(normal, a.T @ x[:, j] + beta * target[rest, j].double())
    return weights


NUMBERS = {"reg_weight": 2.0, "feature_weight": 3.0, "feature_reg": 0.5, "user_power": 0.0, "dropout": 0.0}


@pytest.mark.parametrize(
    ("numbers", "text", "visual"),
    [
        ({}, "text", None),
        ({}, "text", "image"),
        ({"user_power": 0.7}, "text", None),
        ({"dropout": 0.4}, "text", "image"),
        ({"feature_weight": 0.0}, "text", None),
    ],
)
def test_the_weights_are_the_minimum(numbers, text, visual, world):
    settings = NUMBERS | numbers
    model = small_model("l3ae", world, text=text, visual=visual, **settings)
    expected = written_out(world, [m for m in (text, visual) if m], **settings)
    torch.testing.assert_close(model.weights.double(), expected, rtol=1e-3, atol=1e-4)


def test_a_penalty_that_cannot_be_solved_for_is_said(world):
    with pytest.raises(UsageError, match="dropout = 1"):
        small_model("l3ae", world, dropout=1.0)


def test_too_many_items_are_refused(world, monkeypatch):
    monkeypatch.setattr("viral.models.families.closed_form.MAX_BYTES", 100)
    with pytest.raises(DataError, match="dense item-item matrix"):
        small_model("l3ae", world)
