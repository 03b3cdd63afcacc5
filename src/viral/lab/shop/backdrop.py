"""Backgrounds as in advertisements: pale, so that every product stands out from them."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from viral.lab.shop.palette import INK, WHITE, Rgb, mix

BACKGROUNDS = ("plain", "gradient", "room", "bokeh")
TINTS: tuple[Rgb, ...] = (
    (236, 232, 222),
    (226, 229, 232),
    (222, 232, 238),
    (232, 226, 236),
    (226, 236, 226),
    (240, 228, 224),
)
FLOOR: Rgb = (176, 160, 140)


def draw_backdrop(size: int, rng: np.random.Generator) -> tuple[Image.Image, str]:
    """A square background (RGB) and the name of its kind."""
    kind = str(rng.choice(BACKGROUNDS))
    tint = TINTS[rng.integers(len(TINTS))]
    image = Image.new("RGB", (size, size), tint)
    if kind == "gradient":
        ramp = Image.linear_gradient("L").resize((size, size)).point(lambda value: value // 4)
        image.paste(mix(tint, INK, 0.5), mask=ramp)
    elif kind == "room":
        floor = round(size * rng.uniform(0.6, 0.8))
        image.paste(mix(tint, FLOOR, 0.45), (0, floor, size, size))
    elif kind == "bokeh":
        _bokeh(image, rng)
    return image, kind


def _bokeh(image: Image.Image, rng: np.random.Generator) -> None:
    """Lights out of focus."""
    size = image.width
    spots = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(spots)
    for _ in range(12):
        x, y, radius = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0.04, 0.14) * size
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(rng.integers(60, 150)))
    image.paste(WHITE, mask=spots.filter(ImageFilter.GaussianBlur(size / 90)))


def draw_shadow(image: Image.Image, box: tuple[int, int, int, int]) -> None:
    """A soft shadow under a thing."""
    left, top, right, bottom = box
    reach = max(2, (right - left) // 12)
    flat = max(3, (bottom - top) // 16)
    frame = (left - reach, bottom - flat, right + reach, bottom + flat)
    mask = Image.new("L", (frame[2] - frame[0], frame[3] - frame[1]), 0)
    ImageDraw.Draw(mask).ellipse((reach, flat // 2, mask.width - reach, mask.height - flat // 2), fill=46)
    image.paste(INK, frame[:2], mask.filter(ImageFilter.GaussianBlur(flat / 3)))
