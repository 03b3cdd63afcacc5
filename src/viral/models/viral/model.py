"""VIRAL as it is by default: text, what picture and sound add to it, their synergy, taste, and a softmax over items.

After Kieu et al., arXiv 2511.02113, whose own readings are in :mod:`viral.models.viral.paper`. What differs and why:
docs/models/viral.md. The memory beside it (:mod:`viral.training.item_memory`) is no part of this file.
Shapes: U users, I items, N = U + I nodes, E interactions, D embedding dimension of a branch, P branches, F features.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions, Triplets
from viral.graph import SparseMatrix
from viral.graph.functions import Projection, bpr_loss, dot, propagate_sum, unit_rows
from viral.graph.functions.branch_nodes import branch_nodes
from viral.models.base import EmbeddingRecommender, Embeddings, Recommender
from viral.models.families.modality_branches import UserGraph, columns
from viral.models.viral.config import BeyondConfig, sources_of
from viral.models.viral.fusion import Interaction, over_pairs, unexplained
from viral.models.viral.paper import VIRAL

SYNERGY, TASTE = "synergy", "taste"


class VIRALBeyond(EmbeddingRecommender[BeyondConfig]):
    """score(u, i) = cos(u, i) over the concatenated branches [text | unique … | synergy | taste]."""

    Config = BeyondConfig
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "temperature": (0.2, 0.3, 0.5),
        "co_occurrence_weight": (0.0, 0.5, 0.8),
        "edge_dropout": (0.0, 0.2, 0.4),
        "learning_rate": (0.005, 0.01, 0.02),
    }
    TRAIN: ClassVar[Mapping[str, Any]] = {
        "loss": "softmax",
        "temperature": 0.2,
        "learning_rate": 0.01,
        "batch_size": 4096,
        "max_epochs": 300,
        "patience": 5,
        "evaluate_every": 5,
    }
    MEMORY: ClassVar[Literal["off", "ease"]] = "ease"

    def __init__(self, inputs: ModelInputs, config: BeyondConfig) -> None:
        super().__init__(inputs, config)
        self.sources = sources_of(config, inputs)
        self.train_set = inputs.train
        self._decompose(inputs)
        self._build_branches()
        self._build_graphs(inputs)

    @classmethod
    def variant(cls, config: Mapping[str, Any]) -> type[Recommender[Any]]:
        """The readings of the paper are another class's."""
        return cls if config.get("variant", "beyond") == "beyond" else VIRAL

    @property
    def reads(self) -> tuple[str, ...]:
        return self.sources

    def _decompose(self, inputs: ModelInputs) -> None:
        """The fixed parts: the anchor, and of every further source what those before it do not predict."""
        given = {name: inputs.given(name) for name in self.sources}
        self.features = Tables({name: centred(inputs.feature(name), given[name]) for name in self.sources})
        self.told = Tables({})
        x = self.features.values
        for place, name in enumerate(self.sources):
            before = [x[other] for other in self.sources[:place]]
            if before and self.config.unique == "ridge":
                self.told[f"unique_{name}"] = unexplained(inputs.feature(name), torch.cat(before, dim=1), given[name])
            else:
                self.told[f"unique_{name}" if before else name] = x[name]
        self.synergy: nn.Module | None = None
        if len(x) > 1 and self.config.synergy:
            tables, width = list(x.values()), self.config.crossmodal_dim
            self.synergy = over_pairs(len(x), lambda a, b: Interaction(tables[a], tables[b], width, fixed=True))

    def _build_branches(self) -> None:
        """Encoders of the items' parts to D, and free tables: the users' (P, U, D), the items' (I, D)."""
        config, dim = self.config, self.config.embedding_dim
        widths = {name: x.shape[1] for name, x in self.told.values.items()}
        widths |= {SYNERGY: config.crossmodal_dim} if self.synergy is not None else {}
        widths |= {TASTE: dim} if config.taste else {}
        self.branches = tuple(widths)
        self.encoders = nn.ModuleDict(
            {
                name: nn.Sequential(Projection(width, config.hidden_dim), nn.LeakyReLU(),
                                    nn.Linear(config.hidden_dim, dim))
                for name, width in widths.items()
            }
        )  # fmt: skip
        tables = [nn.init.xavier_normal_(torch.empty(self.num_users, dim)) for _ in self.branches]
        self.preferences = nn.Parameter(torch.stack(tables))
        self.taste = nn.Parameter(nn.init.xavier_normal_(torch.empty(self.num_items, dim))) if config.taste else None

    def _build_graphs(self, inputs: ModelInputs) -> None:
        config = self.config
        self.adjacency = self.epoch_adjacency = graph.bipartite_adjacency(inputs.train)
        self.item_graph = self._item_graph(inputs) if config.item_graph else None
        self.user_graph = (
            UserGraph(inputs.train, config.num_user_neighbors, resample=False) if config.user_graph else None
        )

    def _item_graph(self, inputs: ModelInputs) -> SparseMatrix | None:
        """Mean over similar items, (I, I): a share by co-occurrence, the rest in equal parts by each source."""
        k, share = self.config.num_neighbors, self.config.co_occurrence_weight
        graphs = {name: graph.knn_graph(x, k, inputs.given(name)) for name, x in self.features.values.items()}
        weights = {name: (1 - share) / len(graphs) for name in graphs}
        if share:
            graphs["together"], weights["together"] = graph.bought_together(inputs.train, k), share
        return graph.weighted_sum(graphs, weights) if graphs else None

    def on_epoch_start(self, rng: torch.Generator) -> None:
        """Leave some of the interactions out of this epoch's graph, which is normalised anew."""
        if self.config.edge_dropout:
            train = self.train_set
            kept = torch.rand(len(train), generator=rng) >= self.config.edge_dropout
            rest = Interactions(train.users[kept], train.items[kept], train.num_users, train.num_items)
            self.epoch_adjacency = graph.bipartite_adjacency(rest).to(self.preferences)

    def decompose(self) -> dict[str, Tensor]:
        """What is known of the items, by branch: {branch: (I, ·)}."""
        parts = dict(self.told.values)
        if self.synergy is not None:
            parts[SYNERGY] = self.synergy(*self.features.values.values()).value
        return parts if self.taste is None else parts | {TASTE: self.taste}

    def nodes(self, parts: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Users (U, P·D) and items (I, P·D): Σ_l Âˡ X of branches at unit length, before the graph of items."""
        ego = branch_nodes(self.preferences, *(self.encoders[name](parts[name]) for name in self.branches))
        adjacency = self.epoch_adjacency if self.training else self.adjacency
        users, items = propagate_sum(adjacency, ego, self.config.num_layers).tensor_split([self.num_users])
        return users, items

    def embed(self) -> Embeddings:
        """U / ‖u‖ and i / ‖i‖ with i = n_i + S n_i."""
        users, items = self.nodes(self.decompose())
        if self.user_graph is not None:
            users = self.user_graph(users)
        if self.item_graph is not None:
            items = items + self.item_graph @ items
        return Embeddings(unit_rows(users), unit_rows(items))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        """BPR of cosines over τ, for ``train.loss = "own"``; by default the softmax takes its place."""
        users, items = self.embed()
        u = users.index_select(0, batch.users)
        chosen, skipped = (dot(u, items.index_select(0, of)) for of in (batch.positives, batch.negatives))
        return {"bpr": bpr_loss(chosen / self.TRAIN["temperature"], skipped / self.TRAIN["temperature"])}

    def side_terms(self, batch: Callable[[], Triplets]) -> dict[str, Tensor]:
        """None: the ranking is all that is learnt by."""
        return {}

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        return columns(self.branches, self.config.embedding_dim)


class Tables(nn.Module):
    """Fixed tables by name that move with the model; not part of a state dict, as they come again with the data."""

    def __init__(self, tables: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.names: list[str] = []
        for name, table in tables.items():
            self[name] = table

    def __setitem__(self, name: str, table: Tensor) -> None:
        self.register_buffer(f"of_{name}", table, persistent=False)
        self.names.append(name)

    @property
    def values(self) -> dict[str, Tensor]:
        """{name: table}, in the order in which they came."""
        return {name: self.get_buffer(f"of_{name}") for name in self.names}


def centred(values: Tensor, present: Tensor) -> Tensor:
    """Less the mean of the present rows (I,), at unit length; 0 where absent: (I, F) -> (I, F)."""
    return F.normalize(values - values[present].mean(dim=0), dim=1) * present[:, None]
