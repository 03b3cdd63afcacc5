"""The Amazon reviews, as they are published in 2014, 2018 and 2023."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from viral.data.dataset import Dataset
from viral.data.importers.layouts.amazon.files import AmazonEdition, ItemText, Record
from viral.data.importers.layouts.amazon.importing import import_amazon
from viral.data.importers.layouts.amazon.metadata import dollars, joined_text

RATINGS_2014 = ("reviewerID", "asin", "overall", "unixReviewTime")


RATINGS_2018 = ("asin", "reviewerID", "overall", "unixReviewTime")
PICTURES = ("imageURLHighRes", "imageURL", "image", "imUrl")  # the large one first; the first publication has image
_SCRIPT = "var aPageStart"  # some titles are the beginning of the page's script
_ALT = re.compile(r"<img\b[^<>]*\balt=[\"']([^\"'<>]+)", re.IGNORECASE)  # some main categories are a picture of it
SIZES = ("large", "hi_res", "thumb")  # of a picture, the one that is big enough first


def import_amazon2014(
    source: Path,
    dataset: Path,
    *,
    overwrite: bool = False,
    core: int = 5,
    seed: int = 0,
    min_rating: float | None = None,
    items: Path | None = None,
) -> Dataset:
    """Import one category: ``source`` is the folder of its two files, or the log, with the metadata (``items``) beside.

    As the published benchmark does (MMRec): every rating is an interaction (or those of at least ``min_rating``), only
    the ``core``-core is kept, items stand in order of their first appearance in it, and each user's interactions are
    split at random with ``seed`` (``viral.data.split_rules.random_split``). The published split itself was drawn without a seed:
    numbers beside published ones need ``viral import mmrec``. An item without metadata stays, without words. Pictures
    are named by ``image_url`` and not fetched. Raises ``DataError`` where a file cannot be read, or nothing is left.
    """
    return import_amazon(
        EDITION_2014, source, dataset, overwrite=overwrite, core=core, seed=seed, min_rating=min_rating, items=items
    )


def _text_of_2014(record: Record) -> ItemText:
    categories = record.get("categories")
    first = categories[0] if isinstance(categories, list) and categories and isinstance(categories[0], list) else []
    path = [name for name in first if isinstance(name, str)]
    return {
        "title": joined_text(record.get("title")),
        "text": joined_text(record.get("brand"), joined_text(categories, separator=", "), record.get("description")),
        "category": path[min(1, len(path) - 1)] if path else None,  # the first is the department, the same for all
        "image_url": joined_text(record.get("imUrl")) or None,
        "price": dollars(record.get("price")),
        "brand": joined_text(record.get("brand")) or None,
    }


EDITION_2014 = AmazonEdition(
    name="amazon2014",
    user="reviewerID",
    item="asin",
    rating="overall",
    time="unixReviewTime",
    ratings=RATINGS_2014,
    logs=("reviews_*.json", "ratings_*.csv", "*.json", "*.csv"),
    affix=re.compile(r"^(reviews|ratings)_|(_\d+)?\.(json|csv)(\.gz)?$"),
    suffix=".json",
    text_of=_text_of_2014,
)


def import_amazon2018(
    source: Path,
    dataset: Path,
    *,
    overwrite: bool = False,
    core: int = 5,
    seed: int = 0,
    min_rating: float | None = None,
    items: Path | None = None,
) -> Dataset:
    """Import one category: ``source`` is the folder of its two files, or the log, with the metadata (``items``) beside.

    Every rating is an interaction (or those of at least ``min_rating``), only the ``core``-core is kept, items stand in
    order of their first appearance in it, and each user's interactions are split at random with ``seed``
    (``viral.data.split_rules.random_split``). An item without metadata stays, without words. Pictures are named by ``image_url``
    and not fetched. Raises ``DataError`` where a file cannot be read or is of another edition, or nothing is left.
    """
    return import_amazon(
        EDITION_2018, source, dataset, overwrite=overwrite, core=core, seed=seed, min_rating=min_rating, items=items
    )


def _text_of_2018(record: Record) -> ItemText:
    category = record.get("category")
    path = [text for name in category if (text := joined_text(name))] if isinstance(category, list) else []
    title = record.get("title")
    brand = joined_text(record.get("brand"))
    words = (brand, ", ".join(path), record.get("feature"), record.get("description"))
    return {
        "title": "" if isinstance(title, str) and _SCRIPT in title else joined_text(title),
        "text": joined_text(*words),
        "category": path[min(1, len(path) - 1)] if path else _main_category(record),  # the first is the department
        "image_url": next(filter(None, map(joined_text, _pictures(record))), None),
        "price": dollars(record.get("price")),
        "brand": brand or None,
    }


def _main_category(record: Record) -> str | None:
    value = record.get("main_cat")
    alternative = _ALT.search(value) if isinstance(value, str) else None
    return joined_text(alternative[1] if alternative else value) or None


def _pictures(record: Record) -> list[object]:
    lists = (record.get(name) for name in PICTURES)
    return [picture for value in lists for picture in (value if isinstance(value, list) else [value])]


EDITION_2018 = AmazonEdition(
    name="amazon2018",
    user="reviewerID",
    item="asin",
    rating="overall",
    time="unixReviewTime",
    ratings=RATINGS_2018,
    logs=("reviews_*.json", "*.json", "*.csv"),
    affix=re.compile(r"^(reviews|ratings)_|(_\d+)?\.(json|csv)(\.gz)?$"),
    suffix=".json",
    text_of=_text_of_2018,
)


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
    appearance in it, and each user's interactions are split at random with ``seed`` (``viral.data.split_rules.random_split``), if
    they are not yet. An item without metadata stays, without words. Pictures are named by ``image_url`` and not
    fetched. Raises ``DataError`` where a file cannot be read or is of another edition, or nothing is left.
    """
    return import_amazon(
        EDITION_2023, source, dataset, overwrite=overwrite, core=core, seed=seed, min_rating=min_rating, items=items
    )


def _text_of_2023(record: Record) -> ItemText:
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


EDITION_2023 = AmazonEdition(
    name="amazon2023",
    user="user_id",
    item="parent_asin",
    rating="rating",
    time="timestamp",
    ratings=(),
    logs=("*.jsonl", "*.train.csv", "*.csv"),
    affix=re.compile(r"(\.(train|valid|test))?\.(jsonl|csv)(\.gz)?$"),
    suffix=".jsonl",
    text_of=_text_of_2023,
)
