"""The Amazon reviews of 2014 (McAuley et al., SIGIR 2015; He & McAuley, WWW 2016), as they are published.

``reviews_<category>[_5].json[.gz]``, an object a line, with ``reviewerID, asin, overall, unixReviewTime``, or
``ratings_<category>.csv``, the same four without a header; and ``meta_<category>.json[.gz]``, a Python literal a line,
with ``asin, title, description, brand, categories, imUrl``.
"""

import re
from pathlib import Path

from viral.data.dataset import Dataset
from viral.data.importers.amazon import import_amazon
from viral.data.importers.amazon_items import dollars, joined_text
from viral.data.importers.amazon_layout import ItemText, Layout
from viral.data.importers.amazon_lines import Record

RATINGS = ("reviewerID", "asin", "overall", "unixReviewTime")


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
    split at random with ``seed`` (``viral.data.random_split``). The published split itself was drawn without a seed:
    numbers beside published ones need ``viral import mmrec``. An item without metadata stays, without words. Pictures
    are named by ``image_url`` and not fetched. Raises ``DataError`` where a file cannot be read, or nothing is left.
    """
    return import_amazon(
        LAYOUT, source, dataset, overwrite=overwrite, core=core, seed=seed, min_rating=min_rating, items=items
    )


def _text_of(record: Record) -> ItemText:
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


LAYOUT = Layout(
    name="amazon2014",
    user="reviewerID",
    item="asin",
    rating="overall",
    time="unixReviewTime",
    ratings=RATINGS,
    logs=("reviews_*.json", "ratings_*.csv", "*.json", "*.csv"),
    affix=re.compile(r"^(reviews|ratings)_|(_\d+)?\.(json|csv)(\.gz)?$"),
    suffix=".json",
    text_of=_text_of,
)
