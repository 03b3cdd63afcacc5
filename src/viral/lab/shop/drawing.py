"""Colours and patterns as pixels, and a pen that draws products in a unit square."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from viral.lab.shop.world import COLOURS, PATTERNS

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


Point = tuple[float, float]
Points = Sequence[Point]


def smooth(points: Points, *, closed: bool = True, steps: int = 10) -> list[Point]:
    """A curve through the points (Catmull–Rom)."""
    given = np.asarray(points, dtype=float)
    ends = (given[-1:], given[:2]) if closed else (given[:1], given[-1:])
    knots = np.concatenate([ends[0], given, ends[1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        curve.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    if not closed:
        curve.append(given[-1:])
    return [(float(x), float(y)) for x, y in np.concatenate(curve)]


def arc(centre: Point, radius: Point, start: float, end: float, steps: int = 24) -> list[Point]:
    """Points of an ellipse from one angle to another, in degrees, 0 at the right, clockwise."""
    angles = np.radians(np.linspace(start, end, steps))
    return [(float(centre[0] + radius[0] * np.cos(a)), float(centre[1] + radius[1] * np.sin(a))) for a in angles]


def turn(points: Points, degrees: float) -> list[Point]:
    """The points turned clockwise around the middle of the square."""
    cos, sin = float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))
    return [(0.5 + (x - 0.5) * cos - (y - 0.5) * sin, 0.5 + (x - 0.5) * sin + (y - 0.5) * cos) for x, y in points]


@lru_cache(maxsize=len(COLOURS) * len(PATTERNS))
def _lit_fabric(colour: str, pattern: str, size: int) -> Image.Image:
    """A pattern (RGBA) with light from the upper left and shadow at the right and below, as on a round thing."""
    x, y = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size))
    light = np.clip(1 - np.hypot(x - 0.32, y - 0.3) / 0.4, 0, 1) ** 1.5 * 95
    shadow = np.clip((x - 0.55) / 0.45, 0, 1) ** 1.2 * 105 + np.clip((y - 0.68) / 0.32, 0, 1) * 40
    cloth = fabric(colour, pattern, size)
    cloth.paste((255, 255, 255), mask=Image.fromarray(light.astype(np.uint8)))
    cloth.paste((0, 0, 0), mask=Image.fromarray(shadow.astype(np.uint8)))
    return cloth.convert("RGBA")


class Pen:
    """Draws one product on a transparent square of ``size`` pixels; coordinates run from 0 to 1."""

    def __init__(self, size: int, colour: str, pattern: str) -> None:
        self.size = size
        self.colour: Rgb = RGB[colour]
        self.edge = mix(self.colour, INK, 0.6)
        self._fabric = _lit_fabric(colour, pattern, size)
        self.image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self.image)

    def body(self, *shapes: Points, holes: Iterable[Points] = ()) -> None:
        """One or more polygons of fabric, lit and outlined; ``holes`` are cut out."""
        mask = Image.new("L", (self.size, self.size), 0)
        pen = ImageDraw.Draw(mask)
        for shape in shapes:
            pen.polygon(self._scaled(shape), fill=255)
        for hole in holes:
            pen.polygon(self._scaled(hole), fill=0)
        self.image.paste(self._fabric, mask=mask)
        for outline in (*shapes, *holes):
            self.line(outline, closed=True)

    def part(self, shape: Points, fill: Rgb, *, outline: bool = True) -> None:
        """A polygon in a plain colour."""
        self._draw.polygon(self._scaled(shape), fill=fill)
        if outline:
            self.line(shape, closed=True)

    def line(self, points: Points, *, colour: Rgb | None = None, width: float = 0.012, closed: bool = False) -> None:
        """A line with round joints; ``width`` in units of the square."""
        scaled = self._scaled([*points, points[0]] if closed else points)
        thick = max(2, round(width * self.size))
        fill = self.edge if colour is None else colour
        self._draw.line(scaled, fill=fill, width=thick, joint="curve")
        half = thick / 2 - 0.5
        for x, y in (scaled[0], scaled[-1]):
            self._draw.ellipse((x - half, y - half, x + half, y + half), fill=fill)

    def rod(self, points: Points, colour: Rgb, width: float) -> None:
        """A line with an outline: a handle, a stick, a strap."""
        self.line(points, width=width + 0.026)
        self.line(points, colour=colour, width=width)

    def _scaled(self, points: Points) -> list[Point]:
        return [(x * self.size, y * self.size) for x, y in points]
