"""Everything that is seen in one picture, before a word is said of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.colours import Colour, main_colours, to_lab
from viral.enrich.pixel.morphology import dilated
from viral.enrich.pixel.printed_text import PrintedWords, TextReader, owners, printed, read_lines, without_prints
from viral.enrich.pixel.regions import PictureScene, Region, take_apart
from viral.enrich.pixel.surface import Surface, read_surface

if TYPE_CHECKING:
    from PIL.Image import Image

Rgb = npt.NDArray[np.uint8]
MARGIN = 1.3  # side of the cut-out over the region's longer side: the classifier looks at the middle 7/8


@dataclass(frozen=True, slots=True, eq=False)
class SeenThing:
    """One region with its surface and the words on it."""

    region: Region
    surface: Surface
    words: tuple[PrintedWords, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One picture: its backdrop, its things (most prominent first), words beside them, and a cut-out of each thing."""

    scene: PictureScene
    things: tuple[SeenThing, ...]
    words: tuple[PrintedWords, ...]  # on no thing
    backdrop: tuple[Colour, ...]
    cut_outs: "tuple[Image, ...]"
    width: int
    height: int


def look(picture: "Image", reader: TextReader) -> Sight:
    """See one RGB picture."""
    rgb = np.asarray(picture)
    lab = to_lab(rgb)
    scene = take_apart(lab)
    lines = read_lines(rgb, lab, scene, reader)
    owner, labels = owners(lines, scene)
    things = []
    for number, region in enumerate(scene.regions):
        if number in labels:
            continue
        left, top, right, bottom = region.box
        mask = without_prints(region.mask, lines)[top:bottom, left:right]
        surface = read_surface(scene.lit[top:bottom, left:right], mask, photo=scene.photo)
        own = [line for line, holder in zip(lines, owner, strict=True) if holder == number]
        things.append(SeenThing(region, surface, tuple(printed(lab, line, surface) for line in own)))
    beside = tuple(printed(lab, line) for line, holder in zip(lines, owner, strict=True) if holder is None)
    colour = backdrop_colour(rgb, scene.regions)
    cut_outs = tuple(cut_out(rgb, thing.region, colour) for thing in things)
    return Sight(scene, tuple(things), beside, main_colours(scene.backdrop_pixels), cut_outs, *picture.size)


def cut_out(rgb: Rgb, region: Region, backdrop: Rgb) -> "Image":
    """A square picture of one region alone, all else covered: bytes (H, W, 3), the region, the covering colour (3,)."""
    from PIL import Image

    left, top, right, bottom = region.box
    inside = dilated(region.mask[top:bottom, left:right], 2)
    cut = np.where(inside[..., None], rgb[top:bottom, left:right], backdrop)
    side = round((1 if region.area == 1 else MARGIN) * max(cut.shape[:2]))
    canvas = Image.new("RGB", (side, side), tuple(backdrop.tolist()))
    canvas.paste(Image.fromarray(cut), ((side - cut.shape[1]) // 2, (side - cut.shape[0]) // 2))
    return canvas


def backdrop_colour(rgb: Rgb, regions: tuple[Region, ...]) -> Rgb:
    """The typical colour beside all regions, of the whole picture where there is no such place: (3,) bytes."""
    free = np.ones(rgb.shape[:2], dtype=bool)
    for region in regions:
        left, top, right, bottom = region.box
        free[top:bottom, left:right] = False
    pixels = rgb[free] if free.any() else rgb.reshape(-1, 3)
    return np.median(pixels[:: max(1, len(pixels) // 4096)], axis=0).astype(np.uint8)
