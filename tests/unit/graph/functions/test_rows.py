"""Unit rows and rows times a cosine against torch's own."""

import pytest
import torch
import torch.nn.functional as F

from viral.graph.functions import rows, times_cosine, unit_rows


@pytest.mark.parametrize("shape", [(7, 5), (4, 3, 5), (1, 1), (0, 4)])
@pytest.mark.parametrize("block", [1, 12, 1 << 18])
def test_it_is_normalize(shape, block, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK_ENTRIES", block)
    g = torch.Generator().manual_seed(0)
    x = torch.randn(shape, dtype=torch.float64, generator=g, requires_grad=True)
    weights = torch.randn(shape, dtype=torch.float64, generator=g)
    ours, theirs = unit_rows(x), F.normalize(x, dim=-1)
    torch.testing.assert_close(ours, theirs)
    gradients = [torch.autograd.grad((y * weights).sum(), x)[0] for y in (ours, theirs)]
    torch.testing.assert_close(*gradients)
    assert torch.autograd.gradcheck(unit_rows, x) or not x.numel()


def test_empty_rows_stay_empty_and_their_gradient_finite():
    x = torch.zeros(2, 3)
    x[1, 0] = 1e-20  # too short for its length to count
    gradients = []
    for function in (unit_rows, lambda t: F.normalize(t, dim=-1)):
        y = x.clone().requires_grad_()
        result = function(y)
        result.sum().backward()
        gradients.append(y.grad)
        assert result[0].tolist() == [0, 0, 0]
    torch.testing.assert_close(*gradients)


def test_what_comes_in_by_columns_goes_back_by_rows():
    x = torch.randn(5, 4, dtype=torch.float64).T.requires_grad_()
    weights = torch.randn(5, 4, dtype=torch.float64).T
    ours, theirs = (
        torch.autograd.grad((f(x) * weights).sum(), x)[0] for f in (unit_rows, lambda t: F.normalize(t, dim=-1))
    )
    torch.testing.assert_close(ours, theirs)


def plain_times_cosine(x: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
    return x * ((x * unit).sum(dim=-1) / x.norm(dim=-1).clamp(min=1e-8))[..., None]


@pytest.mark.parametrize("block", [1, 12, 1 << 18])
@pytest.mark.parametrize("shape", [(7, 5), (4, 3, 5)])
def test_times_cosine(shape, block, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK_ENTRIES", block)
    g = torch.Generator().manual_seed(0)
    x, weights, unit = (torch.randn(shape, dtype=torch.float64, generator=g, requires_grad=True) for _ in range(3))
    with torch.no_grad():
        x[0] = 0  # a node without a neighbour
        x[1] *= 1e-9
    unit = F.normalize(unit, dim=-1)
    ours, theirs = times_cosine(x, unit), plain_times_cosine(x, unit)
    torch.testing.assert_close(ours, theirs)
    gradients = [torch.autograd.grad((y * weights).sum(), (x, unit), retain_graph=True) for y in (ours, theirs)]
    torch.testing.assert_close(*gradients)
