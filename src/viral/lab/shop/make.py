"""A planted shop as a data set folder, with its truth beside it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from viral.base.files import staged_folder
from viral.base.progress import stage, track
from viral.data.dataset import IMAGES_FOLDER, MANIFEST_FILE, Dataset, Source, image_name, write_tables
from viral.lab.shop.choices import choose
from viral.lab.shop.config import KINDS, TRUTH_FILE, USERS_FILE, ShopConfig
from viral.lab.shop.item_texts import write
from viral.lab.shop.scene import DrawnThing, Scene, draw_scene
from viral.lab.shop.world import (
    COLOURS,
    ORIGINS,
    PATTERNS,
    PICTURES,
    SIZES,
    TAGS,
    THINGS,
    WORDS,
    IntArray,
    World,
    make_world,
    num_liked,
    stream,
)

VALUES = {
    "redundant": COLOURS,
    "unique_text": ORIGINS,
    "unique_picture": PATTERNS,
    "synergistic": ("same", "different"),
}


def make_shop(dataset: Path, config: ShopConfig, *, overwrite: bool = False) -> Dataset:
    """Generate a data set folder; the same configuration gives the same bytes.

    Beside the tables of every data set it has ``truth.parquet`` (a row an item) and ``truth_users.parquet`` (a row a
    user); their columns are described in ``docs/shop.md``. Raises ``UsageError`` where the folder is not empty. With
    ``overwrite`` what lies beside the tables of a data set is kept (:mod:`viral.data.importers.carry_over`).
    """
    from viral.data.importers.carry_over import carry_over
    from viral.data.split_rules import random_split

    with staged_folder(dataset, overwrite=overwrite) as folder:
        world = make_world(config)
        truth, items = _catalogue(world, config)
        if config.pictures:
            truth, items = _draw(truth, items, world, config, folder)
        with stage("choices") as advance:
            users, chosen = choose(world, config)
            interactions = pl.DataFrame(
                {"user_id": _user_ids(config.users).gather(users), "item_id": items["item_id"].gather(chosen)}
            )
            advance(len(users))
        told = f"random 80/10/10 per user (seed {config.seed})"
        source = Source(layout="shop", licence="CC0, generated", split=told, options=_options(config))
        write_tables(folder, items, random_split(interactions, seed=config.seed), source)
        truth.write_parquet(folder / TRUTH_FILE)
        _preferences(world, config).write_parquet(folder / USERS_FILE)
        if (dataset / MANIFEST_FILE).is_file():
            carry_over(dataset, folder)
    return Dataset.open(dataset)


def _options(config: ShopConfig) -> dict[str, object]:
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


def _user_ids(count: int) -> pl.Series:
    digits = max(4, len(str(count)))
    return pl.Series("user_id", [f"u{n:0{digits}}" for n in range(1, count + 1)], dtype=pl.String)


def _catalogue(world: World, config: ShopConfig) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The truth's columns that need no picture, and the items."""
    rng = stream(config, WORDS)
    digits = max(4, len(str(config.items)))
    ids = [f"p{n:0{digits}}" for n in range(1, config.items + 1)]
    things, colours, origins = _names(THINGS, world.thing), _names(COLOURS, world.colour), _names(ORIGINS, world.origin)
    bits = world.text_bit.tolist()
    rows = zip(things, colours, origins, bits, strict=True)
    titles, texts, editions = zip(*(write(*row, rng) for row in rows), strict=True)
    truth = pl.DataFrame(
        {
            "item_id": ids,
            "object": things,
            "colour": colours,
            "origin": origins,
            "pattern": _names(PATTERNS, world.pattern),
            "edition": editions,
            "tag": _names(TAGS, world.picture_bit),
            "text_bit": world.text_bit,
            "picture_bit": world.picture_bit,
            "xor": world.xor,
            "appeal": world.appeal,
        }
    )
    items = pl.DataFrame(
        {"item_id": ids, "title": titles, "text": texts, "image": [None] * len(ids), "category": things},
        schema_overrides={"image": pl.String},
    )
    return truth, items


def _names(names: Sequence[str], indices: IntArray) -> list[str]:
    return [names[index] for index in indices.tolist()]


def _draw(
    truth: pl.DataFrame, items: pl.DataFrame, world: World, config: ShopConfig, folder: Path
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Draw and write every picture; fill in the image and where everything is."""
    (folder / IMAGES_FOLDER).mkdir()
    names, rows = [], []
    for index, item_id in enumerate(track(truth["item_id"].to_list(), "pictures")):
        rng = stream(config, PICTURES, index)
        things = [_thing(world.thing[index], world.colour[index], world.pattern[index])]
        things += _others(world, index, config.distractors, rng)
        scene = draw_scene(things, TAGS[world.picture_bit[index]], config.image_size, rng)
        names.append(image_name(item_id, ".jpg"))
        scene.image.save(folder / names[-1], quality=92, subsampling=0)
        rows.append(_placed(scene, things[1:]))
    seen = pl.DataFrame(rows, schema=_PLACED)
    return pl.concat([truth, seen], how="horizontal"), items.with_columns(pl.Series("image", names))


_BOX = pl.Array(pl.Int32, 4)
_PLACED: dict[str, pl.DataType | type[pl.DataType]] = {
    "background": pl.String,
    "slogan": pl.String,
    "box": _BOX,
    "tag_box": _BOX,
    "distractors": pl.List(
        pl.Struct({"object": pl.String, "colour": pl.String, "pattern": pl.String, "box": _BOX}),
    ),
}


def _placed(scene: Scene, others: Sequence[DrawnThing]) -> dict[str, object]:
    distractors = [
        {"object": thing.name, "colour": thing.colour, "pattern": thing.pattern, "box": list(box)}
        for thing, box in zip(others, scene.others, strict=True)
    ]
    return {
        "background": scene.background,
        "slogan": scene.slogan,
        "box": list(scene.box),
        "tag_box": list(scene.tag_box),
        "distractors": distractors,
    }


def _thing(thing: int, colour: int, pattern: int) -> DrawnThing:
    return DrawnThing(THINGS[thing], COLOURS[colour], PATTERNS[pattern])


def _others(world: World, index: int, most: int, rng: np.random.Generator) -> list[DrawnThing]:
    """One to ``most`` things of other kinds, colours and patterns than the product and each other."""
    if not most:
        return []
    count = int(rng.integers(1, most + 1))

    def draw(size: int, own: int) -> IntArray:
        return rng.permutation(np.delete(np.arange(size), own))[:count]

    kinds = draw(len(THINGS), int(world.thing[index]))
    colours = draw(len(COLOURS), int(world.colour[index]))
    patterns = draw(len(PATTERNS), int(world.pattern[index]))
    return [_thing(*each) for each in zip(kinds, colours, patterns, strict=True)]


def _preferences(world: World, config: ShopConfig) -> pl.DataFrame:
    """The values that each user likes, by kind."""
    columns: dict[str, object] = {"user_id": _user_ids(config.users)}
    for number, kind in enumerate(KINDS):
        liked = [
            [VALUES[kind][(start + step) % SIZES[kind]] for step in range(num_liked(kind, world.liked))]
            for start in range(SIZES[kind])
        ]
        columns[kind] = pl.Series(kind, liked, dtype=pl.List(pl.String)).gather(world.preferences[:, number])
    return pl.DataFrame(columns)
