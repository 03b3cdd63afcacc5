"""Drawings with known colours, patterns and outlines for the pixel describer's tests; smooth-edged, any angle."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from viral.enrich.protocol import Picture, Prompt

Rgb = tuple[int, int, int]
Draw = Callable[[np.ndarray, np.ndarray], np.ndarray]

PLAIN_PROMPT = Prompt("plain", "Describe the picture.", "0")
TITLE_PROMPT = Prompt("title", "The title is {title}. Describe what it is about.", "1")

COLOURS: dict[str, Rgb] = {
    "red": (200, 30, 45),
    "green": (35, 140, 70),
    "blue": (35, 80, 190),
    "yellow": (245, 215, 50),
    "white": (250, 250, 250),
    "black": (20, 20, 24),
    "purple": (115, 50, 150),
    "orange": (240, 125, 30),
}

# Where the second colour shows, at (x, y) in periods.
PATTERNS: dict[str, Draw] = {
    "plain": lambda x, y: np.zeros_like(x, dtype=bool),
    "two-tone": lambda x, y: x > 0,
    "striped": lambda x, y: x % 1 < 0.45,
    "checked": lambda x, y: (np.floor(x) + np.floor(y)) % 2 == 0,
    "dotted": lambda x, y: np.hypot(x % 1 - 0.5, y % 1 - 0.5) < 0.3,
    "zigzag": lambda x, y: (y + 0.9 * np.abs(x % 1 - 0.5)) % 1 < 0.45,
}

# Outlines in a square from -1 to 1.
OUTLINES: dict[str, Draw] = {
    "disc": lambda x, y: np.hypot(x, y) < 0.95,
    "box": lambda x, y: np.maximum(np.abs(x), np.abs(y)) < 0.85,
    "egg": lambda x, y: np.hypot(x / (0.8 + 0.2 * y), y) < 0.95,
    "bottle": lambda x, y: (np.abs(y) < 0.95) & (np.abs(x) < np.where(y < -0.4, 0.28, 0.62)),
}


def thing(
    outline: str,
    pattern: str,
    first: str,
    second: str = "white",
    *,
    side: int = 96,
    period: float = 14,
    angle: float = 0,
) -> Image.Image:
    """One thing (RGBA) with its pattern turned by ``angle`` degrees; smooth edges by drawing it four times as large."""
    fine = side * 4
    y, x = np.mgrid[0:fine, 0:fine] / 4 - side / 2
    turn = np.radians(angle)
    u, v = (x * np.cos(turn) + y * np.sin(turn)) / period, (y * np.cos(turn) - x * np.sin(turn)) / period
    inside = OUTLINES[outline](x * 2 / side, y * 2 / side)
    colour = np.where(PATTERNS[pattern](u, v)[..., None], COLOURS[second], COLOURS[first])
    pixels = np.concatenate([colour, inside[..., None] * 255], axis=2).astype(np.uint8)
    return Image.fromarray(pixels, "RGBA").resize((side, side), Image.Resampling.BOX)


def backdrop(kind: str = "plain", size: tuple[int, int] = (256, 256)) -> Image.Image:
    """An even, a shaded or a two-part ground to put things on."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / max(size)
    ground = np.full((height, width, 3), (224, 230, 236), dtype=float)
    if kind == "gradient":
        ground -= (x + y)[..., None] * 40
    elif kind == "floor":
        ground[y > 0.6] = (190, 172, 150)
    picture = Image.fromarray(ground.astype(np.uint8))
    return picture.filter(ImageFilter.GaussianBlur(1)) if kind == "floor" else picture


def scene(*placed: tuple[Image.Image, tuple[int, int]], ground: Image.Image | None = None) -> Image.Image:
    """Things on a ground, each at its upper left corner."""
    picture = (ground or backdrop()).copy()
    for image, corner in placed:
        picture.paste(image, corner, image)
    return picture


def with_words(
    picture: Image.Image, words: str, at: tuple[int, int], *, paper: Rgb | None = (255, 255, 255)
) -> Image.Image:
    """The picture with words printed on it, on a label or (``paper`` none) directly."""
    picture = picture.copy()
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=22)
    box = draw.textbbox(at, words, font=font)
    if paper:
        draw.rectangle((box[0] - 6, box[1] - 5, box[2] + 6, box[3] + 5), fill=paper)
    dark = paper is None or sum(paper) > 380
    draw.text(at, words, fill=(20, 20, 20) if dark else (250, 250, 250), font=font)
    return picture


def noise(seed: int = 0, size: tuple[int, int] = (180, 240)) -> Image.Image:
    """Pixels without any order."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def png(picture: Image.Image) -> bytes:
    """The picture's bytes, lossless."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def request(picture: Image.Image, title: str = "", item_id: str = "i") -> Picture:
    """A request to a describer."""
    return Picture(item_id, title, png(picture))
