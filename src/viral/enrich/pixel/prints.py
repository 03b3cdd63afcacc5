"""The words in a picture: to which thing they belong, and on what they are printed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.colours import COLOURED
from viral.enrich.pixel.names import Lab, name_of
from viral.enrich.pixel.patterns import IRREGULAR, PLAIN, UNTOLD
from viral.enrich.pixel.regions import Region, Scene
from viral.enrich.pixel.surface import Surface
from viral.enrich.pixel.text import TextLine, TextReader, may_have_text

Rgb = npt.NDArray[np.uint8]

ENLARGED = 2  # how much a region is enlarged for a second look, when the first found strokes but no words
SAME_GROUND = 14.0  # in Lab: words on this are printed on the surface, not on a label
BESIDE = 4  # pixels around a line of text that belong to it
ALL_LABEL = 0.5  # share of a region under one line of text from which it is nothing but that line's label
TIED = 0.06  # of the picture's longer side: a label so near to a thing hangs on it


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text and the label that it is printed on: ``light``, ``dark``, a colour, or nothing for none."""

    text: str
    ground: str


def read_lines(rgb: Rgb, lab: Lab, scene: Scene, reader: TextReader) -> tuple[TextLine, ...]:
    """The picture's lines of text; where none is found, each region is looked at again, enlarged."""
    if not may_have_text(lab):
        return ()
    lines = reader.read(rgb)
    if lines or scene.backdrop == "busy":
        return lines
    found: list[TextLine] = []
    for region in scene.regions:
        left, top, right, bottom = region.box
        left, top = max(0, left - BESIDE), max(0, top - BESIDE)
        part = (slice(top, bottom + BESIDE), slice(left, right + BESIDE))
        if may_have_text(lab[part]):
            found += [_moved(line, left, top) for line in reader.read(_enlarged(rgb[part]))]
    return tuple(found)


def _enlarged(rgb: Rgb) -> Rgb:
    from PIL import Image

    size = (rgb.shape[1] * ENLARGED, rgb.shape[0] * ENLARGED)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def _moved(line: TextLine, left: int, top: int) -> TextLine:
    """A line found in an enlarged part, in the picture's own coordinates."""
    x0, y0, x1, y1 = (value // ENLARGED for value in line.box)
    return TextLine(line.words, line.score, (x0 + left, y0 + top, x1 + left, y1 + top))


def owners(lines: Sequence[TextLine], scene: Scene) -> tuple[list[int | None], set[int]]:
    """The region that each line belongs to, if any, and the regions that are only labels of a neighbour.

    A line belongs to the region on which a third of it or more lies. Where that region is nothing but a label and
    another one is near, it belongs to that one.
    """
    found: list[int | None] = []
    labels: set[int] = set()
    for line in lines:
        left, top, right, bottom = line.box
        shares = [float(region.mask[top:bottom, left:right].mean()) for region in scene.regions]
        best = int(np.argmax(shares)) if shares else 0
        if not shares or shares[best] < 1 / 3:
            found.append(None)
            continue
        neighbour = _neighbour(best, scene) if _is_label(scene.regions[best], line) else None
        labels |= set() if neighbour is None else {best}
        found.append(best if neighbour is None else neighbour)
    return found, labels


def _is_label(region: Region, line: TextLine) -> bool:
    left, top, right, bottom = line.box
    return bool(region.mask[top:bottom, left:right].sum() > ALL_LABEL * region.mask.sum())


def _neighbour(number: int, scene: Scene) -> int | None:
    """The region whose box is nearest to that of region ``number``, if it is near enough for a label to hang on."""
    left, top, right, bottom = scene.regions[number].box
    gaps: list[tuple[float, int]] = []
    for other, region in enumerate(scene.regions):
        x0, y0, x1, y1 = region.box
        gap = np.hypot(max(0, x0 - right, left - x1), max(0, y0 - bottom, top - y1))
        gaps += [(float(gap), other)] if other != number else []
    gap, nearest = min(gaps, default=(np.inf, 0))
    return nearest if gap <= TIED * max(scene.lab.shape[:2]) else None


def without_prints(mask: npt.NDArray[np.bool_], lines: Sequence[TextLine]) -> npt.NDArray[np.bool_]:
    """A region's mask (H, W) without what is printed on it, unless that is nearly all of it."""
    bare = mask.copy()
    for line in lines:
        x0, y0, x1, y1 = line.box
        bare[max(0, y0 - BESIDE) : y1 + BESIDE, max(0, x0 - BESIDE) : x1 + BESIDE] = False
    return bare if bare.sum() > 0.2 * mask.sum() else mask


def printed(lab: Lab, line: TextLine, surface: Surface | None = None) -> Words:
    """A line and the ground it is printed on, unless that is the surface itself.

    The middle of a line's box holds less ink than ground, whatever margin the reader gave the box.
    """
    left, top, right, bottom = line.box
    aside, above = (right - left) // 5, (bottom - top) // 3
    middle = lab[top + above : bottom - above, left + aside : right - aside]
    ground = np.median(middle.reshape(-1, 3), axis=0)
    if surface and _bare(surface, ground):
        return Words(line.words, "")
    if np.hypot(ground[1], ground[2]) > COLOURED:
        return Words(line.words, name_of(ground))
    return Words(line.words, "light" if ground[0] > 65 else "dark" if ground[0] < 35 else "grey")


def _bare(surface: Surface, ground: Lab) -> bool:
    """Whether the ground of some words is the surface itself: a regular pattern would not stop around them."""
    plain = surface.pattern in (PLAIN, UNTOLD) and bool(surface.colours)
    return surface.pattern == IRREGULAR or (plain and float(surface.colours[0].distance(ground)) < SAME_GROUND)
