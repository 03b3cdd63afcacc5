"""iALS: matrix factorisation of every pair, chosen or not, by alternating least squares.

Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, with the regulariser of
Rendle, Krichene, Zhang, Koren, "Revisiting the Performance of iALS on Item Recommendation Benchmarks", RecSys 2022,
https://arxiv.org/abs/2110.14037. Shapes: U users, I items, D embedding dimension, n items of a history.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from viral.base.errors import UsageError
from viral.base.progress import track
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.models.base import Recommender
from viral.models.scorers import EmbeddingScorer

BLOCK_ENTRIES = 1 << 22  # of the tables of one block of users: 16 MB


@dataclass(frozen=True, kw_only=True)
class IALSConfig:
    """``unobserved_weight`` is α₀, ``reg_weight`` λ, ``reg_exponent`` ν: at 1, a longer history is held back more."""

    embedding_dim: int = 128
    num_sweeps: int = 16
    unobserved_weight: float = 0.03
    reg_weight: float = 0.02
    reg_exponent: float = 1.0
    init_std: float = 0.1  # a number starts at this over √D

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, num_sweeps=1, unobserved_weight=0, init_std=0, reg_exponent=0)
        check_least(self, reg_weight=1e-9)


class IALS(Recommender[IALSConfig]):
    """min Σ_(u,i)∈S (1 - ⟨w_u, h_i⟩)² + α₀ Σ_u Σ_i ⟨w_u, h_i⟩² + Σ_u λ_u ‖w_u‖² + Σ_i λ_i ‖h_i‖².

    λ_u = λ (|I_u| + α₀ I)^ν and λ_i = λ (|U_i| + α₀ U)^ν. A sweep solves for all users, then for all items, exactly.
    """

    Config = IALSConfig
    SPACE: ClassVar = {
        "embedding_dim": (64, 128, 256),
        "num_sweeps": (4, 8, 16, 32),
        "unobserved_weight": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
        "reg_weight": (0.001, 0.003, 0.01, 0.02, 0.03, 0.06),
    }
    users: Tensor  # (U, D)
    items: Tensor  # (I, D)

    def __init__(self, inputs: ModelInputs, config: IALSConfig) -> None:
        super().__init__(inputs, config)
        train, dim = inputs.train, config.embedding_dim
        turned = Interactions(train.items, train.users, train.num_items, train.num_users)
        by_user, by_item = train.rows(), turned.rows()
        items = torch.randn(self.num_items, dim) * (config.init_std / dim**0.5)
        try:
            for _ in track(range(config.num_sweeps), "fit iALS"):
                users = solve(by_user, items, config)
                items = solve(by_item, users, config)
        except torch.linalg.LinAlgError:
            where = "[config] of IALS"
            raise UsageError(f"reg_weight = {config.reg_weight} is too small to solve for", where=where) from None
        self.register_buffer("users", users)
        self.register_buffer("items", items)

    def scorer(self) -> EmbeddingScorer:
        return EmbeddingScorer(self.users, self.items)


def solve(rows: tuple[Tensor, Tensor], others: Tensor, config: IALSConfig) -> Tensor:
    """The best embeddings of one side, given the other's (I, D) and the histories, in compressed rows: (U, D).

    Histories of one length share M = α₀ HᵀH + λ_u 1, and w_u = (M + H_uᵀH_u)⁻¹ H_uᵀ 1, H_u (n, D) the items of u's.
    """
    offsets, chosen = rows
    lengths = offsets.diff()
    gram = config.unobserved_weight * others.T @ others  # (D, D)
    solved = others.new_zeros(len(lengths), others.shape[1])
    for n in lengths.unique().tolist():
        if n == 0:
            continue  # without a history 0 is best
        weight = config.reg_weight * (n + config.unobserved_weight * len(others)) ** config.reg_exponent
        shared = gram + weight * torch.eye(len(gram))
        size = max(n, len(gram))
        for who in (lengths == n).nonzero().squeeze(1).split(max(1, BLOCK_ENTRIES // size**2)):
            h = others[chosen[offsets[who, None] + torch.arange(n)]]  # (b, n, D)
            solved[who] = _few(shared, h) if n < len(gram) else _many(shared, h)
    return solved


def _many(shared: Tensor, h: Tensor) -> Tensor:
    """(M + HᵀH)⁻¹ Hᵀ 1 for each of a block: (D, D), (b, n, D) -> (b, D)."""
    factors = torch.linalg.cholesky(shared + h.mT @ h)
    return torch.cholesky_solve(h.sum(dim=1)[..., None], factors).squeeze(2)


def _few(shared: Tensor, h: Tensor) -> Tensor:
    """The same as M⁻¹Hᵀ (1 + H M⁻¹ Hᵀ)⁻¹ 1, a system of n instead of D unknowns."""
    near = torch.cholesky_solve(h.flatten(0, 1).T, torch.linalg.cholesky(shared)).T.view_as(h)  # H M⁻¹
    system = torch.eye(h.shape[1]) + h @ near.mT  # (b, n, n)
    shares = torch.cholesky_solve(torch.ones(len(h), h.shape[1], 1), torch.linalg.cholesky(system))
    return (shares * near).sum(dim=1)
