"""The contract every recommender keeps; the scorers that outlive it are in :mod:`viral.models.scorers`.

Shapes: U users, I items, B batch, D embedding dimension.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from viral.base.errors import UsageError
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.models.scorers import EmbeddingScorer, Scorer

ConfigT = TypeVar("ConfigT")


class Embeddings(NamedTuple):
    """Final representations; a user's score for an item is their inner product."""

    users: Tensor  # (U, D)
    items: Tensor  # (I, D)


class ItemFeatures(NamedTuple):
    """Features of some items by modality, and which of them are the items' own and not filled in."""

    values: Mapping[str, Tensor]  # modality -> (n, F)
    present: Mapping[str, Tensor]  # modality -> (n,) bool


class Trained(NamedTuple):
    """What a bundle keeps of a trained model, to embed items that it never saw."""

    parameters: Mapping[str, Tensor]  # its state
    known: ItemFeatures  # of the items that it was trained on
    unlinked: Tensor | None  # (I, D), see :meth:`Recommender.unlinked`


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

    @property
    def trainable(self) -> "EmbeddingRecommender[ConfigT] | None":
        """The model itself where it learns by gradient; None where it is trained once it is built."""
        return None

    def unlinked(self) -> Tensor | None:
        """Item vectors (I, D) before an item graph adds the similar ones; None of models that have none apart."""
        return None

    @classmethod
    def new_item_modalities(cls, config: ConfigT, trained: Trained) -> tuple[str, ...]:
        """The modalities that :meth:`embed_new_items` reads; none where there is no such way, as in most models."""
        return ()

    @classmethod
    def embed_new_items(cls, config: ConfigT, trained: Trained, new: ItemFeatures) -> Tensor:
        """Vectors of items that came after training, by what the model learnt of features: n items -> (n, D).

        Optional: a model without it has its new items embedded by a rule that is learnt from the known ones
        (:mod:`viral.run.retrieval.new_items`). ``new`` has the modalities of :meth:`new_item_modalities`, the mean of
        the known items in the place of what is absent.
        """
        hint = "write that method, or leave new_item_modalities out"
        raise UsageError(f"{cls.__name__} names modalities of new items and has no embed_new_items", hint=hint)

    @abstractmethod
    def scorer(self) -> Scorer:
        """What ranks: a pure function of the parameters and the graphs, detached from the model."""

    def score(self, users: Tensor) -> Tensor:
        """Score every item for ``users``: (B,) -> (B, I)."""
        return self.scorer()(users)


class EmbeddingRecommender(Recommender[ConfigT]):
    """A model that embeds users and items in one space and learns by gradient: :meth:`embed` and :meth:`loss`."""

    RANKING: ClassVar[frozenset[str]] = frozenset({"bpr"})  # the terms of ``loss`` that another ranking loss replaces

    @property
    def trainable(self) -> "EmbeddingRecommender[ConfigT]":
        return self

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
