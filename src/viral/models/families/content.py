"""Which feature tables a multimodal baseline reads, and the frozen item graph over them.

Shapes: I items, F features.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.data.inputs import ModelInputs
from viral.graph import SparseMatrix

BuildGraph = Callable[[Tensor, int, Tensor], SparseMatrix]  # of features (I, F), k, and which items are present


class FixedFeatures(nn.Module):
    """Features of the items by name, that move with the model.

    They are not part of a state dict, as they come again with the data (random ones with the seed).
    """

    def __init__(self, tables: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> None:
        """``tables`` (I, F) by name; items that are not ``present`` (I,) have filled-in ones."""
        super().__init__()
        self.names = tuple(tables)
        for name, values in tables.items():
            self.register_buffer(f"of_{name}", values, persistent=False)
            self.register_buffer(f"present_{name}", present[name], persistent=False)

    @property
    def features(self) -> dict[str, Tensor]:
        """{name: (I, F)}, in the order in which they came."""
        return {name: self.get_buffer(f"of_{name}") for name in self.names}

    @property
    def widths(self) -> dict[str, int]:
        """{name: F}."""
        return {name: values.shape[1] for name, values in self.features.items()}

    def present(self, name: str) -> Tensor:
        """Which items have features of their own: (I,) bool."""
        return self.get_buffer(f"present_{name}")

    def graph_of(self, name: str, build: BuildGraph, k: int) -> SparseMatrix:
        """A k-NN graph, (I, I), in which an item without features of its own is near to nobody but itself."""
        return build(self.get_buffer(f"of_{name}"), k, self.present(name))

    def graphs(self, k: int, build: BuildGraph = graph.knn_graph) -> dict[str, SparseMatrix]:
        """A k-NN graph by each table, by default the mean over the neighbours: {name: (I, I)}."""
        return {name: self.graph_of(name, build, k) for name in self.names}


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


class Content(FixedFeatures):
    """The features of a configuration's roles, visual before text."""

    def __init__(self, inputs: ModelInputs, config: ContentConfig, *, normalize: bool = False) -> None:
        given = {role: inputs.feature(modality) for role, modality in config.sources.items()}
        tables = {role: F.normalize(x, dim=-1) if normalize else x for role, x in given.items()}
        super().__init__(tables, {role: inputs.given(modality) for role, modality in config.sources.items()})

    def shares(self, visual_weight: float) -> dict[str, float]:
        """How much each role counts: ``visual_weight`` and the rest, or all where there is but one."""
        if len(self.names) == 1:
            return {self.names[0]: 1.0}
        return {"visual": visual_weight, "text": 1 - visual_weight}

    def item_graph(self, num_neighbors: int, visual_weight: float) -> SparseMatrix:
        """Σ_m w_m kNN(x_m): the frozen item graph of FREEDOM and its kin, sparse (I, I)."""
        return graph.weighted_sum(self.graphs(num_neighbors), self.shares(visual_weight))
