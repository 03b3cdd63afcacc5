"""The catalogue under examination: ids, titles, and every picture decoded."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from viral.base.progress import track
from viral.data.catalog import ITEMS_FILE
from viral.data.doctor.reading import BLANKS, with_blanks
from viral.data.doctor.report import EXAMPLES, ROW, Finding, Severity, places
from viral.data.pictures import PictureError, locate, open_picture

_MARKUP = r"<[A-Za-z/!][^<>]*>|&(?:[A-Za-z]{2,8}|#\d{1,6}|#[xX][0-9A-Fa-f]{1,6});"
# C0 and C1 controls, and those that turn the direction of writing
_CONTROLS = r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
_SHORTER_SIDE = 64  # a JPEG is still read to its end, but not blown up to its full size


def check_items(items: pl.DataFrame) -> Iterator[Finding]:
    """Findings on ids and titles."""

    def finding(severity: Severity, check: str, bad: pl.Expr, column: str, message: str, hint: str) -> Finding:
        rows = items.filter(bad)
        return Finding(severity, check, rows.height, message, places(rows, ITEMS_FILE, column), hint)

    item, title = pl.col("item_id"), pl.col("title")
    empty = item.is_null() | (item.str.strip_chars() == "")
    yield finding("error", "empty item id", empty, "item_id", "items have no id", "give every item an id")
    hint = "an id with a blank is another one than that without: cut them in both tables"
    yield finding("warning", BLANKS, with_blanks("item_id"), "item_id", "item ids begin or end with a blank", hint)
    twice = item.is_not_null() & ~item.is_first_distinct()
    yield finding("error", "duplicate item", twice, "item_id", "item ids occur again", "keep one row of each")
    blank = title.is_null() | (title.str.strip_chars() == "")
    hint = "a picture is described without guidance where there is no title; fill them in if you can"
    yield finding("warning", "empty title", blank, "item_id", "items have no title", hint)
    shown = "harmless: titles are always shown as text; strip it for cleaner text features"
    markup = title.str.contains(_MARKUP)
    yield finding("note", "markup in title", markup, "title", "titles hold HTML tags or entities", shown)
    controls = title.str.contains(_CONTROLS)
    yield finding("note", "control characters in title", controls, "title", "titles hold control characters", shown)
    none = pl.col("image").is_null() | (pl.col("image") == "")
    hint = "they are recommended by their words and interactions alone"
    yield finding("note", "no picture", none, "item_id", "items have no picture", hint)
    if not items.height:
        yield Finding("error", "no item", 1, "the catalogue is empty", (ITEMS_FILE,), "import the data set again")


def check_pictures(items: pl.DataFrame, folder: Path) -> Iterator[Finding]:
    """One finding per way in which pictures fail, after decoding every one."""
    places_of: defaultdict[str, list[str]] = defaultdict(list)
    hints: dict[str, str] = {}
    named = items.filter(pl.col("image").is_not_null() & (pl.col("image") != "")).select(ROW, "image")
    for row, name in track(named.iter_rows(), "pictures", named.height) if named.height else ():
        try:
            open_picture(locate(folder, name), shorter_side=_SHORTER_SIDE)
        except PictureError as error:
            places_of[error.status].append(f"{ITEMS_FILE} row {row}, field image: {name!r}")
            hints[error.status] = error.hint
    for status, found in sorted(places_of.items()):
        # The catalogue itself refuses to be read with such a path in it.
        severity: Severity = "error" if status == "outside the folder" else "warning"
        message = f"pictures are {status}; their items are treated as without one"
        if severity == "error":
            message = "picture paths leave the data set folder"
        check = f"picture: {status}"
        yield Finding(severity, check, len(found), message, tuple(found[:EXAMPLES]), hints[status])
