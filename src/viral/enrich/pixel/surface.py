"""What the surface of one region looks like: its main colours, its pattern and the marks on it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from viral.enrich.pixel.colour_names import Lab
from viral.enrich.pixel.colours import COLOURED, Colour, Mask, distance, kin_of, main_colours
from viral.enrich.pixel.morphology import eroded, opened
from viral.enrich.pixel.patterns import IRREGULAR, PLAIN, TWO_TONE, UNTOLD, Pattern, find_pattern
from viral.enrich.pixel.photo_patterns import read_texture, seen_in_photo

SAME_HUE = 0.35  # radians
FAR = 56.0  # in Lab: navy and pale blue are two colours of one name
SHADED = 32.0  # of lightness between the lit and the shaded side of one colour
LEAST_COLOUR = 0.015  # of the surface: a mark may be as small
LEAST_SHARE = 0.06  # of the surface that a colour covers, lines apart, to be named
DEEP = 0.14  # of the surface's width: so far from any other colour, a place is inside a large piece
LEAST_FINE, MOST_FINE = 0.2, 0.95  # shares of the surface that its finely divided part may have
LEAST_AREA, MOST_AREA = 0.004, 0.5  # of the thing that carries the mark
MOST_ALIKE = 2  # more pieces of one colour are a pattern or parts
ANGLES = 72
SMALLEST, SIDE = 30, 48  # pixels of a piece; to what side it is scaled before its outline is measured
LONG, ROUND, POINTED = 0.16, 0.045, 0.1  # amplitudes: of two bumps, below which it is round, from which it is a star
HOLLOW = 0.12  # share of a hole from which a disc is a ring


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: what its outline is (``star``, ``ring``, ``disc``, ``square``, ``triangle``) and its colour's name."""

    shape: str
    colour: str


@dataclass(frozen=True, slots=True)
class Surface:
    """The colours of a surface, the most telling first; the pattern of the two that cover most; marks on it."""

    colours: tuple[Colour, ...]
    pattern: Pattern
    marks: tuple[Mark, ...] = ()


def read_surface(lab: Lab, mask: Mask, *, photo: bool = False) -> Surface:
    """Read the surface of a region: its pixels (H, W, 3) and where they count (H, W).

    On a ``photo`` of a product, folds and seams look like patterns, and fine patterns like none: more is asked of one.
    """
    inner = eroded(mask, 2)
    inner = inner if inner.sum() > 0.3 * mask.sum() else mask
    found = main_colours(lab[inner], least=LEAST_COLOUR, most=6)
    if not found:
        return Surface((), PLAIN)
    centres = np.array([colour.lab for colour in found], dtype=np.float32)
    families = _families(found, photo)
    labels = np.full(mask.shape, -1)
    labels[inner] = families[distance(lab[inner][:, None], centres[None]).argmin(axis=1)]
    fields = {number: opened(labels == number) for number in sorted(set(families.tolist()))}
    total = max(1, sum(int(field.sum()) for field in fields.values()))
    colours = {
        number: _pigment([found[n] for n in np.flatnonzero(families == number)], int(field.sum()) / total)
        for number, field in fields.items()
    }
    kept = [colour for colour in colours.values() if colour.share >= LEAST_SHARE]
    if not kept:
        return Surface(found[:1], UNTOLD if photo else PLAIN)
    pattern, used = _pattern(labels, fields)
    if photo:
        pattern = seen_in_photo(pattern, read_texture(lab, mask), [colour.share for colour in kept])
    marks = find_marks(fields, colours, mask, used)
    return Surface(tuple(sorted(kept, key=_telling, reverse=True)), pattern, marks)


def _pattern(labels: npt.NDArray[np.int64], fields: dict[int, Mask]) -> tuple[Pattern, set[int]]:
    """The pattern of the finely divided part of a surface if that is one, else of all of it; and its colours.

    A face, a rim or a lid in one colour says nothing of the pattern beside it.
    """
    inside = labels >= 0
    fine = _finely_divided(fields, inside)
    if LEAST_FINE * inside.sum() < fine.sum() < MOST_FINE * inside.sum():
        order = _largest({number: field & fine for number, field in fields.items()})
        found = _first_pattern(order, {number: (labels == number) & fine for number in order})
        if found[0] not in (PLAIN, TWO_TONE, IRREGULAR):
            return found
    order = _largest(fields)
    return _first_pattern(order, {number: labels == number for number in order})


def _first_pattern(order: list[int], masks: dict[int, Mask]) -> tuple[Pattern, set[int]]:
    """The pattern of the first colour with the second; if that is none, a regular one with the third."""
    first, *others = order or [-1]
    patterns = {other: find_pattern(masks[first], masks[other]) for other in others[:1]}
    for other in others[1:2]:
        if patterns[others[0]] in (PLAIN, TWO_TONE, IRREGULAR):
            third = find_pattern(masks[first], masks[other])
            patterns |= {other: third} if third not in (PLAIN, TWO_TONE, IRREGULAR) else {}
    used, pattern = list(patterns.items())[-1] if patterns else (first, PLAIN)
    return pattern, {first} if pattern == PLAIN else {first, used}


def _finely_divided(fields: dict[int, Mask], inside: Mask) -> Mask:
    """Where no large piece of one colour is: away from every place that is deep inside its own colour, lines apart."""
    broad = {number: opened(field, 2) for number, field in fields.items()}
    known = np.any(list(broad.values()), axis=0)
    if not known.any():
        return inside
    owner = np.select([broad[number] for number in broad], list(broad), -1)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    owner = np.where(inside, owner[tuple(nearest)], -1)
    alike = (ndimage.maximum_filter(owner, 3) == ndimage.minimum_filter(owner, 3)) & inside
    reach = max(4.0, DEEP * float(np.sqrt(inside.sum())))
    core = ndimage.distance_transform_edt(np.pad(alike, 1))[1:-1, 1:-1] > reach
    return inside & (ndimage.distance_transform_edt(~core) > reach + 2) if core.any() else inside


def _largest(fields: dict[int, Mask]) -> list[int]:
    """The three colours that cover most, largest first, of those that cover enough."""
    areas = {number: int(field.sum()) for number, field in fields.items()}
    enough = [number for number, area in areas.items() if area >= LEAST_SHARE * max(1, sum(areas.values()))]
    return sorted(enough, key=lambda number: -areas[number])[:3]


def _pigment(shades: list[Colour], share: float) -> Colour:
    """The colour of a thing seen in several shades: shade and glare take saturation away, nothing adds it."""
    weight = {shade: shade.share * (10 + float(np.hypot(*shade.lab[1:]))) for shade in shades}
    votes: dict[str, float] = {}
    for shade in shades:
        votes[shade.name] = votes.get(shade.name, 0) + weight[shade]
    name = max(votes, key=lambda vote: votes[vote])
    best = max((shade for shade in shades if shade.name == name), key=lambda shade: weight[shade])
    return Colour(name, share, best.lab)


def _telling(colour: Colour) -> float:
    """How much a colour says of a thing: much of it, and more so if it is not white, grey or black."""
    return colour.share * (1 + float(np.hypot(*colour.lab[1:])) / 60)


def _families(found: tuple[Colour, ...], photo: bool) -> npt.NDArray[np.int64]:
    """For each colour the first one that it is a shade of: alike by name, or the same hue in other light."""
    owner = np.arange(len(found))
    for later in range(len(found)):
        for earlier in range(later):
            if owner[earlier] == earlier and _shades(found[earlier], found[later], photo):
                owner[later] = earlier
                break
    return owner


def _shades(one: Colour, other: Colour, photo: bool) -> bool:
    here, there = (np.asarray(colour.lab, dtype=np.float32) for colour in (one, other))
    if photo and one.name == other.name:
        return float(one.distance(there)) < FAR
    if not photo and kin_of(here) == kin_of(there):
        return True
    (light, a, b), (dark, c, d) = one.lab, other.lab
    if min(np.hypot(a, b), np.hypot(c, d)) < COLOURED or abs(light - dark) > SHADED:
        return False
    turn = np.arctan2(b, a) - np.arctan2(d, c)
    return bool(abs(np.arctan2(np.sin(turn), np.cos(turn))) < SAME_HUE)


def find_marks(fields: dict[int, Mask], colours: dict[int, Colour], mask: Mask, pattern: set[int]) -> tuple[Mark, ...]:
    """Marks inside ``mask``, largest first: pieces of ``fields`` (a mask a colour) that make no ``pattern``."""
    inside = eroded(mask, 3)
    found: list[tuple[int, Mark]] = []
    for number, field in fields.items():
        if number in pattern:
            continue
        labels, _ = ndimage.label(field)
        pieces = [
            (labels[window] == label, window) for label, window in enumerate(ndimage.find_objects(labels), start=1)
        ]
        kept = [
            piece
            for piece, window in pieces
            if LEAST_AREA * mask.sum() <= piece.sum() <= MOST_AREA * mask.sum() and inside[window][piece].all()
        ]
        if len(kept) <= MOST_ALIKE:
            found += [
                (int(piece.sum()), Mark(shape, colours[number].name)) for piece in kept if (shape := outline(piece))
            ]
    return tuple(mark for _, mark in sorted(found, key=lambda pair: -pair[0])[:MOST_ALIKE])


def outline(piece: Mask) -> str:
    """The name of a piece's outline, or nothing where it has none of the known ones."""
    if piece.sum() < SMALLEST:
        return ""
    padded, factor = np.pad(piece, 2).astype(np.float32), SIDE / max(piece.shape)
    smooth = ndimage.zoom(padded, factor, order=1, grid_mode=True, mode="grid-constant") > 0.5
    filled = ndimage.binary_fill_holes(smooth)
    radius = _radii(filled)
    waves = 2 * np.abs(np.fft.rfft(radius / radius.mean())) / ANGLES  # amplitude of k bumps around the outline
    if waves[2] > LONG:
        return ""
    bumps = 3 + int(waves[3:8].argmax())
    if waves[bumps] < ROUND:
        return "ring" if 1 - smooth.sum() / filled.sum() > HOLLOW else "disc"
    if bumps <= 4:
        return "triangle" if bumps == 3 else "square"
    return "star" if waves[bumps] > POINTED else ""


def _radii(filled: Mask) -> npt.NDArray[np.float64]:
    """How far a filled piece reaches from its middle in each of ``ANGLES`` directions."""
    rows, columns = np.nonzero(filled)
    down, right = rows - rows.mean(), columns - columns.mean()
    direction = np.round((np.arctan2(down, right) + np.pi) / (2 * np.pi) * ANGLES).astype(np.int64) % ANGLES
    reach = np.zeros(ANGLES)
    np.maximum.at(reach, direction, np.hypot(down, right))
    known = np.flatnonzero(reach > 0)
    return np.interp(np.arange(ANGLES), known, reach[known], period=ANGLES)
