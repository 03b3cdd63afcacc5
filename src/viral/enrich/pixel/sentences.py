"""Sentences for what was seen. They say no more than the pixels tell, and how sure a guess is."""

import re
from collections.abc import Sequence, Set

import numpy as np
import numpy.typing as npt

from viral.encode.vision import class_names
from viral.enrich.pixel.colour_names import BRIGHT
from viral.enrich.pixel.colours import COLOURED, Colour
from viral.enrich.pixel.patterns import IRREGULAR, UNTOLD
from viral.enrich.pixel.printed_text import PrintedWords
from viral.enrich.pixel.relevance import Title, TitleEvidence, colour_share, printed_share, singular
from viral.enrich.pixel.sight import SeenThing, Sight
from viral.enrich.pixel.surface import Surface

FloatArray = npt.NDArray[np.float32]

SURE, LIKELY, POSSIBLE = 0.7, 0.35, 0.15  # probabilities of a class
UNASKED, UNASKED_PHOTO = 0.6, 0.9  # from which a class is named that no title names: of a clean thing, of anything
LEAST_NAMED = 0.03  # of the picture; smaller things are not guessed at unasked
TINTED = 70.0  # lightness of a backdrop from which a faint hue is not named
SOME = 0.1  # share from which a further colour is named
SUPPORT = 0.2  # share of the surface that shows a colour which the title names


def describe_all(sight: Sight, probabilities: FloatArray, classes: Set[int]) -> str:
    """Everything in the picture: its backdrop, every thing with place, surface, guess and words, further words."""
    if sight.scene.backdrop == "busy":
        return describe_whole(sight, probabilities, classes)
    backdrop = f"{_backdrop(sight)} backdrop"
    if not sight.things:
        return _sentences([f"Nothing stands out from the {backdrop}", _reading("The picture", sight.words)])
    count = len(sight.things)
    things = f"{_number(count)} thing{'s' if count > 1 else ''}"
    said = [f"The picture shows {things} on {_article(backdrop, capital=False)}"]
    for thing, row in zip(sight.things, probabilities, strict=True):
        guess = _guess(row, _unasked(thing), classes)
        parts = [surface_words(thing.surface) + (f" and {guess}" if guess else ""), _carrying(thing)]
        said.append(f"{_size(thing)} thing {_place(thing)} is {', '.join(part for part in parts if part)}")
    return _sentences([*said, _reading("Beside them, the picture", sight.words)])


def describe_focus(
    sight: Sight, probabilities: FloatArray, title: Title, evidence: TitleEvidence, classes: Set[int]
) -> str:
    """The one thing that the title is about, in detail, and what of the title the picture supports."""
    if not sight.things:
        return describe_all(sight, probabilities, classes)
    chosen = int(evidence.total.argmax())
    thing, row = sight.things[chosen], probabilities[chosen]
    named, asked = _asked(row, title)
    support = _support(thing, named if asked >= POSSIBLE else "", title, evidence, chosen)
    if sight.scene.backdrop == "busy":
        return _sentences([describe_whole(sight, probabilities, classes).rstrip("."), support])
    guess = _guess(row, 1.0 if title.classes else _unasked(thing), classes, named, asked)
    first = f"The item is {surface_words(thing.surface)}" + (f" and {guess}" if guess else "")
    carrying = _carrying(thing)
    beside = [*sight.words, *(line for other in sight.things if other is not thing for line in other.words)]
    caption = _reading("Beside it, the picture", [line for line in beside if printed_share((line,), title) > 0])
    return _sentences([first, f"It comes {carrying}" if carrying else "", caption, support])


def describe_whole(sight: Sight, probabilities: FloatArray, classes: Set[int]) -> str:
    """A picture without a backdrop (a photo, a poster): light, colours, a guess if it is a good one, all words."""
    lab, thing = sight.scene.lab, sight.things[0]
    light, chroma = float(lab[..., 0].mean()), float(np.hypot(lab[..., 1], lab[..., 2]).mean())
    tone = "dark" if light < 32 else "bright" if light > 68 else "moderately lit"
    strength = "muted" if chroma < 12 else "vivid" if chroma > 32 else "softly coloured"
    colours = thing.surface.colours
    main = f"mainly {_listed([colour.words for colour in colours[:2]])}"
    more = [colour.words for colour in colours[2:4] if colour.share >= SOME]
    picture = f"{tone} and {strength} {_format(sight)} picture, {main}" + (
        f" with some {_listed(more)}" if more else ""
    )
    guess = _guess(probabilities[0], UNASKED_PHOTO, classes)
    words = (*thing.words, *sight.words)
    return _sentences(
        [_article(picture), _slope(lab), f"It {guess}" if guess else "", _reading("The print in it", words)]
    )


def surface_words(surface: Surface) -> str:
    """A surface's colours and pattern: ``pink and white with a zigzag pattern``."""
    names = list(dict.fromkeys(colour.words for colour in surface.colours))
    if not names:
        return "of no clear colour"
    pattern = surface.pattern.name
    if pattern in ("plain", UNTOLD.name):
        return f"{pattern} {names[0]}".strip() + _further(surface.colours, names[:1])
    pair = _listed(names[:2])
    phrase = {
        "two-tone": f"two-tone, {pair}",
        "zigzag": f"{pair} with a zigzag pattern",
        "irregular": f"{pair} with an all-over print",
        "patterned": f"{pair} with a small pattern",
    }.get(pattern, f"{surface.pattern} in {pair}")
    return phrase + _further(surface.colours, names[:2])


def _further(colours: Sequence[Colour], said: Sequence[str]) -> str:
    more = dict.fromkeys(colour.words for colour in colours if colour.share >= SOME and colour.words not in said)
    return f" with some {_listed(list(more))}" if more else ""


def _asked(row: FloatArray, title: Title) -> tuple[str, float]:
    """The likeliest class that the title names, and its probability."""
    if not title.classes:
        return "", 0.0
    best = max(title.classes, key=lambda number: float(row[number]))
    names = _names(class_names()[best])
    named = (name for name in names if not title.words.isdisjoint(map(singular, name.lower().split())))
    return next(named, names[0]), float(row[best])


def _guess(row: FloatArray, least: float, classes: Set[int], named: str = "", asked: float = 0.0) -> str:
    """A guess at what a thing is, in words that say how sure: the class that the title names if it is possible.

    Else the likeliest one, if it is in ``classes``: a classifier that knows a thousand things sees them everywhere.
    """
    if asked >= POSSIBLE:
        name, probability = named, asked
    else:
        likeliest = int(row.argmax())
        name, probability = readable(class_names()[likeliest]), float(row[likeliest])
        if probability < least or likeliest not in classes:
            return ""
    how = "looks like" if probability >= SURE else "is probably" if probability >= LIKELY else "may be"
    return f"{how} {_one(name)}"


def _unasked(thing: SeenThing) -> float:
    """How probable a class must be to be named unasked: the classifier is too sure of montages and of scraps."""
    if thing.region.area < LEAST_NAMED:
        return 1.0
    return UNASKED_PHOTO if thing.surface.pattern == IRREGULAR else UNASKED


def _support(thing: SeenThing, named: str, title: Title, evidence: TitleEvidence, chosen: int) -> str:
    """Which of the title's words the picture bears out; the words are the describer's own, not the title's."""
    seen = [colour for colour in title.colours if evidence.by_colour[chosen] > SUPPORT and _shows(thing, colour)]
    seen += [pattern for pattern in title.patterns if pattern == thing.surface.pattern.name]
    seen += [named] if named else []
    if not seen:
        return ""
    return f"The picture supports the title's {_listed([f'“{word}”' for word in seen])}"


def _shows(thing: SeenThing, name: str) -> bool:
    return colour_share(thing.surface.colours, (name,)) > SUPPORT


def _carrying(thing: SeenThing) -> str:
    """Marks and words on a thing: ``with a white star and a light label that reads “SUN”``."""
    parts = [_article(f"{mark.colour} {mark.shape}", capital=False) for mark in thing.surface.marks]
    for ground in dict.fromkeys(line.ground for line in thing.words):
        text = " / ".join(line.text for line in thing.words if line.ground == ground)
        parts.append(f"a {ground} label that reads “{text}”" if ground else f"the printed words “{text}”")
    return f"with {_listed(parts)}" if parts else ""


def _reading(what: str, words: Sequence[PrintedWords]) -> str:
    return f"{what} reads “{' / '.join(line.text for line in words)}”" if words else ""


def _backdrop(sight: Sight) -> str:
    kind = {"plain": "even", "gradient": "gradually shaded"}.get(sight.scene.backdrop, sight.scene.backdrop)
    names = list(dict.fromkeys(_ground(colour) for colour in sight.backdrop[:2]))
    return f"{kind} {_listed(names[:1] if kind == 'even' else names)}"


def _ground(colour: Colour) -> str:
    """A backdrop's colour: a breath of a tint is called white or grey, as the eye takes it."""
    light, a, b = colour.lab
    if light > TINTED and float(np.hypot(a, b)) < COLOURED / 2:
        return "white" if light >= BRIGHT else "grey"
    return colour.words


def _format(sight: Sight) -> str:
    ratio = sight.width / sight.height
    return "landscape" if ratio > 1.15 else "portrait" if ratio < 0.87 else "square"


def _slope(lab: npt.NDArray[np.float32]) -> str:
    """Where a picture is lighter: at its top or at its bottom, if much."""
    third = max(1, lab.shape[0] // 3)
    rise = float(lab[:third, :, 0].mean() - lab[-third:, :, 0].mean())
    return f"It is lighter at the {'top' if rise > 0 else 'bottom'}" if abs(rise) > 15 else ""


def _place(thing: SeenThing) -> str:
    x, y = thing.region.centre
    row = "upper" if y < 0.38 else "lower" if y > 0.62 else ""
    column = "left" if x < 0.38 else "right" if x > 0.62 else ""
    if row and column:
        return f"in the {row} {column}"
    if column:
        return f"on the {column}"
    return {"upper": "at the top", "lower": "at the bottom"}.get(row, "in the middle")


def _size(thing: SeenThing) -> str:
    return "A large" if thing.region.area > 0.2 else "A small" if thing.region.area < 0.04 else "A"


def _number(count: int) -> str:
    return ("no", "one", "two", "three", "four", "five", "six")[count] if count <= 6 else str(count)


def readable(name: str) -> str:
    """A class name without the remark in brackets, and the first of two names."""
    return _names(name)[0]


def _names(name: str) -> list[str]:
    return re.sub(r"\s*\(.*\)", "", name).split(" / ")


def _one(name: str) -> str:
    """A thing with its article, if it is not one of those that come in pairs: ``jeans``."""
    return name if re.search(r"[^su]s$", name) else _article(name, capital=False)


def _article(phrase: str, *, capital: bool = True) -> str:
    article = "an" if phrase[:1].lower() in "aeiou" else "a"
    return f"{article.capitalize() if capital else article} {phrase}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def _sentences(parts: Sequence[str]) -> str:
    return " ".join(f"{part}." for part in parts if part)
