"""The shared losses, by hand and against plain computations."""

import math

import pytest
import torch

from viral.graph.functions import bpr_loss, bpr_loss_bits, bpr_triplets, dot, norm_penalty


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


def test_bpr_of_triplets_is_bpr_of_their_products():
    tables = [torch.randn(6, 4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    users, chosen, skipped = tables
    plain = bpr_loss(dot(users, chosen), dot(users, skipped))
    fused = bpr_triplets(*tables)
    torch.testing.assert_close(fused, plain)
    for found, wanted in zip(
        torch.autograd.grad(3 * fused, tables), torch.autograd.grad(3 * plain, tables), strict=True
    ):
        torch.testing.assert_close(found, wanted)
