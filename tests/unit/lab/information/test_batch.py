"""The BATCH estimator: its coupling, and the textbook distributions as noisy vectors."""

import numpy as np
import pytest
import torch

from viral.base.errors import DataError
from viral.lab.information.batch import BatchConfig, batch_estimate, coupled_information, sinkhorn
from viral.lab.information.discrete import PARTS, union_information

QUICK = BatchConfig(batch_size=64, classifier_steps=150, coupling_steps=40, sinkhorn_steps=8, hidden_dim=16)
FULL = BatchConfig(batch_size=128)
TOLERANCE = 0.1  # bits


def vectors(rule, count=2000, noise=0.25, seed=0):
    """Fair bits as noisy points in space, and y = rule(x1, x2); None: x2 is a copy of x1, and so is y."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, count), rng.integers(0, 2, count)
    if rule is None:
        b = a
    places = rng.normal(size=(2, 2, 8))
    x1, x2 = (places[n][bits] + noise * rng.normal(size=(count, 8)) for n, bits in enumerate((a, b)))
    return x1, x2, a if rule is None else rule(a, b)


def check(rule, expected, config):
    found = batch_estimate(*vectors(rule), config)
    assert [getattr(found.parts, name) for name in PARTS] == pytest.approx(expected, abs=TOLERANCE)
    assert abs(found.gap) < 0.05 and found.margin_error < 0.05


def test_exclusive_or_as_vectors():
    check(lambda a, b: a ^ b, (0, 0, 0, 1), QUICK)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (lambda a, b: a & b, (0.311, 0, 0, 0.5)),
        (lambda a, b: a ^ b, (0, 0, 0, 1)),
        (None, (1, 0, 0, 0)),
        (lambda a, b: a, (0, 1, 0, 0)),
        (lambda a, b: 2 * a + b, (0, 1, 1, 0)),
    ],
    ids=["and", "xor", "copied bit", "unique", "two-bit copy"],
)
def test_textbook_distributions_as_vectors(rule, expected):
    check(rule, expected, FULL)


def test_noise_alone_tells_nothing():
    rng = np.random.default_rng(0)
    found = batch_estimate(rng.normal(size=(1000, 4)), rng.normal(size=(1000, 4)), rng.integers(0, 2, 1000), QUICK)
    proven = found.parts.total - found.gap
    assert proven < 0.02  # the classifiers may be over-confident; their held-out cross-entropy is not


def test_sinkhorn_meets_both_margins():
    rng = torch.Generator().manual_seed(0)
    rows = torch.rand(2, 5, generator=rng)
    columns = torch.rand(2, 7, generator=rng)
    columns *= (rows.sum(dim=1) / columns.sum(dim=1))[:, None]
    q, error = sinkhorn(torch.randn(2, 5, 7, generator=rng), rows, columns, 200)
    torch.testing.assert_close(q.sum(dim=2), rows)
    torch.testing.assert_close(q.sum(dim=1), columns)
    assert error < 1e-4
    assert sinkhorn(3 * torch.randn(2, 5, 7, generator=rng), rows, columns, 1)[1] > 1e-3


def test_free_logits_reach_the_exact_minimum():
    """Gradient steps on a free table end at the closed form, never below it."""
    rng = np.random.default_rng(2)
    p = rng.gamma(0.7, size=(4, 5, 2))
    p /= p.sum()
    first, second = p.sum(axis=1), p.sum(axis=0)
    rows, columns = torch.tensor(first.T), torch.tensor(second.T)
    logits = torch.zeros(2, 4, 5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(120):
        loss = coupled_information(sinkhorn(logits, rows, columns, 20)[0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert -1e-3 < float(loss.detach()) - union_information(first, second) < 5e-3


def test_the_same_seed_gives_the_same_estimate():
    samples = vectors(lambda a, b: a, 600)
    config = BatchConfig(batch_size=32, classifier_steps=20, coupling_steps=5, sinkhorn_steps=3, seed=4)
    assert batch_estimate(*samples, config) == batch_estimate(*samples, config)


def test_too_few_samples_are_refused():
    with pytest.raises(DataError, match="too few for batches"):
        batch_estimate(np.zeros((100, 2)), np.zeros((100, 2)), np.zeros(100, dtype=np.int64), QUICK)
