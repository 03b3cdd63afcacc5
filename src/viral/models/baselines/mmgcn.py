"""MMGCN: a graph network per modality, tied to the others by the nodes' ids.

Wei et al., "MMGCN: Multi-modal Graph Convolution Network for Personalized Recommendation of Micro-video", ACM MM 2019,
https://doi.org/10.1145/3343031.3351034. Shapes: U users, I items, N = U + I nodes, B batch, D, d widths, F features.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph import SparseMatrix
from viral.graph.functions import Projection, bpr_triplets, unit_rows
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig
from viral.models.families.layers import linear

Last = tuple[Tensor, SparseMatrix]  # users of a batch (B,), and their rows of the graph to users (B, I)
GRAPH_COST = 8  # multiplications of a dense product that take as long as one of a product with a graph


@dataclass(frozen=True, kw_only=True)
class MMGCNConfig(ContentConfig):
    """Published settings; the published benchmark's numbers go with ``train_ids=False``, a slip of its code."""

    embedding_dim: int = 64
    visual_dim: int | None = 256  # to which the features are brought first; None leaves them as they are
    text_dim: int | None = None
    num_layers: int = 3
    reg_weight: float = 1e-3
    train_ids: bool = True  # False: ids and preferences stay as they were drawn

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, visual_dim=1, text_dim=1, num_layers=1, reg_weight=0)


class MMGCN(EmbeddingRecommender[MMGCNConfig]):
    """s(u, i) = ⟨u, i⟩, each the mean over modalities of its networks' representations."""

    Config = MMGCNConfig
    SPACE: ClassVar = {
        "learning_rate": (1e-4, 5e-4, 1e-3, 5e-3, 1e-2),
        "reg_weight": (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.1),
    }
    ids: Tensor  # (N, D)

    def __init__(self, inputs: ModelInputs, config: MMGCNConfig) -> None:
        super().__init__(inputs, config)
        own(self, "ids", (self.num_users + self.num_items, config.embedding_dim), trained=config.train_ids)
        widths = {"visual": config.visual_dim, "text": config.text_dim}
        features = Content(inputs, config).features
        self.to_users, self.to_items = graph.neighbor_means(inputs.train)
        networks = {m: ModalNetwork(x, self.to_users, widths[m], config) for m, x in features.items()}
        self.networks = cast("Mapping[str, ModalNetwork]", nn.ModuleDict(networks))

    def embed(self) -> Embeddings:
        nodes = [network(self.ids, self.to_users, self.to_items) for network in self.networks.values()]
        users, items = torch.stack(nodes).mean(dim=0).tensor_split([self.num_users])
        return Embeddings(users, items)

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        last = batch.users, self.to_users.rows(batch.users)
        nodes = [network(self.ids, self.to_users, self.to_items, last) for network in self.networks.values()]
        users, items = torch.stack(nodes).mean(dim=0).tensor_split([len(batch)])
        rows = torch.cat([batch.positives, batch.negatives])
        terms = {"bpr": bpr_triplets(users, *items.index_select(0, rows).chunk(2))}
        if self.config.train_ids:
            ids = self.ids.index_select(0, torch.cat([batch.users, rows + self.num_users]))
            tables = [network.preferences.index_select(0, batch.users) for network in self.networks.values()]
            terms["reg"] = self.config.reg_weight * torch.stack([x.square().mean() for x in (ids, *tables)]).sum()
        return terms


class ModalNetwork(nn.Module):
    """The graph network of one modality: users start from a free table, items from their features."""

    preferences: Tensor  # (U, d)
    features: Tensor  # (I, F); at unit length where no encoder comes first
    heard: Tensor | None  # (U, F): what users hear of these at first, which never changes, where it saves a step time

    def __init__(self, features: Tensor, to_users: SparseMatrix, width: int | None, config: MMGCNConfig) -> None:
        super().__init__()
        in_dim, dim = features.shape[1], config.embedding_dim
        self.encoder = None if width is None else linear(in_dim, width, of=Projection)
        self.register_buffer("features", unit_rows(features) if width is None else features, persistent=False)
        kept = width is None and not items_first(to_users, in_dim)
        self.register_buffer("heard", to_users @ self.features if kept else None, persistent=False)
        own(self, "preferences", (to_users.shape[0], width or in_dim), trained=config.train_ids)
        widths = [width or in_dim] + [dim] * (config.num_layers - 1)
        self.gather = nn.ModuleList(linear(d, d, bias=False) for d in widths)
        self.transfer = nn.ModuleList(linear(d, dim) for d in widths)
        self.join = nn.ModuleList(linear(d + dim, dim) for d in widths)

    def forward(
        self,
        ids: Tensor,
        to_users: SparseMatrix,
        to_items: SparseMatrix,
        last: tuple[Tensor, SparseMatrix] | None = None,
    ) -> Tensor:
        """(N, D) -> (N, D). Users and items apart: what users hear of fixed features needs no gradient.

        With ``last`` the last layer has these users alone: (B+I, D).
        """
        items = self.features if self.encoder is None else unit_rows(self.encoder(self.features))
        sides, heard = [unit_rows(self.preferences), items], self.heard  # or features of any scale would drown users
        of_sides = list(ids.split([len(side) for side in sides]))
        for depth, (gather, transfer, join) in enumerate(zip(self.gather, self.transfer, self.join, strict=True), 1):
            of_items = gather(to_items @ sides[0])
            if last is not None and depth == len(self.gather):
                chosen, to_users = last
                sides[0], of_sides[0] = (table.index_select(0, chosen) for table in (sides[0], of_sides[0]))
                heard = None if heard is None else heard.index_select(0, chosen)
            if items_first(to_users, sides[1].shape[1]):
                of_users = to_users @ gather(sides[1])
            else:
                of_users = gather(to_users @ sides[1] if heard is None else heard)
            h, heard = [F.leaky_relu(x, inplace=True) for x in (of_users, of_items)], None  # aggregation (eq. 2)
            own_view = [F.leaky_relu(transfer(x)) + e for x, e in zip(sides, of_sides, strict=True)]  # (eq. 5)
            sides = [joined(join, *views) for views in zip(h, own_view, strict=True)]  # (eq. 6, by concatenation)
        return torch.cat(sides)


def items_first(to_users: SparseMatrix, width: int) -> bool:
    """Whether what users hear is quicker formed of the items' W x than by W of each user's mean, which is the same.

    Of U rows' products of ``width`` numbers each, I remain, and the product with the graph is of W x anew.
    """
    users, items = to_users.shape
    return (users - items) * width > GRAPH_COST * len(to_users.values)


def joined(join: nn.Module, a: Tensor, b: Tensor) -> Tensor:
    """What the layer makes of the columns of both, which are not copied side by side: (n, d), (n, D) -> (n, D)."""
    of_a, of_b = join.get_parameter("weight").tensor_split([a.shape[1]], dim=1)
    return F.leaky_relu(F.linear(a, of_a, join.get_parameter("bias")) + F.linear(b, of_b), inplace=True)


def own(module: nn.Module, name: str, shape: tuple[int, int], *, trained: bool) -> None:
    """Give the module a Xavier table: a parameter, or a buffer of its state."""
    table = nn.init.xavier_normal_(torch.empty(shape))
    if trained:
        module.register_parameter(name, nn.Parameter(table))
    else:
        module.register_buffer(name, table)
