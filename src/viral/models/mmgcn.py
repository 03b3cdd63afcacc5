"""MMGCN: a graph network per modality, tied to the others by the nodes' ids.

Wei et al., "MMGCN: Multi-modal Graph Convolution Network for Personalized Recommendation of Micro-video", ACM MM 2019,
https://doi.org/10.1145/3343031.3351034. Shapes: U users, I items, N = U + I nodes, B batch, D, d widths, F features.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.data import ModelInputs, Triplets
from viral.graph import SparseMatrix
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.content import Content, ContentConfig
from viral.nn import bpr_loss, dot, unit_rows
from viral.nn.fusion import linear
from viral.recipe import check_least


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
    """s(u, i) = ⟨u, i⟩, each the mean over modalities of what its network says of the node."""

    Config = MMGCNConfig
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "learning_rate": (1e-4, 5e-4, 1e-3, 5e-3, 1e-2),
        "reg_weight": (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.1),
    }
    ids: Tensor  # (N, D)

    def __init__(self, inputs: ModelInputs, config: MMGCNConfig) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config)
        own(self, "ids", (self.num_users + self.num_items, config.embedding_dim), trained=config.train_ids)
        widths = {"visual": config.visual_dim, "text": config.text_dim}
        features = self.content.features
        networks = {m: ModalNetwork(self.num_users, x.shape[1], widths[m], config) for m, x in features.items()}
        self.networks = cast("Mapping[str, ModalNetwork]", nn.ModuleDict(networks))
        self.means = nn.ModuleList(graph.neighbor_means(inputs.train))

    def embed(self) -> Embeddings:
        x = self.content.features
        means = cast("Iterable[SparseMatrix]", self.means)
        nodes = [network(x[role], self.ids, means) for role, network in self.networks.items()]
        users, items = torch.stack(nodes).mean(dim=0).tensor_split([self.num_users])
        return Embeddings(users, items)

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        users, items = self.embed()
        u = users.index_select(0, batch.users)  # (B, D)
        rows = torch.cat([batch.positives, batch.negatives])
        chosen, skipped = items.index_select(0, rows).chunk(2)
        terms = {"bpr": bpr_loss(dot(u, chosen), dot(u, skipped))}
        if self.config.train_ids:
            ids = self.ids.index_select(0, torch.cat([batch.users, rows + self.num_users]))
            tables = [network.preferences.index_select(0, batch.users) for network in self.networks.values()]
            terms["reg"] = self.config.reg_weight * torch.stack([x.square().mean() for x in (ids, *tables)]).sum()
        return terms


class ModalNetwork(nn.Module):
    """The graph network of one modality: users start from a free table, items from their features."""

    preferences: Tensor  # (U, d)

    def __init__(self, num_users: int, in_dim: int, width: int | None, config: MMGCNConfig) -> None:
        super().__init__()
        self.encoder = nn.Identity() if width is None else linear(in_dim, width)
        own(self, "preferences", (num_users, width or in_dim), trained=config.train_ids)
        dim = config.embedding_dim
        widths = [width or in_dim] + [dim] * (config.num_layers - 1)
        self.gather = nn.ModuleList(linear(d, d, bias=False) for d in widths)
        self.transfer = nn.ModuleList(linear(d, dim) for d in widths)
        self.join = nn.ModuleList(linear(d + dim, dim) for d in widths)

    def forward(self, features: Tensor, ids: Tensor, means: Iterable[SparseMatrix]) -> Tensor:
        """(I, F), (N, D) -> (N, D). Users and items apart: what users hear of fixed features needs no gradient."""
        sides = [unit_rows(self.preferences), unit_rows(self.encoder(features))]  # or features of any scale drown users
        of_sides = ids.split([len(side) for side in sides])
        for gather, transfer, join in zip(self.gather, self.transfer, self.join, strict=True):
            heard = [mean @ other for mean, other in zip(means, reversed(sides), strict=True)]
            h = [F.leaky_relu(gather(x), inplace=True) for x in heard]  # aggregation (eq. 2)
            own_view = [F.leaky_relu(transfer(x)) + e for x, e in zip(sides, of_sides, strict=True)]  # (eq. 5)
            sides = [joined(join, *views) for views in zip(h, own_view, strict=True)]  # (eq. 6, by concatenation)
        return torch.cat(sides)


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
