"""Cells of a table made plain: missing values in every spelling, HTML, numbers that a table program gave a point."""

from collections.abc import Callable

import polars as pl

from viral.data.importers.markup import without_markup

_MISSING = (
    "",
    "nan",
    "null",
    "none",
    "n/a",
    "na",
    "\\n",
    "-",
    "--",
    "#n/a",
    "<na>",
    "nil",
    "undefined",
    "(null)",
    "nat",
)
_WHOLE, _POINT = r"^\s*-?\d+(?:\.0+)?\s*$", r"\.0+\s*$"
_MARKUP = r"<[A-Za-z/!?][^<>]*>|<!--|&(?:[A-Za-z]{2,8}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});"


def changed(values: pl.Series, pattern: str, change: Callable[[str], str | None]) -> pl.Series:
    """The series with ``change`` applied to each distinct cell that has the ``pattern``."""
    odd = values.filter(values.str.contains(pattern)).unique()
    if not odd.len():
        return values
    changed = pl.Series([change(cell) for cell in odd.to_list()], dtype=pl.String)
    return values.replace(odd, changed)


def known(column: str) -> pl.Expr:
    """A column of text without blanks around it; null where it only says that there is nothing."""
    text = pl.col(column).str.strip_chars()
    return pl.when(~text.str.to_lowercase().is_in(_MISSING)).then(text).alias(column)


def plain(values: pl.Series) -> pl.Series:
    """Texts without HTML: tags gone, entities as the letters they stand for, blanks in a row as one."""
    return changed(values, _MARKUP, without_markup)


def whole(values: pl.Series) -> pl.Series | None:
    """Ids without a point (``10.0``), where all are whole numbers and stay apart; None where none is changed."""
    ids = values.drop_nulls().str.strip_chars().unique()
    ids = ids.filter(ids != "")
    if not ids.str.contains(_POINT).any() or not ids.str.contains(_WHOLE).all():
        return None
    if ids.str.replace(_POINT, "").n_unique() < len(ids):
        return None
    return values.str.replace(_POINT, "")
