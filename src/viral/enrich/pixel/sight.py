"""Everything that is seen in one picture, before a word is said of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.colours import COLOURED, Colour, Lab, main_colours, name_of, to_lab
from viral.enrich.pixel.objects import backdrop_colour, cut_out
from viral.enrich.pixel.patterns import PLAIN
from viral.enrich.pixel.regions import Region, Scene, take_apart
from viral.enrich.pixel.surface import Surface, read_surface
from viral.enrich.pixel.text import TextLine, TextReader, may_have_text

if TYPE_CHECKING:
    from PIL.Image import Image

Rgb = npt.NDArray[np.uint8]

ENLARGED = 2  # how much a region is enlarged for a second look, when the first found strokes but no words
SAME_GROUND = 14.0  # in Lab: words on this are printed on the surface, not on a label
BESIDE = 4  # pixels around a line of text that belong to it


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text and the label that it is printed on: ``light``, ``dark``, a colour, or nothing for none."""

    text: str
    ground: str


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One region with its surface and the words on it."""

    region: Region
    surface: Surface
    words: tuple[Words, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One picture: its backdrop, its things (most prominent first), words beside them, and cut-outs to classify."""

    scene: Scene
    things: tuple[Thing, ...]
    words: tuple[Words, ...]  # on no thing
    backdrop: tuple[Colour, ...]
    cut_outs: "tuple[Image, ...]"
    width: int
    height: int


def look(picture: "Image", reader: TextReader) -> Sight:
    """See one RGB picture."""
    rgb = np.asarray(picture)
    lab = to_lab(rgb)
    scene = take_apart(lab)
    lines = _read(rgb, lab, scene, reader)
    owners = [_owner(line, scene) for line in lines]
    things = []
    for number, region in enumerate(scene.regions):
        own = [line for line, owner in zip(lines, owners, strict=True) if owner == number]
        surface = _surface(lab, region, lines)
        things.append(Thing(region, surface, tuple(_words(lab, line, surface) for line in own)))
    beside = tuple(_words(lab, line) for line, owner in zip(lines, owners, strict=True) if owner is None)
    colour = backdrop_colour(rgb, scene.regions)
    cut_outs = tuple(cut_out(rgb, region, colour) for region in scene.regions)
    return Sight(scene, tuple(things), beside, main_colours(scene.backdrop_pixels), cut_outs, *picture.size)


def _read(rgb: Rgb, lab: Lab, scene: Scene, reader: TextReader) -> tuple[TextLine, ...]:
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


def _owner(line: TextLine, scene: Scene) -> int | None:
    """The region on which most of a line lies, if at least a third of it does."""
    left, top, right, bottom = line.box
    shares = [float(region.mask[top:bottom, left:right].mean()) for region in scene.regions]
    best = int(np.argmax(shares)) if shares else 0
    return best if shares and shares[best] > 1 / 3 else None


def _surface(lab: Lab, region: Region, lines: tuple[TextLine, ...]) -> Surface:
    """The surface of a region, what is printed on it left out (unless that is nearly all)."""
    left, top, right, bottom = region.box
    mask = region.mask.copy()
    for line in lines:
        x0, y0, x1, y1 = line.box
        mask[max(0, y0 - BESIDE) : y1 + BESIDE, max(0, x0 - BESIDE) : x1 + BESIDE] = False
    inner = mask[top:bottom, left:right]
    own = region.mask[top:bottom, left:right]
    return read_surface(lab[top:bottom, left:right], inner if inner.sum() > 0.2 * own.sum() else own)


def _words(lab: Lab, line: TextLine, surface: Surface | None = None) -> Words:
    """A line and the ground it is printed on, unless that is the surface itself.

    The middle of a line's box holds less ink than ground, whatever margin the reader gave the box.
    """
    left, top, right, bottom = line.box
    aside, above = (right - left) // 5, (bottom - top) // 3
    middle = lab[top + above : bottom - above, left + aside : right - aside]
    ground = np.median(middle.reshape(-1, 3), axis=0)
    bare = surface.colours[:1] if surface and surface.pattern == PLAIN else ()  # a pattern does not stop around words
    if any(colour.distance(ground) < SAME_GROUND for colour in bare):
        return Words(line.words, "")
    if np.hypot(ground[1], ground[2]) > COLOURED:
        return Words(line.words, name_of(ground))
    return Words(line.words, "light" if ground[0] > 65 else "dark" if ground[0] < 35 else "grey")
