"""Where VIRAL's item features come from, and the branches that its configuration makes of them.

Shapes: I items, F features.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.data.inputs import ModelInputs
from viral.graph import SparseMatrix
from viral.models.viral.paper_config import RANDOM, VIRALConfig

TAKEN = {"synergy", "redundant"}  # branches' names


def branches_of(config: VIRALConfig) -> tuple[str, ...]:
    """The names of the branches in the order of their columns: those of the parts, or ``fused`` for a mixture."""
    anchor, *others = config.sources
    if not others:
        return ("text",) if anchor == "text" else (f"unique_{anchor}",)
    if config.fusion in ("weighted", "attention"):
        return ("fused",)
    branches = [anchor]
    if config.synergy != "off":
        branches.append("synergy")
    if config.redundancy and not config.projection:
        branches.append("redundant")
    branches += [f"unique_{other}" if config.projection else other for other in others]
    return tuple(branches) if config.text_first else tuple(reversed(branches))


class Sources(nn.Module):
    """Fixed item features by role, the anchor first, and the prompt's where knowledge is fused.

    Like the graphs they are not part of a state dict; random ones (and their graph) come again with the seed.
    """

    prompt: Tensor | None  # (I, F_p)

    def __init__(self, inputs: ModelInputs, config: VIRALConfig) -> None:
        super().__init__()
        roles = config.sources
        if not roles:
            raise UsageError("VIRAL needs a text or a visual modality", where="[config] of VIRAL")
        for role in roles:
            if "." in role or role in TAKEN or hasattr(nn.ModuleDict, role):
                raise UsageError(f"a modality named {role!r} cannot be a source", where="[config] others")
        self.roles, self.anchor = tuple(roles), next(iter(roles))
        for role, modality in roles.items():
            values = random_features(inputs) if modality == RANDOM else inputs.feature(modality)
            self.register_buffer(f"of_{role}", values, persistent=False)
            self.register_buffer(f"present_{role}", inputs.given(modality), persistent=False)
        prompt = None if config.knowledge is None else inputs.feature(config.knowledge)
        self.register_buffer("prompt", prompt, persistent=False)

    @property
    def features(self) -> dict[str, Tensor]:
        """{role: (I, F)}."""
        return {role: self.get_buffer(f"of_{role}") for role in self.roles}

    def knn_graph(self, role: str, num_neighbors: int) -> SparseMatrix:
        """Mean over an item's nearest neighbours by one source, (I, I); only itself where it has no such features."""
        return graph.knn_graph(self.get_buffer(f"of_{role}"), num_neighbors, self.get_buffer(f"present_{role}"))

    def graph_shares(self, visual_weight: float) -> dict[str, float]:
        """What each source's neighbours count in the item graph: ``visual_weight`` is parted among the others."""
        others = [role for role in self.roles if role != self.anchor]
        if not others:
            return {self.anchor: 1.0}
        if self.anchor != "text":
            return dict.fromkeys(self.roles, 1 / len(self.roles))
        return {"text": 1 - visual_weight} | dict.fromkeys(others, visual_weight / len(others))


def random_features(inputs: ModelInputs) -> Tensor:
    """Directions drawn at random, of the descriptions' shape or, without those, the images' or the first's: (I, F)."""
    if not inputs.features:
        raise UsageError("random features need a modality whose width they take", where="[config] of VIRAL")
    there = next(m for m in ("description", "image", *inputs.features) if m in inputs.features)
    like = inputs.features[there]
    return F.normalize(torch.randn(like.shape), dim=-1)
