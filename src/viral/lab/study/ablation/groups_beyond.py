"""The ablation studies of VIRAL's default variant: each new part, each source, and what its evidence is worth."""

from collections.abc import Sequence

from viral.base.language import marked
from viral.lab.study.ablation.variants import Study, Variant

SHUFFLED, RANDOM = "shuffled:", "random:"


def _sources(*names: str) -> dict[str, tuple[str, ...]]:
    return {"sources": names}


def _evidence(anchor: str, words: str) -> tuple[Variant, ...]:
    """One or more sources beside the anchor, and controls of the same width that tell nothing of the item."""
    return (
        Variant(name="no content", settings=_sources()),
        Variant(name=anchor, settings=_sources(anchor)),
        Variant(name="picture alone", settings=_sources("image")),
        Variant(name="words alone", settings=_sources(words)),
        Variant(name=f"{anchor} + words", settings=_sources(anchor, words)),
        Variant(name=f"{anchor} + picture", settings=_sources(anchor, "image")),
        Variant(name=f"{anchor} + picture + words", settings=_sources(anchor, "image", words)),
        Variant(name=f"{anchor} + shuffled words", settings=_sources(anchor, SHUFFLED + words)),
        Variant(name=f"{anchor} + random words", settings=_sources(anchor, RANDOM + words)),
        Variant(name=f"{anchor} + shuffled picture", settings=_sources(anchor, SHUFFLED + "image")),
        Variant(name=f"{anchor} + random picture", settings=_sources(anchor, RANDOM + "image")),
    )


BEYOND: Sequence[Study] = (
    Study(
        name="components",
        title=marked("Without a part"),
        question=marked(
            "What does the default lose without each of its parts, and with the published loss in the place of"
            " the softmax?"
        ),
        variants=(
            Variant(name="no memory", settings={"memory.kind": "off"}),
            Variant(name="BPR for softmax", settings={"train.loss": "own"}),
            Variant(name="BPR, no memory", settings={"train.loss": "own", "memory.kind": "off"}),
            Variant(name="no taste", settings={"taste": False}),
            Variant(name="no synergy", settings={"synergy": False}),
            Variant(name="raw, not unique", settings={"unique": "raw"}),
            Variant(name="no item graph", settings={"item_graph": False}),
            Variant(name="no edge dropout", settings={"edge_dropout": 0.0}),
            Variant(name="with co-occurrence", settings={"co_occurrence_weight": 0.5}),
            Variant(name="with user graph", settings={"user_graph": True}),
        ),
        of="beyond",
    ),
    Study(
        name="sources",
        title=marked("What is read of text and picture"),
        question=marked(
            "Does the picture, or do words about it, add to the title; and more than features of the same width"
            " that tell nothing of the item?"
        ),
        variants=_evidence("title", "description"),
        of="beyond",
    ),
    Study(
        name="words",
        title=marked("What a describer's words are worth"),
        question=marked("As “sources”, with the describer's words alone where descriptions repeat the title."),
        variants=_evidence("title", "words"),
        of="beyond",
    ),
    Study(
        name="senses",
        title=marked("Picture and sound"),
        question=marked(
            "What do the picture's features and the sound's add, alone, together, and in place of one another?"
        ),
        variants=(
            Variant(name="no content", settings=_sources()),
            Variant(name="picture", settings=_sources("image")),
            Variant(name="sound", settings=_sources("audio")),
            Variant(name="picture + sound", settings=_sources("image", "audio")),
            Variant(name="picture + shuffled sound", settings=_sources("image", SHUFFLED + "audio")),
            Variant(name="shuffled picture + sound", settings=_sources(SHUFFLED + "image", "audio")),
        ),
        of="beyond",
    ),
)
DEFAULT_BEYOND = ("anchors", "components")
