"""What the multimodal baselines share: which feature tables they read, and the frozen item graph over them.

Shapes: I items, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.data.inputs import ModelInputs
from viral.graph import SparseMatrix


@dataclass(frozen=True, kw_only=True)
class ContentConfig:
    """The modalities of a multimodal model; one of the two may be None, and the model then runs on the other alone.

    ``visual="image"`` is the published form (raw image features); ``"description"`` gives a baseline VIRAL's words.
    """

    text: str | None = "text"
    visual: str | None = "image"

    @property
    def sources(self) -> dict[str, str]:
        """Role to modality, in the order in which published models concatenate: visual, then text."""
        roles = {"visual": self.visual, "text": self.text}
        found = {role: modality for role, modality in roles.items() if modality is not None}
        if not found:
            raise UsageError("the model needs a text or a visual modality", where=f"[config] {type(self).__name__}")
        return found


class Content(nn.Module):
    """Fixed item features by role; not part of a state dict, as they come again with the data."""

    def __init__(self, inputs: ModelInputs, config: ContentConfig, *, normalize: bool = False) -> None:
        super().__init__()
        self.roles = tuple(config.sources)
        for role, modality in config.sources.items():
            values = inputs.feature(modality)
            self.register_buffer(role, F.normalize(values, dim=-1) if normalize else values, persistent=False)
            self.register_buffer(f"{role}_present", inputs.given(modality), persistent=False)

    @property
    def features(self) -> dict[str, Tensor]:
        """{role: (I, F)}."""
        return {role: self.get_buffer(role) for role in self.roles}

    def graph_of(self, role: str, build: Callable[[Tensor, int, Tensor], SparseMatrix], k: int) -> SparseMatrix:
        """The k-NN graph of one role, (I, I), in which an item without features of its own is near to nobody."""
        return build(self.get_buffer(role), k, self.get_buffer(f"{role}_present"))

    def shares(self, visual_weight: float) -> dict[str, float]:
        """How much each role counts: ``visual_weight`` and the rest, or all where there is but one."""
        if len(self.roles) == 1:
            return {self.roles[0]: 1.0}
        return {"visual": visual_weight, "text": 1 - visual_weight}

    def item_graph(self, num_neighbors: int, visual_weight: float) -> SparseMatrix:
        """Σ_m w_m kNN(x_m): the frozen item graph of FREEDOM and its kin, sparse (I, I)."""
        of_roles = {role: self.graph_of(role, graph.knn_graph, num_neighbors) for role in self.roles}
        return graph.weighted_sum(of_roles, self.shares(visual_weight))
