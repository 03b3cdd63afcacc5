"""Unique information of a modality: what another does not predict, by a ridge that never saw the item itself.

Shapes: I items, F features of the modality, G features that predict it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)  # λ


def unexplained(values: Tensor, by: Tensor, present: Tensor) -> Tensor:
    """e_i / ‖e_i‖ with e_i = v_i - v̂_i, v̂_i the ridge prediction of v_i from t_i fitted to all other items: (I, F).

    With T (I, G) and V (I, F) centred, T = U S Wᵀ and H = U diag(S² / (S² + λ I/100)) Uᵀ, leaving an item out has the
    closed form e_i = (v_i - (H V)_i) / (1 - H_ii - 1/I). λ is that of ``STRENGTHS`` with the least mean e². Only items
    ``present`` (I,) in both are fitted; a row whose item is not present is 0, and one that nothing predicts (``by`` is
    0) is left as it is, centred.
    """
    fitted = present & by.any(dim=1)
    centred = (values - values[present].mean(dim=0)) * present[:, None]
    if int(fitted.sum()) < 3:
        return F.normalize(centred, dim=1)
    rest = centred.clone()
    rest[fitted] = _errors(values[fitted].double(), by[fitted].double()).to(values)
    return F.normalize(rest, dim=1)


def _errors(v: Tensor, t: Tensor) -> Tensor:
    """The leave-one-out errors of the best strength: (n, F), (n, G) -> (n, F)."""
    v, t = v - v.mean(dim=0), t - t.mean(dim=0)
    count = len(v)
    sizes, turn = torch.linalg.eigh(t.T @ t)  # S², W
    kept = sizes > 1e-10 * sizes[-1].clamp(min=1e-300)
    sizes, left = sizes[kept], t @ (turn[:, kept] / sizes[kept].sqrt())  # U (n, r)
    along = left.T @ v
    best, least = v, torch.inf
    for strength in STRENGTHS:
        shares = sizes / (sizes + strength * count / 100)
        leverage = left.square() @ shares + 1 / count
        errors = (v - left @ (shares[:, None] * along)) / (1 - leverage).clamp(min=1e-3)[:, None]
        error = float(errors.square().mean())
        if error < least:
            best, least = errors, error
    return best
