"""The numbers of VIRAL's default variant, ``beyond``, and which modalities it reads."""

from dataclasses import dataclass
from typing import Literal

from viral.base.errors import DataError, UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs

AUTO = "auto"
ANCHORS = ("text", "title")  # the first that is there
SENSES = ("image", "audio", "video")  # all that are there
DESCRIPTION, PIXELS = "description", " of pixel/"  # as the encoder's name says who described


@dataclass(frozen=True, kw_only=True)
class BeyondConfig:
    """Defaults were chosen on validation over six data sets (docs/leaderboard.md).

    ``sources`` are modalities, the anchor first: of each other one only what those before it do not predict enters.
    """

    variant: Literal["beyond"] = "beyond"
    sources: tuple[str, ...] = (AUTO,)
    synergy: bool = True  # information of two sources that only both of them hold
    unique: Literal["ridge", "raw"] = "ridge"  # of a source after the first: what is not predicted, or all of it
    taste: bool = True  # a free table of the items, as one more branch
    item_graph: bool = True
    user_graph: bool = False
    embedding_dim: int = 64  # of each branch
    crossmodal_dim: int = 32  # of the synergy
    hidden_dim: int = 64  # of the encoders
    num_layers: int = 2  # of the user-item graph
    num_neighbors: int = 10  # of the item graph, by content and by co-occurrence
    num_user_neighbors: int = 10
    co_occurrence_weight: float = 0.0  # of the item graph's share that is not content's
    edge_dropout: float = 0.2  # share of the interactions that an epoch's graph leaves out

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, crossmodal_dim=1, hidden_dim=1, num_layers=0, num_neighbors=1)
        check_least(self, num_user_neighbors=1, co_occurrence_weight=0, edge_dropout=0)
        if self.variant != "beyond":
            raise UsageError(f"variant = {self.variant!r} has other fields: VIRALConfig", where="BeyondConfig")
        if self.co_occurrence_weight > 1 or self.edge_dropout >= 1:
            raise UsageError("co_occurrence_weight is at most 1, edge_dropout below 1", where="BeyondConfig")
        if len(set(self.sources)) < len(self.sources):
            raise UsageError(f"sources = {self.sources} names a source twice", where="BeyondConfig")


def sources_of(config: BeyondConfig, inputs: ModelInputs) -> tuple[str, ...]:
    """The modalities that are read, the anchor first; ``auto`` stands for what the data set has.

    That is the catalogue's text (else the title), then picture, sound and video by their own features, then the words
    about the picture where a vision-language model or a human wrote them, or where there are no features of the
    picture: words made of pixels hold less than the pixels (docs/pictures.md).
    """
    if AUTO not in config.sources:
        return config.sources
    there = inputs.features
    anchors = [name for name in ANCHORS if name in there][:1]
    senses = [name for name in SENSES if name in there]
    seen = DESCRIPTION in there and not ("image" in there and PIXELS in inputs.encoders.get(DESCRIPTION, ""))
    found = [*anchors, *senses, *([DESCRIPTION] if seen else [])]
    named = [name for name in config.sources if name != AUTO and name not in found]
    if not found + named and not config.taste:
        raise DataError("the data set has no features, and without taste nothing is left", hint="viral encode DATASET")
    return (*found, *named)


def why_unread(name: str, sources: tuple[str, ...], inputs: ModelInputs) -> str:
    """Why a modality that is there is not read by a model of these configured sources."""
    if AUTO not in sources:
        return "it is not among the sources"
    if name in ANCHORS:
        return "the text has the titles in it"
    if name == DESCRIPTION and PIXELS in inputs.encoders.get(DESCRIPTION, ""):
        return "words made of the pixels tell less than the picture's own features"
    return f'it is read where it is named: --set \'sources=["{AUTO}","{name}"]\''
