"""The BATCH estimator (Liang et al., NeurIPS 2023, arXiv 2302.12247, §3): BROJA for vectors, by small networks.

Shapes: N samples, n of a batch, Y target values, e width of the coupling.

Classifiers learn p(y | x1), p(y | x2) and p(y | x1, x2). For a batch, q(x1=i, x2=j, y) is
exp(f1(x1_i, y) · f2(x2_j, y)), brought by Sinkhorn's steps, for every y, to the margins p(y | x1_i)/n and
p(y | x2_j)/n; f1 and f2 minimise I_q(X1 X2; Y). All terms are of the learnt posteriors on samples that did not train
them, so that they fit together: I(X; Y) = E_x KL(p(y | x) ‖ p(y)).

Limits: as good as its classifiers (``gap`` tells how far their own information is from what their cross-entropy
proves; a large gap is over-confidence); minimised by gradient over couplings within a batch, so the union is an upper
bound and the synergy a lower one; good to about 0.1 bit on the textbook distributions with noise.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral.base.errors import DataError
from viral.lab.information.discrete import FloatArray, IntArray, Parts

BATCHES = 10  # held-out batches whose mean is the answer


@dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """Sizes and steps of the estimator."""

    hidden_dim: int = 32
    coupling_dim: int = 8
    batch_size: int = 256
    classifier_steps: int = 400
    coupling_steps: int = 300
    sinkhorn_steps: int = 20
    learning_rate: float = 1e-2
    weight_decay: float = 1e-4
    seed: int = 0


@dataclass(frozen=True, slots=True)
class BatchEstimate:
    """The parts, and how trustworthy they are."""

    parts: Parts
    gap: float  # I by the joint posterior minus I by its cross-entropy on held-out samples, in bits
    margin_error: float  # the largest deviation of q's margins, as a share of one sample's weight


def batch_estimate(first: FloatArray, second: FloatArray, target: IntArray, config: BatchConfig) -> BatchEstimate:
    """Parts for samples (N, F1), (N, F2) and y (N,) in 0 … Y-1; half train, half measure."""
    if len(target) < 4 * config.batch_size:
        hint = "give at least four batches of samples, or lower batch_size"
        raise DataError(f"{len(target)} samples are too few for batches of {config.batch_size}", hint=hint)
    rng = torch.Generator().manual_seed(config.seed)
    x1, x2 = (_standard(torch.from_numpy(np.asarray(x)).float()) for x in (first, second))
    y = torch.from_numpy(np.asarray(target)).long()
    train, test = torch.randperm(len(y), generator=rng).chunk(2)
    values = int(y.max()) + 1
    posteriors, gap = [], 0.0
    for x in (x1, x2, torch.cat([x1, x2], dim=1)):
        posterior = _classify(x, y, train, values, config, rng)
        gap = _information(posterior[test]) - _proven(posterior, y, train, test)
        posteriors.append(posterior)
    one, two, both = (_information(posterior[test]) for posterior in posteriors)
    union, error = _union((x1, x2), (posteriors[0], posteriors[1]), (train, test), config, rng)
    return BatchEstimate(Parts.of(one, two, both, union), gap, error)


def _standard(x: Tensor) -> Tensor:
    return (x - x.mean(dim=0)) / x.std(dim=0).clamp_min(1e-6)


def _network(in_dim: int, out_dim: int, config: BatchConfig, rng: torch.Generator) -> nn.Sequential:
    """Two layers, with weights drawn from ``rng``."""
    network = nn.Sequential(nn.Linear(in_dim, config.hidden_dim), nn.ReLU(), nn.Linear(config.hidden_dim, out_dim))
    for parameter in network.parameters():
        bound = 1 / (in_dim if parameter.shape[-1] == in_dim else config.hidden_dim) ** 0.5
        nn.init.uniform_(parameter, -bound, bound, generator=rng)
    return network


def _classify(x: Tensor, y: Tensor, train: Tensor, values: int, config: BatchConfig, rng: torch.Generator) -> Tensor:
    """p(y | x) of every sample from a network fitted on ``train``: (N, F) -> (N, Y)."""
    network = _network(x.shape[1], values, config, rng)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    for _ in range(config.classifier_steps):
        rows = train[torch.randint(len(train), (config.batch_size,), generator=rng)]
        loss = F.cross_entropy(network(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return network(x).softmax(dim=1)


def _information(posterior: Tensor) -> float:
    """E_x KL(p(y | x) ‖ p(y)) in bits."""
    p = posterior.double().clamp_min(1e-12)
    return float((p * (p / p.mean(dim=0)).log2()).sum(dim=1).mean())


def _proven(posterior: Tensor, y: Tensor, train: Tensor, test: Tensor) -> float:
    """H(Y) minus the cross-entropy on held-out samples: no more than the true information, up to chance."""
    share = torch.bincount(y[train], minlength=posterior.shape[1]).double() / len(train)
    gain = posterior[test, y[test]].double().clamp_min(1e-12) / share[y[test]].clamp_min(1e-12)
    return float(gain.log2().mean())


def _union(
    x: tuple[Tensor, Tensor],
    posterior: tuple[Tensor, Tensor],
    parts: tuple[Tensor, Tensor],
    config: BatchConfig,
    rng: torch.Generator,
) -> tuple[float, float]:
    """min_q I_q(X1 X2; Y) in bits on held-out batches, and the largest error of a margin."""
    values = posterior[0].shape[1]
    networks = nn.ModuleList(_network(s.shape[1], values * config.coupling_dim, config, rng) for s in x)
    optimizer = torch.optim.Adam(networks.parameters(), lr=config.learning_rate)

    def coupling(pool: Tensor, steps: int) -> tuple[Tensor, float]:
        rows = pool[torch.randint(len(pool), (2, config.batch_size), generator=rng)]
        f1, f2 = (n(s[r]).view(len(r), values, -1) for n, s, r in zip(networks, x, rows, strict=True))
        logits = torch.einsum("iye,jye->yij", f1, f2)
        margins = _margins(posterior[0][rows[0]], posterior[1][rows[1]])
        return sinkhorn(logits, *margins, steps)

    for _ in range(config.coupling_steps):
        q, _error = coupling(parts[0], config.sinkhorn_steps)
        loss = coupled_information(q)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        found = [coupling(parts[1], 20 * config.sinkhorn_steps) for _ in range(BATCHES)]
        return float(torch.stack([coupled_information(q) for q, _ in found]).mean()), max(error for _, error in found)


def _margins(one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
    """p(x1, y) and p(x2, y) of a batch (Y, n), (Y, n), brought to the same p(y): else no coupling exists."""
    a, b = one.T / len(one), two.T / len(two)
    target = (a.sum(dim=1) + b.sum(dim=1)) / 2
    return tuple(m * (target / m.sum(dim=1).clamp_min(1e-12))[:, None] for m in (a, b))  # type: ignore[return-value]


def sinkhorn(logits: Tensor, rows: Tensor, columns: Tensor, steps: int) -> tuple[Tensor, float]:
    """exp(logits) (Y, n, m) scaled to sum to ``rows`` (Y, n) and ``columns`` (Y, m), and the rows' largest error.

    Sinkhorn 1964, in logarithms; the columns are met exactly, the rows in the limit. The error is relative to the
    largest row.
    """
    log_rows, log_columns = rows.clamp_min(1e-12).log(), columns.clamp_min(1e-12).log()
    for _ in range(steps):
        logits = logits + (log_rows - logits.logsumexp(dim=2))[:, :, None]
        logits = logits + (log_columns - logits.logsumexp(dim=1))[:, None, :]
    q = logits.exp()
    return q, float((q.detach().sum(dim=2) - rows).abs().max() / rows.max())


def coupled_information(q: Tensor) -> Tensor:
    """I_q(X1 X2; Y) in bits of q (Y, n, m)."""
    total = q.sum()
    q = q / total
    independent = q.sum(dim=0, keepdim=True) * q.sum(dim=(1, 2), keepdim=True)
    return (q * (q.clamp_min(1e-30) / independent.clamp_min(1e-30)).log2()).sum()
