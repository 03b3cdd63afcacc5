"""The fixed item features of VIRAL's default variant, and the graph of items over them.

Shapes: I items, F features of a source, G features that predict it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.graph import SparseMatrix
from viral.models.families.content import FixedFeatures
from viral.models.viral.config import BeyondConfig
from viral.models.viral.fusion.synergy import FixedInteraction, over_pairs

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)  # λ of the ridge


def centred_features(inputs: ModelInputs, sources: tuple[str, ...]) -> FixedFeatures:
    """Every source less its mean, rows at unit length: {source: (I, F)}."""
    present = {name: inputs.given(name) for name in sources}
    return FixedFeatures({name: centred(inputs.feature(name), present[name]) for name in sources}, present)


def centred(values: Tensor, present: Tensor) -> Tensor:
    """Less the mean of the present rows (I,), at unit length; 0 where absent: (I, F) -> (I, F)."""
    return F.normalize(values - values[present].mean(dim=0), dim=1) * present[:, None]


def unique_features(inputs: ModelInputs, content: FixedFeatures, config: BeyondConfig) -> FixedFeatures:
    """The anchor as it is, and of every further source what those before it do not predict: {branch: (I, F)}."""
    x, tables, present = content.features, {}, {}
    for place, name in enumerate(content.names):
        before = [x[other] for other in content.names[:place]]
        branch = f"unique_{name}" if before else name
        present[branch], tables[branch] = content.present(name), x[name]
        if before and config.unique == "ridge":
            tables[branch] = unexplained(inputs.feature(name), torch.cat(before, dim=1), present[branch])
    return FixedFeatures(tables, present)


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


def interaction(content: FixedFeatures, dim: int) -> nn.Module:
    """The synergy of at least two sources: a module of all of them, (I, F) … -> s (I, d)."""
    x = list(content.features.values())
    return over_pairs(len(x), lambda a, b: FixedInteraction(x[a], x[b], dim))


def item_graph(train: Interactions, content: FixedFeatures, config: BeyondConfig) -> SparseMatrix:
    """S, the mean over similar items: a share by co-occurrence, the rest in equal parts by each source, (I, I).

    Without entries where it is off, or where there is nothing that items could be similar by.
    """
    k, share = config.num_neighbors, config.co_occurrence_weight
    graphs = content.graphs(k) if config.item_graph else {}
    weights = {name: (1 - share) / len(graphs) for name in graphs}
    if share and config.item_graph:
        graphs["together"], weights["together"] = graph.cooccurrence_graph(train, k), share
    return graph.weighted_sum(graphs, weights) if graphs else SparseMatrix.empty(train.num_items)
