"""What one modality does not predict of another: leave-one-out in closed form against refitting without each item."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from viral.models.viral.features import STRENGTHS, unexplained


def refitted(v: Tensor, t: Tensor, strength: float) -> Tensor:
    """Each row less its prediction by a ridge (with a free constant) fitted to the other rows."""
    t = t - t.mean(dim=0)
    errors = []
    for left_out in range(len(v)):
        rest = torch.arange(len(v)) != left_out
        x = torch.cat([t[rest], torch.ones(len(v) - 1, 1, dtype=t.dtype)], dim=1)
        penalty = strength * len(v) / 100 * torch.eye(x.shape[1], dtype=t.dtype)
        penalty[-1, -1] = 0
        weights = torch.linalg.solve(x.T @ x + penalty, x.T @ v[rest])
        errors.append(v[left_out] - torch.cat([t[left_out], torch.ones(1, dtype=t.dtype)]) @ weights)
    return torch.stack(errors)


@pytest.mark.parametrize("noise", [0.05, 5.0])
def test_errors_are_those_of_models_that_never_saw_the_item(noise):
    g = torch.Generator().manual_seed(1)
    t = torch.randn(40, 3, generator=g, dtype=torch.float64)
    v = t @ torch.randn(3, 5, generator=g, dtype=torch.float64)
    v = v + noise * torch.randn(40, 5, generator=g, dtype=torch.float64)
    by_strength = {s: refitted(v, t, s) for s in STRENGTHS}
    best = min(by_strength, key=lambda s: float(by_strength[s].square().mean()))
    found = unexplained(v, t, torch.ones(40, dtype=torch.bool))
    torch.testing.assert_close(found, F.normalize(by_strength[best], dim=1), rtol=1e-6, atol=1e-8)


def test_what_the_other_predicts_is_gone_and_what_it_does_not_stays():
    g = torch.Generator().manual_seed(2)
    t, own = torch.randn(300, 2, generator=g), torch.randn(300, 1, generator=g)
    v = torch.cat([3 * t, 0.1 * t[:, :1] + own], dim=1)
    found = unexplained(v, t, torch.ones(300, dtype=torch.bool))
    weight = found.square().mean(dim=0)
    assert weight[2] > 0.99
    assert abs(torch.corrcoef(torch.stack([found[:, 2], own.squeeze(1)]))[0, 1]) > 0.5


def test_absent_items_are_zero_and_are_not_fitted():
    g = torch.Generator().manual_seed(3)
    t, v = torch.randn(50, 2, generator=g), torch.randn(50, 4, generator=g)
    present = torch.arange(50) >= 5
    wild = v.clone()
    wild[:5] = 1e6
    found = unexplained(wild, t, present)
    assert not found[:5].any()
    torch.testing.assert_close(found[5:], unexplained(v[5:], t[5:], present[5:]))


def test_an_item_without_the_predicting_modality_keeps_all_of_it():
    g = torch.Generator().manual_seed(4)
    t, v = torch.randn(50, 2, generator=g), torch.randn(50, 4, generator=g)
    t[0] = 0
    found = unexplained(v, t, torch.ones(50, dtype=torch.bool))
    torch.testing.assert_close(found[0], F.normalize(v[0] - v.mean(dim=0), dim=0))


def test_two_items_are_too_few_to_predict_by():
    v = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    found = unexplained(v, torch.eye(2), torch.ones(2, dtype=torch.bool))
    torch.testing.assert_close(found, F.normalize(v - v.mean(dim=0), dim=1))
