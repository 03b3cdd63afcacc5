"""Colours in CIE Lab (D65), and the main colours of a region by their everyday names (``colour_names``)."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.colour_names import NAMES, Lab, name_indices, name_of, shade_of

Mask = npt.NDArray[np.bool_]

# Typical colours in sRGB, by what passes for one colour in light and shade on a thing; their names are ``name_of``'s.
KIN: dict[str, tuple[tuple[int, int, int], ...]] = {
    "black": ((8, 8, 8), (32, 32, 34)),
    "grey": ((85, 85, 88), (125, 125, 125), (165, 165, 168), (195, 197, 200)),
    "white": ((255, 255, 255), (236, 236, 236)),
    "red": ((215, 30, 35), (180, 20, 30), (235, 65, 60), (200, 60, 55)),
    "maroon": ((110, 20, 35), (95, 25, 30), (122, 0, 15)),
    "orange": ((245, 130, 25), (228, 100, 25), (255, 165, 65), (250, 155, 115)),
    "yellow": ((250, 220, 40), (255, 240, 110), (225, 190, 40)),
    "olive": ((115, 118, 45), (85, 90, 40)),
    "green": ((40, 150, 65), (90, 180, 75), (20, 95, 45), (140, 200, 85), (0, 190, 100), (150, 215, 150)),
    "teal": ((20, 130, 130), (0, 100, 105), (0, 148, 148)),
    "turquoise": ((60, 200, 200), (110, 220, 210), (30, 190, 200)),
    "blue": (
        (40, 90, 200),
        (60, 130, 225),
        (25, 65, 165),
        (135, 190, 235),
        (172, 212, 232),
        (50, 70, 220),
        (30, 20, 250),
    ),
    "navy": ((20, 30, 80), (25, 40, 105), (10, 5, 115)),
    "purple": ((120, 50, 160), (90, 40, 120), (155, 90, 190), (185, 160, 220), (140, 35, 215), (75, 0, 130)),
    "pink": ((240, 130, 170), (250, 185, 205), (230, 70, 140), (225, 60, 185), (240, 130, 130), (255, 0, 250)),
    "brown": ((110, 65, 35), (140, 90, 55), (78, 50, 32), (165, 115, 75)),
    "beige": ((225, 205, 170), (212, 185, 145), (243, 232, 210)),
}
COLOURED = 18.0  # chroma from which a colour has a hue
MOST_SAMPLES = 4096  # pixels, evenly spread, of which the main colours are taken
# X, Y and Z by red, green and blue, and the white point's
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375, 0.95047],
        [0.2126729, 0.7151522, 0.0721750, 1.0],
        [0.0193339, 0.1191920, 0.9503041, 1.08883],
    ],
    dtype=np.float32,
)
LIGHTNESS_WEIGHT = 0.7  # shade and light change lightness more than hue and chroma


def to_lab(rgb: npt.NDArray[np.uint8]) -> Lab:
    """Bytes of sRGB (…, 3) to CIE Lab (…, 3) under D65 (IEC 61966-2-1, CIE 15)."""
    red, green, blue = (_linear_table()[rgb[..., channel]] for channel in range(3))
    # written out: a product of matrices would wake the threads of BLAS for nothing
    x, y, z = (_cube_root((red * row[0] + green * row[1] + blue * row[2]) / row[3]) for row in _XYZ)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _cube_root(ratio: Lab) -> Lab:
    """The lightness function of CIE Lab: a cube root with a straight foot."""
    return np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)


@cache
def _linear_table() -> npt.NDArray[np.float32]:
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def distance(one: Lab, other: Lab) -> npt.NDArray[np.float32]:
    """Distance of colours with lightness weighted down: (…, 3), (…, 3) -> (…)."""
    difference = one - other
    difference[..., 0] *= LIGHTNESS_WEIGHT
    return np.sqrt(np.einsum("...i,...i->...", difference, difference))


def grid_cells(lab: Lab, width: int) -> npt.NDArray[np.int64]:
    """The number of the cell in a grid of ``width`` that each colour falls into: (n, 3) -> (n,)."""
    side = 2 * 128 // width + 2
    place = np.floor((lab + np.array([0, 128, 128], dtype=np.float32)) / width).astype(np.int64)
    return np.clip(place, 0, side - 1) @ np.array([side * side, side, 1])


@cache
def _typical() -> tuple[Lab, npt.NDArray[np.int64]]:
    """The typical colours' Lab values (P, 3), and of which kin each is (P,)."""
    colours = [rgb for shades in KIN.values() for rgb in shades]
    owners = [number for number, shades in enumerate(KIN.values()) for _ in shades]
    return to_lab(np.array(colours, dtype=np.uint8)), np.array(owners)


@cache
def prototypes_of(name: str) -> Lab:
    """Typical colours of one of ``NAMES``: (P, 3). How near a colour is to them tells how well it passes for it."""
    typical = _typical()[0]
    return typical[name_indices(typical) == NAMES.index(name)]


def kin_of(lab: Lab) -> int:
    """Of which kin the typical colour is that is nearest to one colour (3,)."""
    typical, owners = _typical()
    return int(owners[distance(lab[None], typical).argmin()])


@dataclass(frozen=True, slots=True)
class Colour:
    """One of the main colours of a region: its name, its share of the region and its centre in Lab."""

    name: str
    share: float
    lab: tuple[float, float, float]

    @property
    def words(self) -> str:
        """The name with its shade: ``dark blue``."""
        return f"{shade_of(self.name, self.lab)} {self.name}".strip()

    def distance(self, lab: Lab) -> npt.NDArray[np.float32]:
        """How far other colours (…, 3) are from this one's centre: (…)."""
        return distance(lab, np.asarray(self.lab, dtype=np.float32))


def main_colours(pixels: Lab, *, merge: float = 16, least: float = 0.04, most: int = 5) -> tuple[Colour, ...]:
    """The main colours of pixels (n, 3), largest share first.

    Cells of a coarse Lab grid are taken by size; each starts a colour of its own unless one nearer than ``merge``
    exists. Every pixel then goes to its nearest colour, so that the blended pixels of soft edges start none.
    """
    if not len(pixels):
        return ()
    pixels = pixels[:: max(1, len(pixels) // MOST_SAMPLES)]
    centres = _grid_centres(pixels, merge, least, most)
    nearest = distance(pixels[:, None], centres[None]).argmin(axis=1)
    colours = []
    for number in range(len(centres)):
        members = pixels[nearest == number]
        if len(members) >= least * len(pixels):
            centre = np.median(members, axis=0)
            place = (float(centre[0]), float(centre[1]), float(centre[2]))
            colours.append(Colour(name_of(centre), len(members) / len(pixels), place))
    return tuple(sorted(colours, key=lambda colour: -colour.share))


def _grid_centres(pixels: Lab, merge: float, least: float, most: int) -> Lab:
    """Starting colours (k, 3): the means of the fullest grid cells that are ``merge`` apart; always at least one."""
    _, cells, counts = np.unique(grid_cells(pixels, 10), return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(cells, weights=pixels[:, channel]) for channel in range(3)], axis=1)
    means = (sums / counts[:, None]).astype(np.float32)
    chosen: list[Lab] = []
    for cell in np.argsort(-counts, kind="stable"):
        if len(chosen) == most or (chosen and counts[cell] < least / 2 * len(pixels)):
            break
        if all(distance(means[cell], centre) >= merge for centre in chosen):
            chosen.append(means[cell])
    return np.stack(chosen)
