"""A small shop as somebody would have it: a log, an item table and a folder of pictures, drawn."""

import random
from pathlib import Path

from PIL import Image, ImageDraw

COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200), "green": (30, 160, 60)}
THINGS = ("mug", "lamp", "chair", "clock", "vase", "box", "bag", "cap")


def picture(path: Path, colour: str) -> Path:
    """A disc of a colour."""
    image = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(image).ellipse((8, 8, 56, 56), fill=COLOURS[colour])
    image.save(path)
    return path


def make_folder(folder: Path, *, users: int = 30, seed: int = 0) -> Path:
    """Every thing in every colour as items ``A-0``, ``A-1``, …; users ``000``, ``001``, … choose by colour."""
    rng = random.Random(seed)
    (folder / "pictures").mkdir(parents=True)
    items = [(thing, colour) for thing in THINGS for colour in COLOURS]
    rows = ["item_id,title,text,image"]
    for number, (thing, colour) in enumerate(items):
        picture(folder / "pictures" / f"A-{number}.png", colour)
        rows.append(f"A-{number},{colour.title()} {thing},A {thing} for the home,A-{number}.png")
    (folder / "items.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    log = ["user_id,item_id,timestamp"]
    for user in range(users):
        own = [n for n, (_, colour) in enumerate(items) if colour == list(COLOURS)[user % len(COLOURS)]]
        chosen = [*rng.sample(own, 6), *rng.sample(range(len(items)), 2)]
        log += [f"{user:03d},A-{n},{1_700_000_000 + 3600 * place}" for place, n in enumerate(dict.fromkeys(chosen))]
    (folder / "interactions.csv").write_text("\n".join(log) + "\n", encoding="utf-8")
    return folder
