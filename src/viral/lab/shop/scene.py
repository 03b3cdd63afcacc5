"""A picture of the shop: a pale background, the product with its tag, other things and a slogan beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from viral.lab.shop.drawing import INK, WHITE, Pen, Rgb, mix
from viral.lab.shop.objects import OBJECTS
from viral.lab.shop.world import TAGS

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


Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are outside
Place = tuple[float, float, float, float]  # the same in units of the picture

SLOGANS = ("NEW", "SALE", "BEST", "OFFER")
SLOGAN_INK = (112, 110, 120)
SLOGAN_SHARE = 0.4  # of the pictures that have room for one
MARGIN = 0.024  # around things, in units of the picture: none touches another
SMALLEST = 0.8  # of the room that a thing has
FONT = 0.078  # of the picture's side: capitals of 16 pixels in a picture of 288


@dataclass(frozen=True, slots=True)
class DrawnThing:
    """What is drawn: an object's name, a colour and a pattern."""

    name: str
    colour: str
    pattern: str


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture (RGB) and what is where in it."""

    image: Image.Image
    background: str
    slogan: str | None
    box: Box  # the product, without its tag
    tag_box: Box
    others: tuple[Box, ...]


def draw_scene(things: Sequence[DrawnThing], tag: str, size: int, rng: np.random.Generator) -> Scene:
    """Draw ``things``, the product first, each in a place of its own, on a random background."""
    image, background = draw_backdrop(size, rng)
    slogan = str(rng.choice(SLOGANS)) if len(things) < 4 and rng.random() < SLOGAN_SHARE else None
    places = _places(len(things) + bool(slogan), rng)
    label = _label(tag, size)
    box, tag_box = _put_product(image, _sprite(things[0], size), label, places[0], rng)
    others = tuple(
        _put(image, _fitted(_sprite(thing, size), place, 0, size, rng), place, rng)
        for thing, place in zip(things[1:], places[1:], strict=False)
    )
    if slogan:
        _print_slogan(image, slogan, places[-1], rng)
    return Scene(image, background, slogan, box, tag_box, others)


def _sprite(thing: DrawnThing, size: int) -> Image.Image:
    pen = Pen(size, thing.colour, thing.pattern)
    OBJECTS[thing.name](pen)
    return pen.image.crop(pen.image.getbbox())


def _places(number: int, rng: np.random.Generator) -> list[Place]:
    """A place for each thing: rectangles that do not overlap, in random order."""
    if number == 1:
        side = rng.uniform(0.6, 0.8)
        x, y = rng.random(2) * (1 - side)
        return [(x, y, x + side, y + side)]
    cut_x, cut_y = rng.uniform(0.46, 0.54, 2)
    columns = ((0.0, cut_x), (cut_x, 1.0))
    rows = ((0.0, 1.0),) if number == 2 else ((0.0, cut_y), (cut_y, 1.0))
    places = [(left, top, right, bottom) for left, right in columns for top, bottom in rows]
    return [places[n] for n in rng.permutation(len(places))[:number]]


def _fitted(sprite: Image.Image, place: Place, below: int, size: int, rng: np.random.Generator) -> Image.Image:
    """The sprite scaled to its place, with ``below`` pixels left free under it."""
    width = (place[2] - place[0] - 2 * MARGIN) * size
    height = (place[3] - place[1] - 2 * MARGIN) * size - below
    factor = min(width / sprite.width, height / sprite.height) * rng.uniform(SMALLEST, 1.0)
    factor = min(factor, 0.46 * size / max(sprite.size)) if place[3] - place[1] == 1 else factor
    return sprite.resize((round(sprite.width * factor), round(sprite.height * factor)), Image.Resampling.HAMMING)


def _put(image: Image.Image, sprite: Image.Image, place: Place, rng: np.random.Generator, below: int = 0) -> Box:
    """Paste the sprite somewhere in its place, with a shadow."""
    size = image.width
    free_x = (place[2] - place[0] - 2 * MARGIN) * size - sprite.width
    free_y = (place[3] - place[1] - 2 * MARGIN) * size - sprite.height - below
    x = int((place[0] + MARGIN) * size + rng.random() * free_x)
    y = int((place[1] + MARGIN) * size + rng.random() * free_y)
    box = (x, y, x + sprite.width, y + sprite.height)
    draw_shadow(image, box)
    image.paste(sprite, (x, y), sprite)
    return box


def _put_product(
    image: Image.Image, sprite: Image.Image, label: Image.Image, place: Place, rng: np.random.Generator
) -> tuple[Box, Box]:
    """Paste the product and hang its tag on its foot, to the right if there is room; their boxes."""
    overlap = label.height * 2 // 5
    sprite = _fitted(sprite, place, label.height - overlap, image.width, rng)
    box = _put(image, sprite, place, rng, below=label.height - overlap)
    foot = sprite.getchannel("A").crop((0, sprite.height - overlap, *sprite.size)).getbbox() or (0, 0, *sprite.size)
    low, high = (round(edge * image.width) for edge in (place[0] + MARGIN / 2, place[2] - MARGIN / 2))
    x = min(max(low, box[0] + foot[2] - label.width // 2), high - label.width)
    y = box[3] - overlap
    image.paste(label, (x, y), label)
    return box, (x, y, x + label.width, y + label.height)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=max(16, round(size * FONT)))


def _label(word: str, size: int) -> Image.Image:
    """A tag with a printed word (RGBA): light for the first word, dark for the second."""
    paper, ink = (WHITE, INK) if word == TAGS[0] else (INK, WHITE)
    font = _font(size)
    left, top, right, bottom = font.getbbox(word)
    pad = max(4, round(size * 0.018))
    width, height = round(right - left) + 2 * pad, round(bottom - top) + 2 * pad
    label = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(label)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius=pad - 1, fill=paper, outline=INK, width=2)
    draw.text((pad - left, pad - top), word, fill=ink, font=font)
    return label


def _print_slogan(image: Image.Image, slogan: str, place: Place, rng: np.random.Generator) -> None:
    """Print a word on the background, darker than it."""
    font = _font(image.width)
    left, top, right, bottom = font.getbbox(slogan)
    mask = Image.new("L", (round(right - left) + 2, round(bottom - top) + 2), 0)
    ImageDraw.Draw(mask).text((1 - left, 1 - top), slogan, fill=255, font=font)
    x = int((place[0] + rng.uniform(0.2, 0.8) * (place[2] - place[0])) * image.width - mask.width / 2)
    y = int((place[1] + rng.uniform(0.2, 0.8) * (place[3] - place[1])) * image.width - mask.height / 2)
    low, high = (round(edge * image.width) for edge in (place[0] + MARGIN, place[2] - MARGIN))
    x = min(max(x, low), high - mask.width)
    image.paste(SLOGAN_INK, (x, y), mask)
