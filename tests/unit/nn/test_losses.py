"""The shared losses, by hand and against plain computations."""

import math

import pytest
import torch
import torch.nn.functional as F

from viral.nn import bpr_loss, bpr_loss_bits, dot, info_nce, norm_penalty


def naive(a: torch.Tensor, b: torch.Tensor, temperature: float) -> torch.Tensor:
    logits = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / temperature
    target = torch.arange(len(a))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def pair(rows: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(rows, 5, dtype=torch.float64, generator=g, requires_grad=True) for _ in range(2))


@pytest.mark.parametrize("rows", [1, 2, 33])
@pytest.mark.parametrize("block_rows", [1, 4, 11, 1024])
@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_info_nce_in_blocks_is_the_whole_matrix(rows, block_rows, temperature):
    a, b = pair(rows)
    blocked, whole = info_nce(a, b, temperature, block_rows=block_rows), naive(a, b, temperature)
    torch.testing.assert_close(blocked, whole)
    blocked_gradients = torch.autograd.grad(3 * blocked, (a, b))
    whole_gradients = torch.autograd.grad(3 * whole, (a, b))
    torch.testing.assert_close(blocked_gradients, whole_gradients)


@pytest.mark.parametrize("block_rows", [2, 100])
def test_info_nce_gradcheck(block_rows):
    assert torch.autograd.gradcheck(lambda a, b: info_nce(a, b, 0.3, block_rows=block_rows), pair(5))


def test_info_nce_of_one_tensor_with_itself():
    a, _ = pair(6)
    (ours,) = torch.autograd.grad(info_nce(a, a, 0.2), a)
    (theirs,) = torch.autograd.grad(naive(a, a, 0.2), a)
    torch.testing.assert_close(ours, theirs)


def test_info_nce_never_holds_the_whole_matrix(monkeypatch):
    sizes = []
    logsumexp = torch.Tensor.logsumexp
    monkeypatch.setattr(torch.Tensor, "logsumexp", lambda x, dim: sizes.append(x.shape) or logsumexp(x, dim=dim))
    info_nce(*pair(50), 0.1, block_rows=8)
    assert sizes == [(8, 50)] * 6 + [(2, 50)]


def test_info_nce_survives_a_small_temperature():
    a, b = pair(8)
    loss = info_nce(a.float(), b.float(), 1e-3)
    assert loss.isfinite()
    loss.backward()
    assert a.grad.isfinite().all()


def test_bpr_by_hand():
    positive, negative = torch.tensor([1.0, -2.0]), torch.tensor([0.0, 1.0])
    expected = -(math.log(1 / (1 + math.exp(-1))) + math.log(1 / (1 + math.exp(3)))) / 2
    assert bpr_loss(positive, negative).item() == pytest.approx(expected)
    assert bpr_loss_bits(positive, negative).item() == pytest.approx(expected / math.log(2))


def test_bpr_stays_finite_where_the_sigmoid_is_zero():
    loss = bpr_loss(torch.tensor([-300.0]), torch.tensor([300.0]))
    assert loss.item() == pytest.approx(600)


def test_norm_penalty_is_not_squared_and_is_divided_by_the_batch():
    a, b = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [5.0, 12.0]])
    assert norm_penalty(a, b).item() == pytest.approx((5 + 13) / 2)


def test_dot_is_row_wise():
    assert dot(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[5.0, 6.0], [7.0, 8.0]])).tolist() == [17, 53]
