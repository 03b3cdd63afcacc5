"""The editions of the Amazon reviews: the names of their files and fields, and what their metadata say of an item.

2014 (McAuley et al., SIGIR 2015; He & McAuley, WWW 2016): ``reviews_<category>[_5].json[.gz]``, an object a line, with
``reviewerID, asin, overall, unixReviewTime``, or ``ratings_<category>.csv``, the same four without a header; and
``meta_<category>.json[.gz]``, a Python literal a line, with ``asin, title, description, brand, categories, imUrl``.

2018 (Ni, Li & McAuley, EMNLP 2019): ``<category>[_5].json[.gz]`` with the same fields, or ``<category>.csv`` without a
header, in which the item stands before the user; and ``meta_<category>.json[.gz]`` with ``asin, title, brand, category,
feature, description, price`` and lists of pictures. Titles and texts hold HTML.

2023 (Hou et al., arXiv 2403.03952): ``<category>.jsonl[.gz]`` with ``user_id, parent_asin, rating, timestamp``
(milliseconds), or the same four as ``<category>.csv``, or its ready split ``<category>.train.csv``, ``.valid.csv``,
``.test.csv``; and ``meta_<category>.jsonl[.gz]`` with ``parent_asin, title, features, description, images, categories,
store, price``. Items are the products (``parent_asin``), not their variants.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from viral.data.importers.layouts.amazon.files import AmazonEdition, ItemText, Record
from viral.data.importers.layouts.amazon.importing import import_amazon
from viral.data.importers.layouts.amazon.metadata import dollars, joined_text

PICTURES = ("imageURLHighRes", "imageURL", "image", "imUrl")  # of 2018, the large one first; as first published: image
SIZES = ("large", "hi_res", "thumb")  # of a picture of 2023, the one that is big enough first
_SCRIPT = "var aPageStart"  # some titles of 2018 are the beginning of the page's script
_ALT = re.compile(r"<img\b[^<>]*\balt=[\"']([^\"'<>]+)", re.IGNORECASE)  # some main categories are a picture of it
_CATEGORY_OF_NAME = re.compile(r"^(reviews|ratings)_|(_\d+)?\.(json|csv)(\.gz)?$")


def _item_text(
    record: Record, title: str, words: Sequence[Any], path: Sequence[str], image: str | None, brand: str
) -> ItemText:
    return {
        "title": title,
        "text": joined_text(*words),
        "category": path[min(1, len(path) - 1)] if path else None,  # the first is the department, the same for all
        "image_url": image or None,
        "price": dollars(record.get("price")),
        "brand": brand or None,
    }


def _of_2014(record: Record) -> ItemText:
    categories, brand = record.get("categories"), joined_text(record.get("brand"))
    first = categories[0] if isinstance(categories, list) and categories and isinstance(categories[0], list) else []
    path = [name for name in first if isinstance(name, str)]
    words = (brand, joined_text(categories, separator=", "), record.get("description"))
    return _item_text(record, joined_text(record.get("title")), words, path, joined_text(record.get("imUrl")), brand)


def _of_2018(record: Record) -> ItemText:
    category, title, brand = record.get("category"), record.get("title"), joined_text(record.get("brand"))
    path = [text for name in category if (text := joined_text(name))] if isinstance(category, list) else []
    words = (brand, ", ".join(path), record.get("feature"), record.get("description"))
    title = "" if isinstance(title, str) and _SCRIPT in title else joined_text(title)
    lists = (record.get(name) for name in PICTURES)
    pictures = (picture for value in lists for picture in (value if isinstance(value, list) else [value]))
    image = next(filter(None, map(joined_text, pictures)), None)
    return _item_text(record, title, words, path or _main_category(record), image, brand)


def _main_category(record: Record) -> list[str]:
    value = record.get("main_cat")
    alternative = _ALT.search(value) if isinstance(value, str) else None
    name = joined_text(alternative[1] if alternative else value)
    return [name] if name else []


def _of_2023(record: Record) -> ItemText:
    path = list(filter(None, joined_text(record.get("categories"), separator="\n").split("\n")))
    brand = joined_text(record.get("store"))
    words = (brand, ", ".join(path), record.get("features"), record.get("description"))
    image = next(_addresses(record.get("images")), None)
    return _item_text(record, joined_text(record.get("title")), words, path, image, brand)


def _addresses(images: Any) -> Iterator[str]:
    """Addresses of pictures, the main one's first; a list of objects, or an object of lists, as both are published."""
    if isinstance(images, dict):
        columns = [value if isinstance(value, list) else [] for value in (images.get(size) for size in SIZES)]
        yield from (url for column in columns for url in column if isinstance(url, str) and url)
    elif isinstance(images, list):
        pictures = [picture for picture in images if isinstance(picture, dict)]
        for picture in sorted(pictures, key=lambda picture: picture.get("variant") != "MAIN"):
            yield from (url for size in SIZES if isinstance(url := picture.get(size), str) and url)


EDITION_2014 = AmazonEdition(
    name="amazon2014",
    user="reviewerID",
    item="asin",
    rating="overall",
    time="unixReviewTime",
    ratings=("reviewerID", "asin", "overall", "unixReviewTime"),
    logs=("reviews_*.json", "ratings_*.csv", "*.json", "*.csv"),
    affix=_CATEGORY_OF_NAME,
    suffix=".json",
    text_of=_of_2014,
)
EDITION_2018 = replace(
    EDITION_2014,
    name="amazon2018",
    ratings=("asin", "reviewerID", "overall", "unixReviewTime"),
    logs=("reviews_*.json", "*.json", "*.csv"),
    text_of=_of_2018,
)
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
    text_of=_of_2023,
)
import_amazon2014 = partial(import_amazon, EDITION_2014)
import_amazon2018 = partial(import_amazon, EDITION_2018)
import_amazon2023 = partial(import_amazon, EDITION_2023)
