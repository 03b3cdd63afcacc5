"""``python -m bench.paint``: how soon each page shows something, with 10,000 items, in Chromium.

A catalogue whose items share some hundred drawn pictures, a bundle of random vectors, and a study of another shop are
planted and served; each page is opened anew, in a context without a cache. The server keeps its thumbnails, as ever:
only the first who sees a picture waits for it. The doctor's examination, which decodes every picture once, is over
before the first page is opened. Prints one JSON document: milliseconds until the first contentful paint (the browser's
own entry, counted from the navigation), the median of each page over the repeats, and the worst. Exit status 1 where a
median is not below a second.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image, ImageDraw

from bench.browser import browser, options, served
from bench.retrieval import TAKEN, USERS, world
from viral.base.recipe import Recipe
from viral.data.dataset import Source, write_tables
from viral.lab.shop import ShopConfig, make_shop
from viral.lab.study import compare

LIMIT = 1000.0  # milliseconds
EXAMINATION = 600.0  # seconds, at most
# A promise, because waiting for a function takes eval, which the pages' policy forbids.
ENTRY = """new Promise(resolve => {
    const look = () => {
        const [found] = performance.getEntriesByName('first-contentful-paint');
        if (found) resolve(found.startTime); else setTimeout(look, 20);
    };
    look();
})"""
PAGES = {
    "home": "/", "gallery": "/gallery", "gallery, by words": "/gallery?q=number+77",
    "gallery, last page": "/gallery?page=9999", "users": "/users",
    "user": "/users/u7", "why": "/why?user=u7&item=i77", "item": "/items/i77", "new": "/new", "map": "/map",
    "experiments": "/experiments", "study": "/experiments/study/comparison",
    "two rows": "/experiments/compare?a=comparison/popularity&b=comparison/itemknn", "doctor": "/doctor",
}  # fmt: skip
PICTURES, SIDE = 300, 320  # distinct ones, and pixels
STUDY = ShopConfig(users=60, items=40, pictures=False)


def draw(folder: Path) -> list[str]:
    """Coloured discs on a coloured ground; the files' names within the data set."""
    rng = random.Random(0)
    (folder / "images").mkdir(parents=True)
    names = [f"images/p{number}.jpg" for number in range(PICTURES)]
    for name in names:
        picture = Image.new("RGB", (SIDE, SIDE), _colour(rng))
        for _ in range(6):
            x, y, radius = (rng.randrange(SIDE) for _ in range(3))
            box = (x - radius // 3, y - radius // 3, x + radius // 3, y + radius // 3)
            ImageDraw.Draw(picture).ellipse(box, fill=_colour(rng))
        picture.save(folder / name, quality=85)
    return names


def _colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def study(folder: Path) -> Path:
    """A small comparison."""
    recipes = {name: Recipe(model=name) for name in ("popularity", "itemknn")}
    compare(make_shop(folder / "shop", STUDY), recipes, folder / "comparison", seeds=(0, 1))
    return folder / "comparison"


def plant(folder: Path, items: int) -> tuple[Path, Path]:
    """A run and its data set below ``folder``."""
    pictures = draw(folder / "data")
    made = world(items, 64)
    ids = list(made.items.ids)
    catalogue = pl.DataFrame(
        {
            "item_id": ids,
            "title": [f"Item number {n}, in a colour that is new" for n in range(items)],
            "text": ["What one may say of it, in a sentence or two."] * items,
            "category": [f"c{n % 20}" for n in range(items)],
            "image": [pictures[n % len(pictures)] for n in range(items)],
        }
    )
    taken = made.seen.items.tolist()
    log = pl.DataFrame(
        {
            "user_id": [f"u{n // TAKEN}" for n in range(USERS * TAKEN)],
            "item_id": [ids[item] for item in taken],
            "split": ["train"] * len(taken),
        }
    )
    write_tables(folder / "data", catalogue, log.unique(maintain_order=True), Source(layout="planted"))
    made.save(folder / "run" / "bundle")
    return folder / "run", folder / "data"


def painted(chromium: Any, url: str) -> float:
    """Milliseconds from the navigation to the first content, in a context of its own."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    try:
        page = context.new_page()
        answer = page.goto(url, wait_until="commit")
        if answer.status != 200:
            raise SystemExit(f"{url} answers {answer.status}")
        return float(page.evaluate(ENTRY))
    finally:
        context.close()


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.paint", description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    spent: dict[str, list[float]] = {name: [] for name in PAGES}
    with tempfile.TemporaryDirectory() as folder:
        run, dataset = plant(Path(folder), arguments.items)
        with served(run, *options(dataset, [study(Path(folder))])) as address, browser() as chromium:
            with urllib.request.urlopen(f"{address}/doctor/examination", timeout=EXAMINATION):
                pass
            for _ in range(arguments.repeats):  # the pages take turns, so that a busy moment touches all alike
                for name, path in PAGES.items():
                    spent[name].append(painted(chromium, address + path))
    pages = {
        name: {"median": round(statistics.median(those)), "worst": round(max(those))} for name, those in spent.items()
    }
    slow = [name for name, one in pages.items() if one["median"] >= LIMIT]
    print(json.dumps({"items": arguments.items, "repeats": arguments.repeats, "milliseconds": pages, "slow": slow}))
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
