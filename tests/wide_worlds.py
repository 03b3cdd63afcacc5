"""Shops at the ends of what there is: ids of 64 characters, no pictures, one item, ten thousand of them."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import polars as pl
import torch

from describers import draw
from encoders import BagOfWords
from viral.base.files import write_json
from viral.data.dataset import Source, image_name, write_tables
from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.models.scorers import EmbeddingScorer
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material

DIM, USERS = 6, 24
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitaenskajuetentuerschluessel"
COLOURS = ("Black", "Light Pink", "Dark Blue", "Greenish Khaki")


@dataclass(frozen=True)
class World:
    """How large a shop is, and what its ids and pictures are."""

    items: int
    long_ids: bool = False
    pictures: int = 0  # of the first so many items


WORLDS = {
    "long ids": World(40, long_ids=True, pictures=12),
    "no pictures": World(30),
    "one item": World(1, pictures=1),
    "ten thousand": World(10_000, pictures=60),
}


def ids_of(world: World, kind: str, count: int) -> list[str]:
    """Short ids that count, or hashes, which have 64 characters and no place to break."""
    names = [f"{kind}{n}" for n in range(count)]
    return [sha256(name.encode()).hexdigest() for name in names] if world.long_ids else names


def make_world(folder: Path, world: World) -> tuple[Path, Path]:
    """The data set and the run of such a shop: untrained vectors, as only the pages are looked at."""
    data, run = folder / "data", folder / "run"
    items, users = ids_of(world, "i", world.items), ids_of(world, "u", USERS)
    images = [image_name(one, ".png") if n < world.pictures else None for n, one in enumerate(items)]
    data.mkdir(parents=True)
    for number, name in enumerate(images[: world.pictures]):
        assert name is not None
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        draw(data / name, number)
    titles = [
        LONG_WORD if n % 7 == 3 else f"{COLOURS[n % 4]} top number {n} with a rather long name"
        for n in range(len(items))
    ]
    columns = {
        "item_id": items, "title": titles, "image": images,
        "text": ["Soft jersey. " * (n % 4) for n in range(len(items))],
        "category": [("Tops", "Trousers", "Shoes")[n % 3] for n in range(len(items))],
        "colour": [COLOURS[n % 4] for n in range(len(items))], "brand": ["Acme"] * len(items),
        "price": [f"€ {5 + n % 90}.99" for n in range(len(items))],
    }  # fmt: skip
    pairs = sorted({(u, (u * 5 + n * n) % len(items)) for u in range(USERS) for n in range(9)})
    log = pl.DataFrame({"user_id": [users[u] for u, _ in pairs], "item_id": [items[i] for _, i in pairs]})
    schema = {name: pl.String for name in columns}
    write_tables(
        data, pl.DataFrame(columns, schema=schema), log.with_columns(split=pl.lit("train")), Source(layout="test")
    )
    _bundle(columns, items, users, pairs).save(run / "bundle")
    write_json(run / "run.json", {"dataset": str(data)})
    return data, run


def _exposure(item: str) -> dict[str, object]:
    shares = {"coverage": 0.63, "most": 0.48, "gini": 0.4, "recommended": 9.1, "taken": 4.2}
    return {"k": 10, "users": USERS, "most_item": item, "most_title": LONG_WORD, **shares}


def _bundle(columns: dict[str, list[str]], items: list[str], users: list[str], pairs: list[tuple[int, int]]) -> Bundle:
    rng = torch.Generator().manual_seed(0)
    vectors = [torch.randn(count, DIM, generator=rng) for count in (len(users), len(items))]
    taken = torch.tensor(pairs)
    seen = Interactions(taken[:, 0], taken[:, 1], len(users), len(items))
    words = BagOfWords()
    texts = torch.from_numpy(words.encode(columns["title"]))
    kept = {
        name: [str(one or "") for one in columns[name]] for name in ("text", "category", "colour", "brand", "price")
    }
    material = Material(kept, {"text": texts}, {"text": torch.ones(len(items), dtype=torch.bool)}, {"text": words.name})
    about = {
        "recipe": {"model": "viral"}, "model": "viral", "exposure": _exposure(items[0]),
        "metrics": {"recall@20": 0.312, "ndcg@20": 0.187, "coverage@20": 0.63},
        "update": {"before": {"metrics": {"recall@20": 0.298, "ndcg@20": 0.19}}},
    }  # fmt: skip
    scorer = EmbeddingScorer(*vectors, {"text": (0, 4), "synergy": (4, DIM)})
    titles = tuple(columns["title"])
    return Bundle(scorer, Vocabulary(users, "user"), Vocabulary(items, "item"), titles, seen, about, material)
