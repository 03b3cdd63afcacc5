"""What the surface of one region looks like: its main colours, its pattern and the marks on it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.colours import COLOURED, Colour, Lab, Mask, distance, main_colours
from viral.enrich.pixel.marks import Mark, find_marks
from viral.enrich.pixel.patterns import PLAIN, Pattern, find_pattern

SAME_HUE = 0.35  # radians
SHADED = 32.0  # of lightness between the lit and the shaded side of one colour
LEAST_SHARE = 0.06  # of the surface that a colour covers, lines apart, to be named


@dataclass(frozen=True, slots=True)
class Surface:
    """The colours of a surface, the most telling first; the pattern of the two that cover most; marks on it."""

    colours: tuple[Colour, ...]
    pattern: Pattern
    marks: tuple[Mark, ...] = ()


def read_surface(lab: Lab, mask: Mask) -> Surface:
    """Read the surface of a region: its pixels (H, W, 3) and where they count (H, W)."""
    from scipy import ndimage

    inner = ndimage.binary_erosion(mask, iterations=2)
    inner = inner if inner.sum() > 0.3 * mask.sum() else mask
    found = main_colours(lab[inner])
    if not found:
        return Surface((), PLAIN)
    centres = np.array([colour.lab for colour in found], dtype=np.float32)
    labels = np.full(mask.shape, -1)
    labels[inner] = _families(found)[distance(lab[inner][:, None], centres[None]).argmin(axis=1)]
    fields = {number: ndimage.binary_opening(labels == number) for number in sorted(set(labels[inner].tolist()))}
    total = max(1, sum(int(field.sum()) for field in fields.values()))
    shares = {number: int(field.sum()) / total for number, field in fields.items()}
    order = sorted((number for number, share in shares.items() if share >= LEAST_SHARE), key=lambda n: -shares[n])
    if not order:
        return Surface(found[:1], PLAIN)
    pattern = find_pattern(*(labels == number for number in order[:2])) if len(order) > 1 else PLAIN
    colours = {number: Colour(found[number].name, share, found[number].lab) for number, share in shares.items()}
    used = set(order[:1] if pattern == PLAIN else order[:2])
    marks = find_marks(fields, colours, mask, used)
    return Surface(tuple(sorted((colours[number] for number in order), key=_telling, reverse=True)), pattern, marks)


def _telling(colour: Colour) -> float:
    """How much a colour says of a thing: much of it, and more so if it is not white, grey or black."""
    return colour.share * (1 + float(np.hypot(*colour.lab[1:])) / 60)


def _families(found: tuple[Colour, ...]) -> npt.NDArray[np.int64]:
    """For each colour the first one that it is a shade of: the same name, or the same hue in other light."""
    owner = np.arange(len(found))
    for later in range(len(found)):
        for earlier in range(later):
            if owner[earlier] == earlier and _shades(found[earlier], found[later]):
                owner[later] = earlier
                break
    return owner


def _shades(one: Colour, other: Colour) -> bool:
    if one.name == other.name:
        return True
    (light, a, b), (dark, c, d) = one.lab, other.lab
    if min(np.hypot(a, b), np.hypot(c, d)) < COLOURED or abs(light - dark) > SHADED:
        return False
    turn = np.arctan2(b, a) - np.arctan2(d, c)
    return bool(abs(np.arctan2(np.sin(turn), np.cos(turn))) < SAME_HUE)
