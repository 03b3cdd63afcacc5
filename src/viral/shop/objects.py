"""The things that the shop sells, each a drawing in a unit square."""

from collections.abc import Callable

from viral.shop.palette import INK, STEEL, WHITE, WOOD, mix
from viral.shop.pen import Pen, arc, smooth


def umbrella(pen: Pen) -> None:
    pen.rod([(0.5, 0.1), (0.5, 0.86), *arc((0.58, 0.86), (0.08, 0.09), 180, 10)], WOOD, 0.028)
    dome = arc((0.5, 0.56), (0.46, 0.46), 180, 360, 40)
    scallops = [point for n in (4, 3, 2, 1, 0) for point in arc((0.132 + 0.184 * n, 0.56), (0.092, 0.06), 360, 180, 9)]
    pen.body([*dome, *scallops])
    for x in (0.224, 0.408, 0.592, 0.776):
        pen.line(smooth([(0.5, 0.1), (0.5 + (x - 0.5) * 0.72, 0.27), (x, 0.56)], closed=False))
    pen.rod([(0.5, 0.1), (0.5, 0.05)], STEEL, 0.02)


def balloon(pen: Pen) -> None:
    pen.line([(0.33, 0.62), (0.43, 0.84)])
    pen.line([(0.67, 0.62), (0.57, 0.84)])
    pen.line([(0.5, 0.66), (0.5, 0.84)])
    skin = [*arc((0.5, 0.37), (0.38, 0.35), 170, 370, 40), (0.74, 0.6), (0.6, 0.74), (0.4, 0.74), (0.26, 0.6)]
    pen.body(skin)
    for reach in (0.2, 0.0):
        for side in (-1, 1):
            pen.line(smooth([(0.5, 0.02), (0.5 + side * reach, 0.36), (0.5 + side * reach * 0.4, 0.74)], closed=False))
    pen.part([(0.41, 0.84), (0.59, 0.84), (0.57, 0.98), (0.43, 0.98)], WOOD)
    pen.line([(0.415, 0.9), (0.585, 0.9)])


def mug(pen: Pen) -> None:
    pen.rod(arc((0.72, 0.54), (0.19, 0.2), -80, 80), pen.colour, 0.06)
    pen.body([*arc((0.42, 0.24), (0.34, 0.07), 180, 360), (0.76, 0.8), *arc((0.42, 0.84), (0.34, 0.09), 0, 180)])
    pen.part(arc((0.42, 0.24), (0.34, 0.07), 0, 360), WHITE)
    pen.part(arc((0.42, 0.255), (0.29, 0.05), 0, 360), (92, 56, 34))


def teapot(pen: Pen) -> None:
    pen.rod(arc((0.76, 0.52), (0.19, 0.2), -100, 80), pen.colour, 0.05)
    spout = smooth([(0.3, 0.72), (0.14, 0.6), (0.1, 0.42), (0.02, 0.34), (0.1, 0.3), (0.2, 0.42), (0.32, 0.52)])
    pen.body(spout)
    pen.body(arc((0.52, 0.6), (0.32, 0.28), 0, 360, 48))
    pen.part([(0.36, 0.87), (0.68, 0.87), (0.7, 0.92), (0.34, 0.92)], mix(pen.colour, INK, 0.25))
    pen.part(arc((0.52, 0.36), (0.2, 0.1), 180, 360), mix(pen.colour, INK, 0.12))
    pen.line([(0.32, 0.36), (0.72, 0.36)])
    pen.part(arc((0.52, 0.22), (0.05, 0.05), 0, 360), pen.colour)


def sock(pen: Pen) -> None:
    leg = [(0.34, 0.06), (0.68, 0.06), (0.68, 0.4), (0.67, 0.62)]
    foot = smooth(
        [(0.67, 0.62), (0.6, 0.78), (0.4, 0.9), (0.2, 0.95), (0.1, 0.86), (0.16, 0.74), (0.3, 0.64)], closed=False
    )
    pen.body([*leg, *foot, (0.35, 0.5)])
    pen.part([(0.32, 0.05), (0.7, 0.05), (0.7, 0.17), (0.32, 0.17)], WHITE)
    for n in range(7):
        pen.line([(0.36 + 0.05 * n, 0.06), (0.36 + 0.05 * n, 0.16)], width=0.01)
    pen.part(smooth([(0.2, 0.95), (0.1, 0.86), (0.16, 0.74), (0.25, 0.8), (0.27, 0.92)]), WHITE)


def bow_tie(pen: Pen) -> None:
    for side in (-1, 1):
        wing = [(0.5, 0.42), (0.5 + side * 0.3, 0.25), (0.5 + side * 0.45, 0.24), (0.5 + side * 0.47, 0.5)]
        wing += [(0.5 + side * 0.45, 0.76), (0.5 + side * 0.3, 0.75), (0.5, 0.58)]
        pen.body(smooth(wing, steps=8))
        pen.line([(0.5 + side * 0.06, 0.46), (0.5 + side * 0.26, 0.4)])
        pen.line([(0.5 + side * 0.06, 0.54), (0.5 + side * 0.26, 0.6)])
    pen.body(
        smooth([(0.42, 0.4), (0.5, 0.38), (0.58, 0.4), (0.59, 0.5), (0.58, 0.6), (0.5, 0.62), (0.42, 0.6), (0.41, 0.5)])
    )


def backpack(pen: Pen) -> None:
    pen.rod(arc((0.5, 0.1), (0.1, 0.08), 180, 360), INK, 0.03)
    for side in (-1, 1):
        pen.rod([(0.5 + side * 0.3, 0.35), (0.5 + side * 0.4, 0.55), (0.5 + side * 0.34, 0.8)], INK, 0.04)
    pen.body(
        smooth(
            [
                (0.5, 0.06),
                (0.72, 0.1),
                (0.82, 0.3),
                (0.83, 0.6),
                (0.8, 0.9),
                (0.5, 0.94),
                (0.2, 0.9),
                (0.17, 0.6),
                (0.18, 0.3),
                (0.28, 0.1),
            ]
        )
    )
    pen.line(smooth([(0.2, 0.36), (0.5, 0.28), (0.8, 0.36)], closed=False))
    pen.body([(0.28, 0.54), (0.72, 0.54), (0.74, 0.86), (0.26, 0.86)])
    pen.rod([(0.3, 0.62), (0.7, 0.62)], STEEL, 0.012)


def vase(pen: Pen) -> None:
    outline = [(0.36, 0.06), (0.4, 0.2), (0.26, 0.38), (0.22, 0.58), (0.34, 0.84), (0.36, 0.95)]
    right = [(1 - x, y) for x, y in reversed(outline)]
    pen.body([*smooth(outline, closed=False), *smooth(right, closed=False)])
    pen.part(arc((0.5, 0.06), (0.14, 0.035), 0, 360), mix(pen.colour, INK, 0.6))
    pen.line([(0.4, 0.2), (0.6, 0.2)])


def guitar(pen: Pen) -> None:
    pen.rod([(0.5, 0.1), (0.5, 0.5)], WOOD, 0.06)
    pen.part([(0.44, 0.02), (0.56, 0.02), (0.55, 0.15), (0.45, 0.15)], INK)
    left = [(0.5, 0.42), (0.36, 0.44), (0.3, 0.54), (0.34, 0.64), (0.24, 0.76), (0.28, 0.92), (0.5, 0.97)]
    pen.body([*smooth(left, closed=False), *smooth([(1 - x, y) for x, y in reversed(left)], closed=False)])
    pen.part(arc((0.5, 0.62), (0.075, 0.075), 0, 360), INK)
    pen.part([(0.4, 0.8), (0.6, 0.8), (0.6, 0.84), (0.4, 0.84)], WOOD)
    for x in (0.48, 0.5, 0.52):
        pen.line([(x, 0.06), (x, 0.82)], colour=WHITE, width=0.006)


def jersey(pen: Pen) -> None:
    left = [(0.38, 0.1), (0.24, 0.15), (0.04, 0.34), (0.16, 0.47), (0.26, 0.38), (0.26, 0.93)]
    pen.body([*left, *[(1 - x, y) for x, y in reversed(left)], *arc((0.5, 0.1), (0.12, 0.1), 0, 180, 12)])
    pen.line(arc((0.5, 0.1), (0.15, 0.13), 0, 180, 14))
    for side in (-1, 1):
        pen.line([(0.5 + side * 0.24, 0.38), (0.5 + side * 0.26, 0.2)])
        pen.line([(0.5 + side * 0.3, 0.435), (0.5 + side * 0.42, 0.3)])


def envelope(pen: Pen) -> None:
    pen.body([(0.05, 0.2), (0.95, 0.2), (0.95, 0.8), (0.05, 0.8)])
    pen.line([(0.05, 0.8), (0.4, 0.48)])
    pen.line([(0.95, 0.8), (0.6, 0.48)])
    pen.body([(0.05, 0.2), (0.95, 0.2), (0.5, 0.58)])


def lamp(pen: Pen) -> None:
    pen.rod([(0.5, 0.5), (0.5, 0.9)], STEEL, 0.04)
    pen.part([(0.3, 0.96), (0.34, 0.89), (0.66, 0.89), (0.7, 0.96)], STEEL)
    pen.body([(0.32, 0.08), (0.68, 0.08), (0.9, 0.58), *arc((0.5, 0.58), (0.4, 0.04), 0, 180, 12), (0.1, 0.58)])


# Name in titles -> its drawing.
OBJECTS: dict[str, Callable[[Pen], None]] = {
    "umbrella": umbrella,
    "balloon": balloon,
    "mug": mug,
    "teapot": teapot,
    "sock": sock,
    "bow tie": bow_tie,
    "backpack": backpack,
    "vase": vase,
    "guitar": guitar,
    "jersey": jersey,
    "envelope": envelope,
    "lamp": lamp,
}
