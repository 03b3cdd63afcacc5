"""The contract every recommender keeps, and the scorers that outlive it.

Shapes: U users, I items, B batch, D embedding dimension.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets

ConfigT = TypeVar("ConfigT")


class Embeddings(NamedTuple):
    """Final representations; a user's score for an item is their inner product."""

    users: Tensor  # (U, D)
    items: Tensor  # (I, D)


class Scorer(Protocol):
    """What ranks: all that is left of a model once it is trained."""

    @property
    def num_users(self) -> int: ...

    @property
    def num_items(self) -> int: ...

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """Scores of every item: (B,) -> (B, I), written into ``out`` where given."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingScorer:
    """Inner products of two tables. ``parts`` names column ranges whose products add up to the score."""

    users: Tensor  # (U, D)
    items: Tensor  # (I, D)
    parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def num_users(self) -> int:
        return len(self.users)

    @property
    def num_items(self) -> int:
        return len(self.items)

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        return torch.matmul(self.users[users], self.items.T, out=out)

    def split(self, user: int, item: int) -> dict[str, float]:
        """The score of one pair as the sum of its named parts."""
        products = self.users[user].double() * self.items[item].double()  # (D,)
        parts = self.parts or {"score": (0, len(products))}
        return {name: products[start:stop].sum().item() for name, (start, stop) in parts.items()}


@dataclass(frozen=True, slots=True, eq=False)
class HistoryScorer:
    """Sum of item-item weights over what a user has taken: x_u W (ItemKNN, EASE)."""

    offsets: Tensor  # (U+1,) int64: user u took items[offsets[u] … offsets[u+1]]
    items: Tensor  # (E,) int64
    weights: Tensor  # (I, I) float32: weights[i, j] is what having taken i says for j

    @property
    def num_users(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_items(self) -> int:
        return len(self.weights)

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        starts, lengths = self.offsets[users], self.offsets[users + 1] - self.offsets[users]
        bags = nn.functional.pad(lengths.cumsum(0), (1, 0))
        shifts = (starts - bags[:-1]).repeat_interleave(lengths)
        places = torch.arange(len(shifts), device=shifts.device) + shifts
        scores = nn.functional.embedding_bag(
            self.items[places].int(), self.weights, bags.int(), mode="sum", include_last_offset=True
        )
        return scores if out is None else out.copy_(scores)

    @property
    def columns(self) -> Tensor:
        """The items' side: row i is what each item, taken, says for i."""
        return self.weights.T

    def of(self, taken: Tensor) -> Tensor:
        """Scores of all items for somebody who took ``taken`` (n,): (I,)."""
        return self.weights[taken].sum(dim=0)

    def split(self, user: int, item: int) -> dict[str, float]:
        """The score of one pair; these models have no parts."""
        taken = self.items[self.offsets[user] : self.offsets[user + 1]]
        return {"score": self.weights[taken, item].double().sum().item()}


class Recommender(nn.Module, ABC, Generic[ConfigT]):
    """A model that scores every item for every user.

    A subclass names its ``Config`` (a frozen dataclass of hyper-parameters) and builds itself from the inputs. It never
    touches files, devices or optimisers. One without parameters is trained when it is built (closed form) and
    implements :meth:`scorer`; the others derive from :class:`EmbeddingRecommender`.
    """

    Config: ClassVar[type[Any]]
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]] = {}  # what `viral tune` tries: candidates by config or train field
    TRAIN: ClassVar[Mapping[str, Any]] = {}  # of the training, where a recipe leaves it out
    MEMORY: ClassVar[Literal["off", "ease"]] = "off"  # likewise, the kind of memory

    def __init__(self, inputs: ModelInputs, config: ConfigT) -> None:
        super().__init__()
        self.config = config
        self.num_users = inputs.train.num_users
        self.num_items = inputs.train.num_items

    @property
    def reads(self) -> tuple[str, ...]:
        """The modalities that the model reads: those of its configuration's ``sources``, none of models without."""
        return tuple(dict.fromkeys(getattr(self.config, "sources", {}).values()))

    @classmethod
    def variant(cls, config: Mapping[str, Any]) -> "type[Recommender[Any]]":
        """The class that a configuration, as a recipe has it, is of: most models have but one."""
        return cls

    @abstractmethod
    def scorer(self) -> Scorer:
        """What ranks: a pure function of the parameters and the graphs, detached from the model."""

    def score(self, users: Tensor) -> Tensor:
        """Score every item for ``users``: (B,) -> (B, I)."""
        return self.scorer()(users)


class EmbeddingRecommender(Recommender[ConfigT]):
    """A model that embeds users and items in one space and learns by gradient: :meth:`embed` and :meth:`loss`."""

    RANKING: ClassVar[frozenset[str]] = frozenset({"bpr"})  # the terms of ``loss`` that another ranking loss replaces

    @abstractmethod
    def embed(self) -> Embeddings:
        """Embed every user and every item: a pure function of the parameters and the graphs."""

    @abstractmethod
    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        """Named scalar terms; the trainer minimises their sum and logs each."""

    def side_terms(self, batch: Callable[[], Triplets]) -> dict[str, Tensor]:
        """The terms of the loss beside the ranking; a model without any need not draw the ``batch``."""
        return {name: term for name, term in self.loss(batch()).items() if name not in self.RANKING}

    def on_epoch_start(self, rng: torch.Generator) -> None:
        """Resample whatever the model resamples once per epoch; most models resample nothing."""

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        """Column ranges of the embeddings whose inner products are the named parts of a score."""
        return {}

    @torch.no_grad()
    def scorer(self) -> EmbeddingScorer:
        training = self.training
        self.eval()
        users, items = self.embed()
        self.train(training)
        return EmbeddingScorer(_detached(users), _detached(items), self.parts)


def _detached(table: Tensor) -> Tensor:
    """A copy: a model without propagation embeds by its own parameters, which further training would change."""
    return table.detach().clone(memory_format=torch.contiguous_format)
