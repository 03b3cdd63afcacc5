"""Small marks on a surface are named by outline and colour, at any size and angle."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixel_drawings import thing
from viral.enrich.pixel.colours import to_lab
from viral.enrich.pixel.surface import outline, read_surface


def shape(kind: str, radius: float, angle: float) -> Image.Image:
    """A shape (L, 255 inside) drawn eight times as large and scaled down."""
    fine = 8
    side = int(radius * 2.6) * fine
    image = Image.new("L", (side, side))
    draw, middle, reach = ImageDraw.Draw(image), side / 2, radius * fine

    def points(corners: int, inner: float = 1.0) -> list[tuple[float, float]]:
        steps = corners * (2 if inner < 1 else 1)
        turns = angle + 2 * np.pi * np.arange(steps) / steps
        lengths = np.where(np.arange(steps) % 2, inner, 1.0) * reach
        return [(middle + r * np.cos(a), middle + r * np.sin(a)) for r, a in zip(lengths, turns, strict=True)]

    def circle(share: float, fill: int) -> None:
        draw.ellipse([middle - reach * share] * 2 + [middle + reach * share] * 2, fill=fill)

    if kind in ("disc", "ring"):
        circle(1.0, 255)
        circle(0.6, 0 if kind == "ring" else 255)
    else:
        corners = {"triangle": points(3), "square": points(4), "star": points(5, 0.42)}[kind]
        draw.polygon(corners, fill=255)
    return image.resize((side // fine, side // fine), Image.Resampling.BOX)


@pytest.mark.parametrize("kind", ["disc", "ring", "star", "square", "triangle"])
@pytest.mark.parametrize("radius", [6, 9, 16])
def test_outlines_are_named_at_any_size_and_angle(kind, radius):
    for angle in (0, 0.3, 0.8, 1.1):
        assert outline(np.asarray(shape(kind, radius, angle)) > 127) == kind


def test_bars_specks_and_blots_have_no_name():
    bar, speck = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    bar[12:17, 2:28] = True
    speck[14:17, 14:17] = True
    assert outline(bar) == outline(speck) == ""


@pytest.mark.parametrize("kind", ["star", "ring", "triangle"])
def test_a_mark_on_a_plain_thing_is_seen(kind):
    image = thing("box", "plain", "blue", side=110)
    stamp = shape(kind, 14, 0.4)
    image.paste((250, 210, 40, 255), (40, 38), stamp)
    pixels = np.asarray(image)
    found = read_surface(to_lab(pixels[..., :3]), pixels[..., 3] > 128)
    assert [(mark.colour, mark.shape) for mark in found.marks] == [("yellow", kind)]
    assert found.pattern.name == "plain"


def test_the_dots_of_a_pattern_are_not_marks():
    pixels = np.asarray(thing("egg", "dotted", "green", side=110))
    found = read_surface(to_lab(pixels[..., :3]), pixels[..., 3] > 128)
    assert (found.pattern.name, found.marks) == ("dotted", ())
