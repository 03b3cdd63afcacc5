"""Patterns, told at any angle and scale, on any outline; and what is not a pattern."""

import io
from itertools import product

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from pixel_drawings import OUTLINES, noise, thing
from viral.enrich.pixel.colours import to_lab
from viral.enrich.pixel.surface import Surface, read_surface


def surface_of(image: Image.Image) -> Surface:
    pixels = np.asarray(image)
    return read_surface(to_lab(pixels[..., :3]), pixels[..., 3] > 128)


PAIRS = (("red", "white"), ("blue", "yellow"), ("green", "orange"), ("black", "white"))


@pytest.mark.parametrize("pattern", ["plain", "two-tone", "striped", "checked", "dotted", "zigzag"])
@pytest.mark.parametrize("outline", sorted(OUTLINES))
def test_patterns_are_told_at_any_angle_and_scale(pattern, outline):
    for number, (angle, period) in enumerate(product((0, 20, 45, 90), (13, 18))):
        first, second = PAIRS[number % len(PAIRS)]
        image = thing(outline, pattern, first, second, side=112, period=period, angle=angle)
        found = surface_of(image)
        assert found.pattern.name == pattern, (angle, period, first, second)
        names = {colour.name for colour in found.colours[:2]}
        assert names == ({first} if pattern == "plain" else {first, second})


@pytest.mark.parametrize(
    ("angle", "direction"), [(0, "vertically"), (90, "horizontally"), (45, "diagonally"), (135, "diagonally")]
)
def test_stripes_have_a_direction(angle, direction):
    assert str(surface_of(thing("box", "striped", "red", angle=angle)).pattern) == f"{direction} striped"


def test_strong_compression_changes_nothing():
    for pattern in ("striped", "checked", "dotted", "zigzag"):
        image = thing("egg", pattern, "purple", side=112, period=18)
        stream = io.BytesIO()
        image.convert("RGB").save(stream, "JPEG", quality=50)
        blurred = Image.open(stream).convert("RGB")
        blurred.putalpha(image.getchannel("A"))
        assert surface_of(blurred).pattern.name == pattern


def test_seams_are_no_pattern():
    image = thing("disc", "plain", "red")
    draw = ImageDraw.Draw(image)
    for x in (30, 48, 66):
        draw.line((x, 0, x, 96), fill=(70, 10, 16, 255), width=2)
    image.putalpha(thing("disc", "plain", "red").getchannel("A"))
    assert surface_of(image).pattern.name == "plain"


@pytest.mark.parametrize("pattern", ["plain", "checked", "dotted", "striped", "zigzag"])
def test_a_clock_face_does_not_hide_the_pattern_around_it(pattern):
    image = thing("disc", pattern, "green", side=140, period=18)
    draw, ink = ImageDraw.Draw(image), (20, 20, 24, 255)
    draw.ellipse((34, 34, 106, 106), fill=(250, 250, 250, 255), outline=ink, width=2)
    draw.line((70, 70, 92, 59), fill=ink, width=3)
    draw.line((70, 70, 56, 48), fill=ink, width=3)
    assert surface_of(image).pattern.name == pattern


def test_one_field_within_another_is_not_a_second_tone():
    image = thing("box", "plain", "blue")
    ImageDraw.Draw(image).ellipse((22, 22, 74, 74), fill=(250, 250, 250, 255))
    found = surface_of(image)
    assert found.pattern.name == "plain"
    assert [(mark.colour, mark.shape) for mark in found.marks] == [("white", "disc")]


def test_a_small_part_in_another_colour_is_not_a_second_tone():
    image = thing("box", "plain", "orange")
    ImageDraw.Draw(image).rectangle((0, 0, 96, 22), fill=(250, 250, 250, 255))
    image.putalpha(thing("box", "plain", "orange").getchannel("A"))
    found = surface_of(image)
    assert found.pattern.name == "plain"
    assert [colour.name for colour in found.colours] == ["orange", "white"]


def test_patches_without_order_are_not_dots_or_checks():
    names = []
    for seed, size in product(range(12), (2.5, 5.0)):
        rough = np.random.default_rng(seed).standard_normal((110, 110))
        blots = ndimage.gaussian_filter(rough, size, mode="wrap") > 0
        pixels = np.where(blots[..., None], (200, 30, 45), (250, 250, 250)).astype(np.uint8)
        names.append(read_surface(to_lab(pixels), np.ones(blots.shape, dtype=bool)).pattern.name)
    assert not {"checked", "zigzag", "striped"} & set(names)
    assert names.count("dotted") <= 1
    assert names.count("irregular") >= 16


def test_noise_and_scraps_have_a_surface_too():
    assert read_surface(to_lab(np.asarray(noise(size=(40, 30)))), np.ones((30, 40), bool)).colours
    assert read_surface(to_lab(np.full((1, 1, 3), 200, np.uint8)), np.ones((1, 1), bool)).pattern.name == "plain"
    empty = read_surface(to_lab(np.zeros((5, 5, 3), np.uint8)), np.zeros((5, 5), bool))
    assert (empty.colours, empty.pattern.name) == ((), "plain")
