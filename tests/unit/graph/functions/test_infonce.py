"""InfoNCE against the whole matrix of logits."""

import pytest
import torch
import torch.nn.functional as F

from viral.graph.functions import infonce as contrast
from viral.graph.functions.infonce import distinct_info_nce, info_nce, one_way_info_nce


def tables(anchors: int, candidates: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return tuple(torch.randn(n, 5, dtype=torch.float64, generator=g, requires_grad=True) for n in (anchors, candidates))


@pytest.mark.parametrize("temperature", [0.01, 0.05, 1.0])
@pytest.mark.parametrize("positives", [None, [3, 0, 3, 8, 1, 2, 2]])
def test_it_is_cross_entropy(temperature, positives):
    a, c = tables(7, 9)
    target = torch.arange(7) if positives is None else torch.tensor(positives)
    ours = one_way_info_nce(a, c, temperature, positives=None if positives is None else target)
    theirs = F.cross_entropy(F.normalize(a, dim=1) @ F.normalize(c, dim=1).T / temperature, target)
    torch.testing.assert_close(ours, theirs)
    gradients = [torch.autograd.grad(3 * loss, (a, c)) for loss in (ours, theirs)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("temperature", [1e-3, 0.2, 1.0])
def test_inner_products_may_be_of_any_size(temperature):
    a, c = tables(7, 9)
    positives = torch.tensor([3, 0, 3, 8, 1, 2, 2])
    ours = one_way_info_nce(100 * a, c, temperature, positives=positives, cosine=False)
    theirs = F.cross_entropy(100 * a @ c.T / temperature, positives)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, (a, c)), torch.autograd.grad(theirs, (a, c)))


@pytest.mark.parametrize("anchors", [31, 32, 100])
def test_blocks_are_the_whole_matrix(anchors, monkeypatch):
    monkeypatch.setattr(contrast, "BLOCK_ENTRIES", 1)  # the least that is taken at once is 32 anchors
    a, c = tables(anchors, 120)
    weights = torch.arange(anchors) % 3
    ours = one_way_info_nce(a, c, 0.2, weights=weights)
    logits = F.normalize(a, dim=1) @ F.normalize(c, dim=1).T / 0.2
    theirs = F.cross_entropy(logits, torch.arange(anchors), reduction="none").double() @ weights.double()
    gradients = [torch.autograd.grad(loss, (a, c)) for loss in (ours, theirs / weights.sum())]
    torch.testing.assert_close(ours, theirs / weights.sum())
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("temperature", [0.01, 0.3])
def test_repeats_are_candidates_that_stand_there_again(temperature):
    a, c = tables(4, 3)
    positives, repeats = torch.tensor([2, 0, 0, 1]), torch.tensor([3, 1, 2])
    ours = one_way_info_nce(a, c, temperature, positives=positives, repeats=repeats)
    whole = one_way_info_nce(a, c[[0, 1, 2, 0, 2, 0]], temperature, positives=positives)
    torch.testing.assert_close(ours, whole)
    torch.testing.assert_close(torch.autograd.grad(ours, (a, c)), torch.autograd.grad(whole, (a, c)))


@pytest.mark.parametrize("temperature", [0.01, 0.3])
@pytest.mark.parametrize("anchors_too", [True, False])
@pytest.mark.parametrize("cosine", [True, False])
def test_each_distinct_row_is_enough(temperature, anchors_too, cosine):
    a, c = tables(7, 5)
    rows = torch.tensor([4, 1, 1, 0, 4, 3, 1])
    anchors = a.detach()[rows].requires_grad_() if anchors_too else a
    ours = distinct_info_nce(anchors, c[rows], temperature, rows + 100, anchors_too=anchors_too, cosine=cosine)
    whole = one_way_info_nce(anchors, c[rows], temperature, cosine=cosine)
    torch.testing.assert_close(ours, whole)
    gradients = [torch.autograd.grad(loss, (anchors, c)) for loss in (ours, whole)]
    if anchors_too:  # equal anchors share their gradient in any way
        gradients = [(torch.zeros(5, 5, dtype=a.dtype).index_add(0, rows, g), of_c) for g, of_c in gradients]
    torch.testing.assert_close(*gradients)


def test_gradcheck():
    def loss(a, c):
        return one_way_info_nce(a, c, 0.3, repeats=torch.arange(1, 7), weights=torch.arange(5))

    assert torch.autograd.gradcheck(loss, tables(5, 6))


def test_one_table_may_be_both_and_is_not_changed():
    a, _ = tables(6, 1)
    before = a.detach().clone()
    (ours,) = torch.autograd.grad(one_way_info_nce(a, a, 0.2), a)
    logits = F.normalize(a, dim=1) @ F.normalize(a, dim=1).T / 0.2
    (theirs,) = torch.autograd.grad(F.cross_entropy(logits, torch.arange(6)), a)
    torch.testing.assert_close(ours, theirs)
    assert torch.equal(a, before)


def test_it_is_not_the_mean_of_both_directions():
    a, c = tables(6, 6)
    assert one_way_info_nce(a, c, 0.2).item() != pytest.approx(one_way_info_nce(c, a, 0.2).item(), rel=1e-3)


def test_a_small_temperature_and_an_empty_row_stay_finite():
    a, c = (x.detach().float().requires_grad_() for x in tables(6, 8))
    loss = one_way_info_nce(torch.cat([a, torch.zeros(1, 5)]), c, 1e-3)
    loss.backward()
    assert loss.isfinite() and a.grad.isfinite().all() and c.grad.isfinite().all()


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
@pytest.mark.parametrize("kept", [0, 1 << 26], ids=["formed again", "kept"])
def test_info_nce_in_blocks_is_the_whole_matrix(rows, block_rows, temperature, kept, monkeypatch):
    monkeypatch.setattr(contrast, "KEPT_ENTRIES", kept)
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


@pytest.mark.parametrize(("kept", "times"), [(400, 1), (399, 2)])
def test_info_nce_never_holds_a_larger_matrix_than_it_may(kept, times, monkeypatch):
    monkeypatch.setattr(contrast, "KEPT_ENTRIES", kept)
    sizes = []
    exp = torch.Tensor.exp_
    monkeypatch.setattr(torch.Tensor, "exp_", lambda x: sizes.append(tuple(x.shape)) or exp(x))
    info_nce(*pair(20), 0.1, block_rows=8).backward()
    assert sizes == times * [(r, c) for r in (8, 8, 4) for c in (8, 8, 4)]


@pytest.mark.parametrize("temperature", [1e-3, 1 / 60, 0.017])
def test_info_nce_of_opposite_rows_at_a_small_temperature(temperature):
    a, b = (x.detach().float() for x in pair(8))
    a[0], b[0] = a[1], -a[1]
    ours, theirs = info_nce(a, b, temperature), naive(a.double(), b.double(), temperature)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_info_nce_survives_a_small_temperature():
    a, b = pair(8)
    loss = info_nce(a.float(), b.float(), 1e-3)
    assert loss.isfinite()
    loss.backward()
    assert a.grad.isfinite().all()
