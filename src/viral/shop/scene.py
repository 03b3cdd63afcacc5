"""A picture of the shop: a background, the product with its tag, other things beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from viral.shop.objects import OBJECTS
from viral.shop.palette import INK, WHITE, Rgb, mix
from viral.shop.pen import Pen
from viral.shop.world import TAGS

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are outside

BACKGROUNDS = ("plain", "gradient", "room", "bokeh")
TINTS: tuple[Rgb, ...] = (
    (236, 232, 222),
    (226, 229, 232),
    (222, 232, 238),
    (232, 226, 236),
    (226, 236, 226),
    (240, 228, 224),
)
MARGIN = 0.02  # between things, in units of the picture
SMALLEST = 0.78  # of the place that a thing has


@dataclass(frozen=True, slots=True)
class Thing:
    """What is drawn: an object's name, a colour and a pattern."""

    name: str
    colour: str
    pattern: str


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture (RGB) and where its things are."""

    image: Image.Image
    background: str
    box: Box  # the product, without its tag
    tag_box: Box
    others: tuple[Box, ...]


def draw_scene(things: Sequence[Thing], tag: str, size: int, rng: np.random.Generator) -> Scene:
    """Draw ``things``, the product first, each in a place of its own, on a random background."""
    background = str(rng.choice(BACKGROUNDS))
    image = _background(background, size, rng)
    places = _places(len(things), rng)
    boxes = []
    tag_box: Box = (0, 0, 0, 0)
    for number, thing in enumerate(things):
        sprite = _sprite(thing, size)
        left, top, right, bottom = places[number]
        room = min(right - left, bottom - top) - 2 * MARGIN
        side = round(size * room * rng.uniform(SMALLEST, 1.0))
        sprite = sprite.resize((side, side), Image.Resampling.LANCZOS)
        bounds = sprite.getbbox() or (0, 0, side, side)
        sprite = sprite.crop(bounds)
        width, height = sprite.size
        x = round(size * (left + MARGIN) + rng.random() * (size * (right - left - 2 * MARGIN) - width))
        y = round(size * (top + MARGIN) + rng.random() * (size * (bottom - top - 2 * MARGIN) - height))
        _shadow(image, (x, y, x + width, y + height))
        image.paste(sprite, (x, y), sprite)
        boxes.append((x, y, x + width, y + height))
        if number == 0:
            edge = (round(size * (left + MARGIN / 2)), round(size * (right - MARGIN / 2)))
            tag_box = _tag(image, tag, boxes[0], edge, size)
    return Scene(image, background, boxes[0], tag_box, tuple(boxes[1:]))


def _sprite(thing: Thing, size: int) -> Image.Image:
    pen = Pen(size, thing.colour, thing.pattern)
    OBJECTS[thing.name](pen)
    return pen.image


def _places(number: int, rng: np.random.Generator) -> list[tuple[float, float, float, float]]:
    """A place for each thing: rectangles in units of the picture that do not overlap, in random order."""
    cut_x, cut_y = rng.uniform(0.44, 0.56, 2)
    if number == 1:
        side = rng.uniform(0.6, 0.75)
        x, y = rng.random(2) * (1 - side)
        places = [(x, y, x + side, y + side)]
    else:
        columns = ((0.0, cut_x), (cut_x, 1.0))
        rows = ((0.0, cut_y), (cut_y, 1.0))
        places = [(left, top, right, bottom) for left, right in columns for top, bottom in rows]
        if number == 2:
            places = [(left, 0.0, right, 1.0) for left, right in columns]
    return [places[n] for n in rng.permutation(len(places))[:number]]


def _tag(image: Image.Image, word: str, box: Box, edge: tuple[int, int], size: int) -> Box:
    """A tag with a printed word on the lower part of the product: light for the first word, dark for the second."""
    light = word == TAGS[0]
    paper, ink = (WHITE, INK) if light else (INK, WHITE)
    font = ImageFont.load_default(size=max(16, round(size * 0.088)))
    text = font.getbbox(word)
    pad = max(3, round(size * 0.016))
    width, height = round(text[2] - text[0]) + 2 * pad, round(text[3] - text[1]) + 2 * pad
    x = min(max(edge[0], round((box[0] + box[2]) / 2) - width // 2), edge[1] - width)
    y = box[3] - height
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((x, y, x + width - 1, y + height - 1), radius=pad, fill=paper, outline=INK, width=2)
    draw.text((x + pad - text[0], y + pad - text[1]), word, fill=ink, font=font)
    return x, y, x + width, y + height


def _shadow(image: Image.Image, box: Box) -> None:
    """A soft shadow under a thing."""
    left, top, right, bottom = box
    reach = max(2, (right - left) // 12)
    flat = max(3, (bottom - top) // 14)
    frame = (left - reach, bottom - flat, right + reach, bottom + flat)
    mask = Image.new("L", (frame[2] - frame[0], frame[3] - frame[1]), 0)
    ImageDraw.Draw(mask).ellipse((reach, flat // 2, mask.width - reach, mask.height - flat // 2), fill=46)
    image.paste(INK, frame[:2], mask.filter(ImageFilter.GaussianBlur(flat / 3)))


def _background(kind: str, size: int, rng: np.random.Generator) -> Image.Image:
    tint = TINTS[rng.integers(len(TINTS))]
    image = Image.new("RGB", (size, size), tint)
    if kind == "gradient":
        ramp = Image.linear_gradient("L").resize((size, size)).point(lambda value: value // 5)
        image.paste(mix(tint, INK, 0.5), mask=ramp)
    elif kind == "room":
        floor = round(size * rng.uniform(0.55, 0.8))
        image.paste(mix(tint, (176, 160, 140), 0.45), (0, floor, size, size))
    elif kind == "bokeh":
        spots = Image.new("L", (size, size), 0)
        draw = ImageDraw.Draw(spots)
        for _ in range(12):
            x, y, radius = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0.04, 0.14) * size
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(rng.integers(60, 150)))
        image.paste(WHITE, mask=spots.filter(ImageFilter.GaussianBlur(size / 90)))
    return image
