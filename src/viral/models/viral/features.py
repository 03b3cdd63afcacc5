"""The fixed item features of VIRAL's default variant, and the graph of items over them.

Shapes: I items, F features of a source.
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
from viral.models.viral.fusion.unique import unexplained


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
