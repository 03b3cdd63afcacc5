"""The ablation groups of VIRAL's default variant: each new part, each source, and what its evidence is worth."""

from collections.abc import Mapping, Sequence

from viral.base.language import marked
from viral.lab.study.ablation.variant_groups import Variant, VariantGroup, changed

SHUFFLED, RANDOM = "shuffled:", "random:"


def _sources(rows: Mapping[str, tuple[str, ...]]) -> tuple[Variant, ...]:
    """Rows by name, each with what it reads."""
    return changed({name: {"sources": sources} for name, sources in rows.items()})


def _evidence(anchor: str, words: str) -> tuple[Variant, ...]:
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
            f"{anchor} + shuffled words": (anchor, SHUFFLED + words),
            f"{anchor} + random words": (anchor, RANDOM + words),
            f"{anchor} + shuffled picture": (anchor, SHUFFLED + "image"),
            f"{anchor} + random picture": (anchor, RANDOM + "image"),
        }
    )


BEYOND: Sequence[VariantGroup] = (
    VariantGroup(
        name="components",
        title=marked("Without a part"),
        question=marked(
            "What does the default lose without each of its parts, and with the published loss in the place of"
            " the softmax?"
        ),
        variants=changed(
            {
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
            }
        ),
        of="beyond",
    ),
    VariantGroup(
        name="sources",
        title=marked("What is read of text and picture"),
        question=marked(
            "Does the picture, or do words about it, add to the title; and more than features of the same width"
            " that tell nothing of the item?"
        ),
        variants=_evidence("title", "description"),
        of="beyond",
    ),
    VariantGroup(
        name="words",
        title=marked("What a describer's words are worth"),
        question=marked("As “sources”, with the describer's words alone where descriptions repeat the title."),
        variants=_evidence("title", "words"),
        of="beyond",
    ),
    VariantGroup(
        name="senses",
        title=marked("Picture and sound"),
        question=marked(
            "What do the picture's features and the sound's add, alone, together, and in place of one another?"
        ),
        variants=_sources(
            {
                "no content": (),
                "picture": ("image",),
                "sound": ("audio",),
                "picture + sound": ("image", "audio"),
                "picture + shuffled sound": ("image", SHUFFLED + "audio"),
                "shuffled picture + sound": (SHUFFLED + "image", "audio"),
            }
        ),
        of="beyond",
    ),
)
DEFAULT_BEYOND = ("anchors", "components")
