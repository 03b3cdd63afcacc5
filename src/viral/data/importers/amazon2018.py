"""The Amazon reviews of 2018 (Ni, Li & McAuley, EMNLP 2019), as they are published.

``<category>[_5].json[.gz]``, an object a line, with ``reviewerID, asin, overall, unixReviewTime``, or
``<category>.csv`` without a header, in which the item stands before the user; and ``meta_<category>.json[.gz]`` with
``asin, title, brand, category, feature, description, price`` and lists of pictures. Titles and texts hold HTML.
"""

import re
from pathlib import Path

from viral.data.dataset import Dataset
from viral.data.importers.amazon import import_amazon
from viral.data.importers.amazon_items import dollars, joined_text
from viral.data.importers.amazon_layout import ItemText, Layout
from viral.data.importers.amazon_lines import Record

RATINGS = ("asin", "reviewerID", "overall", "unixReviewTime")
PICTURES = ("imageURLHighRes", "imageURL", "image", "imUrl")  # the large one first; the first publication has image
_SCRIPT = "var aPageStart"  # some titles are the beginning of the page's script
_ALT = re.compile(r"<img\b[^<>]*\balt=[\"']([^\"'<>]+)", re.IGNORECASE)  # some main categories are a picture of it


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
    (``viral.data.random_split``). An item without metadata stays, without words. Pictures are named by ``image_url``
    and not fetched. Raises ``DataError`` where a file cannot be read or is of another edition, or nothing is left.
    """
    return import_amazon(
        LAYOUT, source, dataset, overwrite=overwrite, core=core, seed=seed, min_rating=min_rating, items=items
    )


def _text_of(record: Record) -> ItemText:
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


LAYOUT = Layout(
    name="amazon2018",
    user="reviewerID",
    item="asin",
    rating="overall",
    time="unixReviewTime",
    ratings=RATINGS,
    logs=("reviews_*.json", "*.json", "*.csv"),
    affix=re.compile(r"^(reviews|ratings)_|(_\d+)?\.(json|csv)(\.gz)?$"),
    suffix=".json",
    text_of=_text_of,
)
