"""Which of the things in a picture its title is about: the title is evidence for a choice, never a source of words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from viral.encode.vision import class_synonyms
from viral.enrich.pixel.colour_names import NAMES
from viral.enrich.pixel.colours import COLOURED, Colour, prototypes_of
from viral.enrich.pixel.printed_text import PrintedWords
from viral.enrich.pixel.sight import SeenThing

FloatArray = npt.NDArray[np.float32]

LONGEST_TITLE = 400  # characters that are looked at
COLOUR_WORDS = {name: name for name in NAMES} | {
    **dict.fromkeys(("gray", "silver"), "grey"),
    **dict.fromkeys(("scarlet", "crimson", "burgundy", "wine", "maroon", "bordeaux"), "red"),
    **dict.fromkeys(("navy", "denim"), "blue"),
    **dict.fromkeys(("gold", "golden", "mustard"), "yellow"),
    **dict.fromkeys(("khaki", "olive"), "khaki green"),
    **dict.fromkeys(("aqua", "cyan"), "turquoise"),
    **dict.fromkeys(("violet", "lilac", "indigo", "lavender"), "purple"),
    **dict.fromkeys(("magenta", "fuchsia", "rose"), "pink"),
    **dict.fromkeys(("chocolate", "bronze"), "brown"),
    **dict.fromkeys(("cream", "ivory", "tan", "camel", "nude"), "beige"),
}
PATTERN_WORDS = {
    **dict.fromkeys(("stripe", "striped", "pinstripe"), "striped"),
    **dict.fromkeys(("dot", "dotted", "polka", "spotted"), "dotted"),
    **dict.fromkeys(("check", "checked", "checkered", "chequered", "plaid", "gingham"), "checked"),
    **dict.fromkeys(("zigzag", "chevron"), "zigzag"),
}
CLASS_WEIGHT, COLOUR_WEIGHT, PATTERN_WEIGHT, TEXT_WEIGHT, PROMINENCE_WEIGHT = 2.0, 2.0, 1.0, 1.5, 0.4
FLOOR = 0.1  # of probability or share: evidence well below this tells little
NEAR = 18.0  # in Lab: what still passes for the colour that a title names


@dataclass(frozen=True, slots=True)
class Title:
    """What a title says that can be looked for: classes (with their names), colours, patterns, and bare words."""

    classes: tuple[int, ...] = ()
    colours: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()


def read_title(title: str) -> Title:
    """Find the class names, colours and patterns in a title."""
    words = [singular(word) for word in re.findall(r"[^\W\d_]+", title[:LONGEST_TITLE].lower())]
    classes = _classes(words)
    colours = dict.fromkeys(COLOUR_WORDS[word] for word in words if word in COLOUR_WORDS)
    patterns = dict.fromkeys(PATTERN_WORDS[word] for word in words if word in PATTERN_WORDS)
    return Title(tuple(sorted(classes)), tuple(colours), tuple(patterns), frozenset(words))


def named_classes(categories: Iterable[str]) -> frozenset[int]:
    """The classes that are named by any of a catalogue's categories."""
    return frozenset(number for category in set(categories) for number in read_title(category).classes)


def _classes(words: Sequence[str]) -> set[int]:
    phrases = {" ".join(words[start : start + length]) for length in (1, 2, 3) for start in range(len(words))}
    return {number for phrase in phrases for number in _classes_by_name().get(phrase, ())}


def singular(word: str) -> str:
    """A noun without its plural ending."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(ss|sh|ch|x|z)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word


@cache
def _classes_by_name() -> dict[str, tuple[int, ...]]:
    """ImageNet's classes by each of their names and by each name's last word, its noun (``coffee mug``, ``mug``)."""
    found: dict[str, set[int]] = {}
    for number, names in enumerate(class_synonyms()):
        for name in names:
            words = [singular(word) for word in re.findall(r"[^\W\d_]+", re.sub(r"\(.*\)", "", name).lower())]
            for key in {" ".join(words), *words[-1:]}:
                found.setdefault(key, set()).add(number)
    return {name: tuple(sorted(numbers)) for name, numbers in found.items()}


@dataclass(frozen=True, slots=True)
class TitleEvidence:
    """How well each thing fits a title, and the parts: class, colour, pattern, printed words. All (T,)."""

    total: FloatArray
    by_class: FloatArray  # probability of the likeliest class that the title names
    by_colour: FloatArray  # share of the surface in the colours that it names
    by_pattern: FloatArray
    by_text: FloatArray  # share of its words that are printed on the thing


def weigh(things: Sequence[SeenThing], probabilities: FloatArray, title: Title) -> TitleEvidence:
    """The evidence for each of T things, whose class probabilities are (T, 1000)."""
    named = list(title.classes)
    by_class = probabilities[:, named].max(axis=1) if named else np.zeros(len(things), np.float32)
    by_colour = _each(colour_share(thing.surface.colours, title.colours) for thing in things)
    by_pattern = _each(float(thing.surface.pattern.name in title.patterns) for thing in things)
    by_text = _each(printed_share(thing.words, title) for thing in things)
    prominence = _each(thing.region.prominence for thing in things)
    total = (
        CLASS_WEIGHT * _relative(by_class)
        + COLOUR_WEIGHT * _relative(by_colour)
        + PATTERN_WEIGHT * _relative(by_pattern)
        + TEXT_WEIGHT * by_text
        + PROMINENCE_WEIGHT * prominence / max(1e-6, float(prominence.max(initial=0)))
    )
    return TitleEvidence(total.astype(np.float32), by_class, by_colour, by_pattern, by_text)


def _each(values: object) -> FloatArray:
    return np.fromiter(values, dtype=np.float32)  # type: ignore[call-overload]


def _relative(evidence: FloatArray) -> FloatArray:
    """Evidence as shares of one among the things: what all of them show tells nothing about any."""
    return evidence / (evidence.sum() + FLOOR)


def colour_share(colours: Sequence[Colour], names: Sequence[str]) -> float:
    """The share of a surface whose colour passes for the best fitting of ``names``."""
    return max((sum(c.share * _passes(c, name) for c in colours) for name in names), default=0.0)


def _passes(colour: Colour, name: str) -> float:
    """How well a colour passes for a name (0…1): fully by its own, by nearness if it has a hue at all."""
    if colour.name == name:
        return 1.0
    if np.hypot(*colour.lab[1:]) < COLOURED:
        return 0.0
    return float(np.exp(-((colour.distance(prototypes_of(name)).min() / NEAR) ** 2)))


def printed_share(lines: Sequence[PrintedWords], title: Title) -> float:
    """The share of a title's words (of three letters or more) that are printed in ``lines``."""
    read = {singular(word) for line in lines for word in re.findall(r"[^\W\d_]+", line.text.lower())}
    telling = {word for word in title.words if len(word) > 2}
    return len(telling & read) / len(telling) if telling else 0.0
