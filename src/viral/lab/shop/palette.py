"""Colours and patterns as pixels."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

Rgb = tuple[int, int, int]

RGB: dict[str, Rgb] = {
    "red": (204, 32, 40),
    "orange": (243, 132, 20),
    "yellow": (248, 208, 32),
    "green": (46, 152, 58),
    "teal": (0, 150, 152),
    "blue": (38, 84, 206),
    "purple": (122, 48, 168),
    "pink": (244, 126, 182),
}
WHITE: Rgb = (252, 251, 248)  # the second colour of every pattern
INK: Rgb = (38, 36, 44)
STEEL: Rgb = (150, 154, 162)
WOOD: Rgb = (150, 104, 62)
TILES = 7.0  # repeats of a pattern across a product

Grid = npt.NDArray[np.float64]
# Each is true where the product's own colour shows, at (x, y) in units of one repeat, within [0, TILES].
MASKS: dict[str, Callable[[Grid, Grid], npt.NDArray[np.bool_]]] = {
    "plain": lambda x, y: x >= 0,
    "two-tone": lambda x, y: x < 0.5 * TILES,
    "striped": lambda x, y: y % 1 < 0.55,
    "zigzag": lambda x, y: (y * 0.8 + np.abs((x * 0.8) % 1 - 0.5)) % 1 < 0.55,
    "checked": lambda x, y: (np.floor(x) + np.floor(y)) % 2 < 1,
    "dotted": lambda x, y: (x % 1 - 0.5) ** 2 + (y % 1 - 0.5) ** 2 > 0.3**2,
}


def fabric(colour: str, pattern: str, size: int) -> Image.Image:
    """A square of a pattern in a colour (RGB)."""
    axis = (np.arange(size) + 0.5) / size * TILES
    own = MASKS[pattern](*np.broadcast_arrays(axis[None, :], axis[:, None]))
    return Image.fromarray(np.where(own[..., None], np.array(RGB[colour], np.uint8), np.array(WHITE, np.uint8)))


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """``share`` of the second colour in the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
