"""The things that the shop sells, each a drawing in a unit square.

They are the twelve of some forty drawings that an ImageNet classifier recognises best, whatever their colour and
pattern; the umbrella is tilted since upright it was taken for a lamp.
"""

from collections.abc import Callable

from viral.lab.shop.drawing import INK, STEEL, WHITE, WOOD, Pen, Point, Points, arc, mix, smooth, turn
from viral.lab.shop.world import THINGS

TILT = -20.0  # degrees, of the umbrella


def _mirrored(left: Points) -> list[Point]:
    """A closed outline from its left half, top to bottom."""
    return [*left, *((1 - x, y) for x, y in reversed(left))]


def umbrella(pen: Pen) -> None:
    """Open and tilted, with five panels."""
    pen.rod(turn([(0.5, 0.16), (0.5, 0.86), *arc((0.57, 0.86), (0.07, 0.08), 180, 10)], TILT), WOOD, 0.024)
    dome = arc((0.5, 0.56), (0.46, 0.46), 180, 360, 40)
    scallops = [point for n in (4, 3, 2, 1, 0) for point in arc((0.132 + 0.184 * n, 0.56), (0.092, 0.05), 360, 180, 9)]
    pen.body(turn([*dome, *scallops], TILT))
    for x in (0.224, 0.408, 0.592, 0.776):
        rib = smooth([(0.5, 0.1), (0.5 + (x - 0.5) * 0.75, 0.26), (x, 0.56)], closed=False)
        pen.line(turn(rib, TILT))
    pen.rod(turn([(0.5, 0.1), (0.5, 0.05)], TILT), STEEL, 0.018)


def balloon(pen: Pen) -> None:
    """A hot-air balloon with its basket."""
    for side in (-1, 1):
        pen.line([(0.5 + side * 0.14, 0.74), (0.5 + side * 0.05, 0.9)])
    pen.body([*arc((0.5, 0.38), (0.44, 0.36), 165, 375, 44), (0.773, 0.64), (0.57, 0.82), (0.43, 0.82), (0.227, 0.64)])
    for reach in (-0.264, -0.088, 0.088, 0.264):
        seam = [(0.5, 0.02), (0.5 + reach, 0.31), (0.5 + reach, 0.48), (0.5 + reach * 0.2, 0.82)]
        pen.line(smooth(seam, closed=False))
    pen.part([(0.44, 0.9), (0.56, 0.9), (0.55, 0.98), (0.45, 0.98)], WOOD)


def mug(pen: Pen) -> None:
    """A coffee mug, filled."""
    pen.rod(arc((0.72, 0.54), (0.19, 0.2), -80, 80), pen.colour, 0.06)
    pen.body([*arc((0.42, 0.24), (0.34, 0.07), 180, 360), *arc((0.42, 0.84), (0.34, 0.09), 0, 180)])
    pen.part(arc((0.42, 0.24), (0.34, 0.07), 0, 360), WHITE)
    pen.part(arc((0.42, 0.255), (0.29, 0.05), 0, 360), (92, 56, 34))


def shirt(pen: Pen) -> None:
    """A T-shirt, laid flat."""
    left = [(0.38, 0.1), (0.24, 0.15), (0.04, 0.34), (0.16, 0.47), (0.26, 0.38), (0.26, 0.93)]
    pen.body([*_mirrored(left), *arc((0.5, 0.1), (0.12, 0.1), 0, 180, 12)])
    pen.line(arc((0.5, 0.1), (0.15, 0.13), 0, 180, 14))
    for side in (-1, 1):
        pen.line([(0.5 + side * 0.24, 0.38), (0.5 + side * 0.26, 0.2)])
        pen.line([(0.5 + side * 0.3, 0.435), (0.5 + side * 0.42, 0.3)])


def lamp(pen: Pen) -> None:
    """A table lamp."""
    pen.rod([(0.5, 0.5), (0.5, 0.9)], STEEL, 0.04)
    pen.part([(0.3, 0.96), (0.34, 0.89), (0.66, 0.89), (0.7, 0.96)], STEEL)
    pen.body([(0.32, 0.06), (0.68, 0.06), (0.9, 0.6), *arc((0.5, 0.6), (0.4, 0.04), 0, 180, 12), (0.1, 0.6)])


def bucket(pen: Pen) -> None:
    """A bucket with its handle up."""
    pen.line(arc((0.5, 0.3), (0.38, 0.26), 180, 360, 30), width=0.024)
    pen.body([*arc((0.5, 0.3), (0.4, 0.09), 180, 360), (0.78, 0.9), *arc((0.5, 0.9), (0.28, 0.05), 0, 180)])
    pen.part(arc((0.5, 0.3), (0.4, 0.09), 0, 360, 40), mix(pen.colour, INK, 0.5))


def birdhouse(pen: Pen) -> None:
    """A birdhouse on a pole."""
    pen.rod([(0.5, 0.8), (0.5, 0.98)], WOOD, 0.05)
    pen.body([(0.2, 0.42), (0.5, 0.2), (0.8, 0.42), (0.8, 0.86), (0.2, 0.86)])
    pen.part([(0.5, 0.06), (0.93, 0.42), (0.86, 0.48), (0.5, 0.18), (0.14, 0.48), (0.07, 0.42)], WOOD)
    pen.part(arc((0.5, 0.48), (0.09, 0.09), 0, 360, 30), INK)
    pen.rod([(0.5, 0.64), (0.5, 0.67)], WOOD, 0.045)


def vase(pen: Pen) -> None:
    """A vase with a narrow neck."""
    left = smooth([(0.35, 0.06), (0.39, 0.2), (0.25, 0.38), (0.2, 0.58), (0.33, 0.84), (0.35, 0.96)], closed=False)
    pen.body(_mirrored(left))
    pen.part(arc((0.5, 0.06), (0.15, 0.035), 0, 360), mix(pen.colour, INK, 0.6))
    pen.line([(0.395, 0.2), (0.605, 0.2)])


def backpack(pen: Pen) -> None:
    """A backpack, seen from its pocket's side."""
    pen.rod(arc((0.5, 0.1), (0.1, 0.08), 180, 360), INK, 0.03)
    for side in (-1, 1):
        pen.rod([(0.5 + side * 0.3, 0.35), (0.5 + side * 0.4, 0.55), (0.5 + side * 0.34, 0.8)], INK, 0.04)
    pen.body(smooth(_mirrored([(0.5, 0.06), (0.28, 0.1), (0.18, 0.3), (0.17, 0.6), (0.2, 0.9), (0.5, 0.94)])))
    pen.line(smooth([(0.2, 0.36), (0.5, 0.28), (0.8, 0.36)], closed=False))
    pen.body([(0.28, 0.54), (0.72, 0.54), (0.74, 0.86), (0.26, 0.86)])
    pen.rod([(0.3, 0.62), (0.7, 0.62)], STEEL, 0.012)


def bow_tie(pen: Pen) -> None:
    """A bow tie."""
    for side in (-1, 1):
        wing = [(0.0, 0.42), (0.3, 0.25), (0.45, 0.24), (0.47, 0.5), (0.45, 0.76), (0.3, 0.75), (0.0, 0.58)]
        pen.body(smooth([(0.5 + side * x, y) for x, y in wing]))
        pen.line([(0.5 + side * 0.06, 0.46), (0.5 + side * 0.26, 0.4)])
        pen.line([(0.5 + side * 0.06, 0.54), (0.5 + side * 0.26, 0.6)])
    pen.body(smooth(_mirrored([(0.5, 0.38), (0.42, 0.4), (0.41, 0.5), (0.42, 0.6), (0.5, 0.62)])))


def bib(pen: Pen) -> None:
    """A baby's bib."""
    inner = smooth([(0.36, 0.2), (0.38, 0.34), (0.5, 0.4), (0.62, 0.34), (0.64, 0.2)], closed=False)
    left = smooth([(0.14, 0.6), (0.18, 0.4), (0.26, 0.2), (0.4, 0.08)], closed=False)
    right = [(1 - x, y) for x, y in reversed(left)]
    pen.body([*arc((0.5, 0.6), (0.36, 0.34), 0, 180, 30), *left, (0.44, 0.1), *inner, (0.56, 0.1), *right])


def clock(pen: Pen) -> None:
    """A wall clock with a wide frame, at eight minutes to four."""
    pen.body(arc((0.5, 0.5), (0.47, 0.47), 0, 360, 60))
    pen.part(arc((0.5, 0.5), (0.27, 0.27), 0, 360, 60), WHITE)
    for hour in range(12):
        pen.line(turn([(0.5, 0.25), (0.5, 0.29)], 30 * hour), colour=INK, width=0.018)
    pen.line([(0.5, 0.5), (0.36, 0.37)], colour=INK, width=0.02)
    pen.line([(0.5, 0.5), (0.62, 0.56)], colour=INK, width=0.026)


_DRAWINGS = (umbrella, balloon, mug, shirt, lamp, bucket, birdhouse, vase, backpack, bow_tie, bib, clock)
OBJECTS: dict[str, Callable[[Pen], None]] = dict(zip(THINGS, _DRAWINGS, strict=True))  # the name in titles: its drawing
