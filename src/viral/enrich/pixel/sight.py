"""Everything that is seen in one picture, before a word is said of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viral.enrich.pixel.colours import Colour, main_colours, to_lab
from viral.enrich.pixel.objects import backdrop_colour, cut_out
from viral.enrich.pixel.prints import Words, owners, printed, read_lines, without_prints
from viral.enrich.pixel.regions import Region, Scene, take_apart
from viral.enrich.pixel.surface import Surface, read_surface
from viral.enrich.pixel.text import TextReader

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One region with its surface and the words on it."""

    region: Region
    surface: Surface
    words: tuple[Words, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One picture: its backdrop, its things (most prominent first), words beside them, and a cut-out of each thing."""

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
        things.append(Thing(region, surface, tuple(printed(lab, line, surface) for line in own)))
    beside = tuple(printed(lab, line) for line, holder in zip(lines, owner, strict=True) if holder is None)
    colour = backdrop_colour(rgb, scene.regions)
    cut_outs = tuple(cut_out(rgb, thing.region, colour) for thing in things)
    return Sight(scene, tuple(things), beside, main_colours(scene.backdrop_pixels), cut_outs, *picture.size)
