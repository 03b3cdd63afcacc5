"""What an ablation is made of, as data: groups of rows that differ from the full model in named settings, and why.

``PUBLISHED`` takes the published readings of VIRAL apart; its first seven groups are those of the paper's Table 2 and
modality study (arXiv 2511.02113) and the controls it lacks. ``BEYOND`` takes the default variant apart: each new part,
each source, and what its evidence is worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from viral.base.language import marked
from viral.models.viral.paper_config import RANDOM

FULL = "VIRAL (full)"
TEXT_ONLY, VISUAL_ONLY, TITLE_ONLY = "text only", "visual only", "title only"
MIXTURE = {"synergy": "off", "redundancy": False, "projection": False, "user_weights": "off"}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A row of an ablation: what differs from the full model's configuration, or another model at its defaults."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the configuration, or ``train.…``, ``memory.…``
    model: str = "viral"
    place: float | None = None  # on the axis of a sweep


@dataclass(frozen=True, kw_only=True)
class VariantGroup:
    """Rows that belong together: each by its name, with the settings that it changes, or with another model.

    ``parameter`` makes them a sweep over that symbol, each row with one value of one number.
    """

    name: str
    title: str
    question: str
    rows: Mapping[str, Mapping[str, Any]]
    parameter: str = ""
    of: Literal["published", "beyond", "any"] = "published"  # the variants of VIRAL that it takes apart

    @property
    def variants(self) -> tuple[Variant, ...]:
        return tuple(self._variant(name, dict(settings)) for name, settings in self.rows.items())

    def _variant(self, name: str, settings: dict[str, Any]) -> Variant:
        model = settings.pop("model", "viral")
        place = float(*settings.values()) if self.parameter else None
        return Variant(name=name, settings=settings, model=model, place=place)


PUBLISHED = (
    VariantGroup(
        name="anchors",
        title=marked("The full model and its anchors"),
        question=marked("Is the whole better than models that know nothing of items' content?"),
        rows={FULL: {}, "LightGCN": {"model": "lightgcn"}, "Popularity": {"model": "popularity"}},
        of="any",
    ),
    VariantGroup(
        name="parts",
        title=marked("Without a part"),
        question=marked(
            "What does the model lose without synergy, without redundancy, without taking it out of the"
            " picture? “No R, text out” projects the text itself out of the picture instead of the learnt part."
        ),
        rows={
            "no S": {"synergy": "off"},
            "no R": {"redundancy": False, "projection": False},
            "no R, text out": {"redundancy": False, "projection": True},
            "no projection": {"projection": False},
        },
    ),
    VariantGroup(
        name="fusion",
        title=marked("Another fusion"),
        question=marked("Does the decomposition do better than putting the modalities side by side, or mixing them?"),
        rows={f"{name} fusion": {"fusion": name, **MIXTURE} for name in ("concat", "weighted", "attention")},
    ),
    VariantGroup(
        name="modalities",
        title=marked("One modality alone"),
        question=marked("What is each modality worth without the other?"),
        rows={
            TEXT_ONLY: {"visual": None},
            VISUAL_ONLY: {"text": None},
        },
    ),
    VariantGroup(
        name="picture",
        title=marked("Another source in the picture's place"),
        question=marked(
            "Is it the words about the picture that help? The description contains the title: if “title only” does"
            " as well, the picture adds nothing; if “random” does, it is the second branch and not its content."
        ),
        rows={
            "no enrichment": {"visual": "image"},
            "no title guidance": {"visual": "description-plain"},
            TITLE_ONLY: {"visual": "title"},
            "random visual": {"visual": RANDOM},
        },
    ),
    VariantGroup(
        name="neighbors",
        title=marked("Neighbours in the item graph"),
        question=marked("How many similar items should an item hear of?"),
        rows={f"k = {value:g}": {"num_neighbors": value} for value in (5, 10, 15, 20)},
        parameter="k",
    ),
    VariantGroup(
        name="alignment",
        title=marked("Weight of the alignment"),
        question=marked("Does aligning the parts (InfoNCE) help, and how much of it?"),
        rows={f"λ = {value:g}": {"alignment_weight": value} for value in (0.0, 0.001, 0.01, 0.1)},
        parameter="λ",
    ),
    VariantGroup(
        name="graphs",
        title=marked("Without a graph or the users' weights"),
        question=marked(
            "What do the item graph, the user graph and the weights that each user has for the branches add?"
        ),
        rows={
            "no item graph": {"item_graph": False},
            "no user graph": {"user_graph": False},
            "no user weights": {"user_weights": "off"},
        },
    ),
    VariantGroup(
        name="readings",
        title=marked("Other readings of the method"),
        question=marked(
            "The authors' recommended branch, the paper's text, a synergy that is not alignment, attention"
            " over neighbours, knowledge fusion with the title."
        ),
        rows={
            "branch master": {"variant": "master"},
            "the paper's text": {"variant": "paper"},
            "interaction synergy": {"synergy": "interaction"},
            "attention over 10": {"attention_tokens": 10},
            "knowledge fusion": {"knowledge": "title"},
        },
    ),
)
DEFAULT_PUBLISHED = ("anchors", "parts", "fusion", "modalities", "picture", "neighbors", "alignment")


def _sources(rows: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, Any]]:
    """Rows by name, each with what it reads."""
    return {name: {"sources": sources} for name, sources in rows.items()}


def _evidence(anchor: str, words: str) -> dict[str, dict[str, Any]]:
    """One or more sources beside the anchor, and controls of the same width that tell nothing of the item."""
    return _sources(
        {
            "no content": (),
            anchor: (anchor,),
            "picture alone": ("image",),
            "words alone": (words,),
            f"{anchor} + words": (anchor, words),
            f"{anchor} + picture": (anchor, "image"),
            f"{anchor} + picture + words": (anchor, "image", words),
            f"{anchor} + shuffled words": (anchor, f"shuffled:{words}"),
            f"{anchor} + random words": (anchor, f"random:{words}"),
            f"{anchor} + shuffled picture": (anchor, "shuffled:image"),
            f"{anchor} + random picture": (anchor, "random:image"),
        }
    )


BEYOND = (
    VariantGroup(
        name="components",
        title=marked("Without a part"),
        question=marked(
            "What does the default lose without each of its parts, and with the published loss in the place of"
            " the softmax?"
        ),
        rows={
            "no memory": {"memory.kind": "off"},
            "BPR for softmax": {"train.loss": "own"},
            "BPR, no memory": {"train.loss": "own", "memory.kind": "off"},
            "no taste": {"taste": False},
            "no synergy": {"synergy": False},
            "raw, not unique": {"unique": "raw"},
            "no item graph": {"item_graph": False},
            "no edge dropout": {"edge_dropout": 0.0},
            "with co-occurrence": {"co_occurrence_weight": 0.5},
            "with user graph": {"user_graph": True},
        },
        of="beyond",
    ),
    VariantGroup(
        name="sources",
        title=marked("What is read of text and picture"),
        question=marked(
            "Does the picture, or do words about it, add to the title; and more than features of the same width"
            " that tell nothing of the item?"
        ),
        rows=_evidence("title", "description"),
        of="beyond",
    ),
    VariantGroup(
        name="words",
        title=marked("What a describer's words are worth"),
        question=marked("As “sources”, with the describer's words alone where descriptions repeat the title."),
        rows=_evidence("title", "words"),
        of="beyond",
    ),
    VariantGroup(
        name="senses",
        title=marked("Picture and sound"),
        question=marked(
            "What do the picture's features and the sound's add, alone, together, and in place of one another?"
        ),
        rows=_sources(
            {
                "no content": (),
                "picture": ("image",),
                "sound": ("audio",),
                "picture + sound": ("image", "audio"),
                "picture + shuffled sound": ("image", "shuffled:audio"),
                "shuffled picture + sound": ("shuffled:image", "audio"),
            }
        ),
        of="beyond",
    ),
)
DEFAULT_BEYOND = ("anchors", "components")
GROUPS: Mapping[str, VariantGroup] = {group.name: group for group in (*PUBLISHED, *BEYOND)}
