"""The Amazon reviews of 2023 (Hou et al., arXiv 2403.03952), as they are published.

``<category>.jsonl[.gz]`` with ``user_id, parent_asin, rating, timestamp`` (milliseconds), or the same four as
``<category>.csv``, or its ready split ``<category>.train.csv``, ``.valid.csv``, ``.test.csv``; and
``meta_<category>.jsonl[.gz]`` with ``parent_asin, title, features, description, images, categories, store, price``.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from viral.data.dataset import Dataset
from viral.data.importers.amazon import import_amazon
from viral.data.importers.amazon_items import dollars, joined_text
from viral.data.importers.amazon_layout import ItemText, Layout
from viral.data.importers.amazon_lines import Record

SIZES = ("large", "hi_res", "thumb")  # of a picture, the one that is big enough first


def import_amazon2023(
    source: Path,
    dataset: Path,
    *,
    overwrite: bool = False,
    core: int | None = None,
    seed: int = 0,
    min_rating: float | None = None,
    items: Path | None = None,
) -> Dataset:
    """Import one category: ``source`` is the folder of its two files, or the log, with the metadata (``items``) beside.

    Items are the products (``parent_asin``), not their variants. Every rating is an interaction (or those of at least
    ``min_rating``), only the ``core``-core is kept (5, of a ready split all), items stand in order of their first
    appearance in it, and each user's interactions are split at random with ``seed`` (``viral.data.random_split``), if
    they are not yet. An item without metadata stays, without words. Pictures are named by ``image_url`` and not
    fetched. Raises ``DataError`` where a file cannot be read or is of another edition, or nothing is left.
    """
    return import_amazon(
        LAYOUT, source, dataset, overwrite=overwrite, core=core, seed=seed, min_rating=min_rating, items=items
    )


def _text_of(record: Record) -> ItemText:
    categories = joined_text(record.get("categories"), separator="\n").split("\n")
    words = (
        record.get("store"),
        ", ".join(filter(None, categories)),
        record.get("features"),
        record.get("description"),
    )
    return {
        "title": joined_text(record.get("title")),
        "text": joined_text(*words),
        "category": categories[min(1, len(categories) - 1)] or None,  # the first is the department
        "image_url": next(_urls(record.get("images")), None),
        "price": dollars(record.get("price")),
        "brand": joined_text(record.get("store")) or None,
    }


def _urls(images: Any) -> Iterator[str]:
    """Addresses of pictures, the main one's first; a list of objects, or an object of lists, as both are published."""
    if isinstance(images, dict):
        columns = [value if isinstance(value, list) else [] for value in (images.get(size) for size in SIZES)]
        yield from (url for column in columns for url in column if isinstance(url, str) and url)
    elif isinstance(images, list):
        pictures = [picture for picture in images if isinstance(picture, dict)]
        for picture in sorted(pictures, key=lambda picture: picture.get("variant") != "MAIN"):
            yield from (url for size in SIZES if isinstance(url := picture.get(size), str) and url)


LAYOUT = Layout(
    name="amazon2023",
    user="user_id",
    item="parent_asin",
    rating="rating",
    time="timestamp",
    ratings=(),
    logs=("*.jsonl", "*.train.csv", "*.csv"),
    affix=re.compile(r"(\.(train|valid|test))?\.(jsonl|csv)(\.gz)?$"),
    suffix=".jsonl",
    text_of=_text_of,
)
