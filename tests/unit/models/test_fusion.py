"""The information parts: what each one is by construction. Their numbers are compared in ``parity``."""

import pytest
import torch

from viral.models.families.layers import linear
from viral.models.viral.fusion.redundancy import Redundancy, without
from viral.models.viral.fusion.synergy import CrossModal, Synergy
from viral.models.viral.fusion.tokens import TokenEncoder


def features(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(9, 6, generator=g), torch.randn(9, 6, generator=g)


def test_without_a_direction_nothing_of_it_is_left():
    x, direction = features()
    rest = without(x, direction)
    torch.testing.assert_close((rest * direction).sum(1), torch.zeros(9), atol=1e-5, rtol=0)
    torch.testing.assert_close(rest.norm(dim=1), torch.ones(9))
    expected = x - (x * direction).sum(1, keepdim=True) / direction.square().sum(1, keepdim=True) * direction
    torch.testing.assert_close(rest, expected / expected.norm(dim=1, keepdim=True), atol=1e-5, rtol=1e-4)


def test_without_no_direction_only_the_length_changes():
    x, _ = features()
    torch.testing.assert_close(without(x, torch.zeros_like(x)), x / x.norm(dim=1, keepdim=True))


def test_an_item_without_features_stays_finite():
    x = torch.zeros(2, 6, requires_grad=True)
    without(x, torch.ones(2, 6)).sum().backward()
    assert x.grad.isfinite().all()


def test_every_item_is_encoded_by_itself():
    encoder = TokenEncoder(6)
    t, v = features()
    torch.testing.assert_close(encoder(t, v)[3:4], encoder(t[3:4], v[3:4]))


def test_synergy_needs_both_and_redundancy_reads_each_alone():
    synergy, redundancy = Synergy(6), Redundancy(6)
    (t, v), (_, other) = features(), features(1)
    assert not torch.allclose(synergy(t, v).value, synergy(t, other).value)
    (h_t, r), (h_v, r_again), (h_v_again, h_t_again) = redundancy(t, v).pairs
    assert r is r_again and h_v is h_v_again and h_t is h_t_again
    (h_t_other, _), (h_v_other, _), _ = redundancy(t, other).pairs
    assert torch.equal(h_t, h_t_other), "the text alone does not depend on the picture"
    assert not torch.allclose(h_v, h_v_other)


def test_alignment_sums_the_pairs_over_the_rows_asked_for():
    t, v = features()
    part = CrossModal(t, ((t, v), (v, t)))
    rows = torch.tensor([1, 4, 6])
    alone = CrossModal(t, ((t[rows], v[rows]),))
    assert part.alignment(rows, 0.5).item() == pytest.approx(2 * alone.alignment(slice(None), 0.5).item(), rel=1e-5)


def test_a_linear_layer_starts_at_xavier_and_zero():
    torch.manual_seed(0)
    layer = linear(200, 300)
    assert layer.bias.count_nonzero() == 0
    assert layer.weight.abs().max().item() == pytest.approx((6 / 500) ** 0.5, rel=0.01)
