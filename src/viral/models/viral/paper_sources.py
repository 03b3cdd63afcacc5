"""Where the item features of the paper's readings come from, and the branches that a configuration makes of them.

Shapes: I items, F features.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.data.inputs import ModelInputs
from viral.graph import SparseMatrix
from viral.models.families.content import FixedFeatures
from viral.models.viral.paper_config import RANDOM, VIRALConfig

TAKEN = {"synergy", "redundant"}  # branches' names


def branches_of(config: VIRALConfig) -> dict[str, str]:
    """Every branch in the order of their columns, and the part of the items that it carries.

    A mixture of sources is the one branch ``fused``.
    """
    anchor, *others = config.sources
    if not others:
        return {"text" if anchor == "text" else f"unique_{anchor}": anchor}
    if config.mixed:
        return {"fused": "fused"}
    branches = [anchor]
    if config.synergy != "off":
        branches.append("synergy")
    if config.redundancy and not config.projection:
        branches.append("redundant")
    branches += [f"unique_{other}" if config.projection else other for other in others]
    return {branch: branch for branch in (branches if config.text_first else reversed(branches))}


class Sources(FixedFeatures):
    """Fixed item features by role, the anchor first."""

    def __init__(self, inputs: ModelInputs, config: VIRALConfig) -> None:
        roles = config.sources
        if not roles:
            raise UsageError("VIRAL needs a text or a visual modality", where="[config] of VIRAL")
        for role in roles:
            if "." in role or role in TAKEN or hasattr(nn.ModuleDict, role):
                raise UsageError(f"a modality named {role!r} cannot be a source", where="[config] others")
        tables = {role: random_features(inputs) if m == RANDOM else inputs.feature(m) for role, m in roles.items()}
        super().__init__(tables, {role: inputs.given(modality) for role, modality in roles.items()})

    @property
    def anchor(self) -> str:
        return self.names[0]

    def item_graph(self, config: VIRALConfig) -> SparseMatrix:
        """The mean over similar items by each source, weighted: sparse (I, I)."""
        return graph.weighted_sum(self.graphs(config.num_neighbors), graph_shares(config))


def graph_shares(config: VIRALConfig) -> dict[str, float]:
    """What each source's neighbours count in the item graph: ``visual_weight`` is parted among all but the text."""
    anchor, *others = config.sources
    if not others:
        return {anchor: 1.0}
    if anchor != "text":
        return dict.fromkeys(config.sources, 1 / len(config.sources))
    return {"text": 1 - config.visual_weight} | dict.fromkeys(others, config.visual_weight / len(others))


def random_features(inputs: ModelInputs) -> Tensor:
    """Directions drawn at random, of the descriptions' shape or, without those, the images' or the first's: (I, F)."""
    if not inputs.features:
        raise UsageError("random features need a modality whose width they take", where="[config] of VIRAL")
    there = next(m for m in ("description", "image", *inputs.features) if m in inputs.features)
    like = inputs.features[there]
    return F.normalize(torch.randn(like.shape), dim=-1)
