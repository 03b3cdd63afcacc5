"""The item table: its ids, the rows of one item as one, and every cell as it is shown and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from viral.data.importers import cells
from viral.data.importers.columns.choosing import Chosen
from viral.data.importers.columns.names import ITEM_ROLES
from viral.data.importers.readers.formats import Column, read_rows
from viral.data.importers.readers.raw import ROW
from viral.data.importers.rows import CheckedRows, filled, require_rows, with_ids, with_one_row_per_item

WORDS = tuple(role.name for role in ITEM_ROLES if role.name not in ("item", "variant"))
_ONE_OF = {"category": cells.categories, "price": cells.amounts}
_LISTED = ("image", "image_url", "category")  # columns in which a list is not a text


@dataclass(frozen=True, slots=True)
class Items:
    """The items, one row each; the ids of their variants, where the table tells any; and what was noticed."""

    rows: CheckedRows
    variants: Mapping[str, str]  # a variant's id -> its item's
    notes: Sequence[str]
    count: int = 0  # rows of the file


def read_items(table: Chosen, encoding: str | None) -> Items:
    """Read the chosen columns of an item table."""
    wanted = [
        Column(ours, (theirs,), required=ours == "item", words=ours != "item", members=ours in _LISTED)
        for ours, theirs in table.columns.items()
    ]
    rows = read_rows(table.path, wanted, encoding=encoding)
    rows, notes = tidy(rows, "item")
    variants = _variants(rows)
    merged, more = _merged(with_ids(rows, "item"))
    require_rows(merged, "item", str(table.path))
    return Items(cleaned(with_one_row_per_item(merged)), variants, [*notes, *more], rows.num_read)


def items_of(log: CheckedRows) -> CheckedRows:
    """The items of a log in order of appearance; with the words that it has of them, the first that is not empty."""
    others = [name for name in WORDS if log.has(name)]
    frame = log.frame.group_by("item", maintain_order=True).agg(pl.col(ROW).first(), *(_first(name) for name in others))
    return cleaned(CheckedRows(log.file, frame.select(ROW, "item", *others), log.names))


def tidy(rows: CheckedRows, *columns: str) -> tuple[CheckedRows, list[str]]:
    """Ids without blanks around them, and without a point where all of a column have one; and that in words."""
    notes = []
    for column in columns:
        whole = cells.whole(rows.frame[column])
        if whole is not None:
            rows = rows.with_columns(**{column: whole})
            notes.append(f"{column} ids have a point (10.0): read as whole numbers (10)")
        trimmed = rows.frame[column].str.strip_chars()
        # An id of blanks alone is kept for the rejection that names it.
        cut = ((trimmed != rows.frame[column]) & (trimmed != "")).fill_null(value=False)
        if cut.any():
            rows = rows.with_columns(**{column: pl.when(cut).then(trimmed).otherwise(pl.col(column))})
            notes.append(f"blanks around {int(cut.sum()):,} {column} ids are cut off")
    return rows, notes


def cleaned(rows: CheckedRows) -> CheckedRows:
    """Missing values as null, texts without HTML, of a list of pictures the first and of a path of categories the last.

    A title that is nothing but markup stays empty.
    """
    frame = rows.frame.with_columns(cells.known(name) for name in WORDS if rows.has(name))
    for name in WORDS:
        if name not in frame.columns:
            continue
        values = frame[name]
        if name in ("image", "image_url"):
            values = cells.first_pictures(values)
        else:
            values = cells.plain(_ONE_OF[name](values) if name in _ONE_OF else values)
        frame = frame.with_columns(values.alias(name))
    return replace(rows, frame=frame)


def _variants(rows: CheckedRows) -> dict[str, str]:
    if not rows.has("variant"):
        return {}
    variant = cells.whole(rows.frame["variant"])
    frame = rows.frame.with_columns(variant=rows.frame["variant"] if variant is None else variant)
    frame = frame.with_columns(cells.known("variant")).drop_nulls(["variant", "item"])
    pairs = frame.select("variant", "item").unique(maintain_order=True)
    return dict(pairs.filter(~pl.col("variant").is_duplicated()).iter_rows())


def _merged(rows: CheckedRows) -> tuple[CheckedRows, list[str]]:
    """Rows of one id of which only the first has a title are one item: shops write variants and pictures so."""
    if not rows.has("title"):
        return rows, []
    first = pl.col("item").is_first_distinct()
    again = rows.frame.select(~first & filled("title").is_null()).to_series()
    if not again.any():
        return rows, []
    parts = rows.frame.filter(first | again)
    others = [name for name in rows.frame.columns if name not in (ROW, "item")]
    one = parts.group_by("item", maintain_order=True).agg(pl.col(ROW).first(), *(_first(name) for name in others))
    rest = rows.frame.filter(~first & ~again)
    together = pl.concat([one.select(rest.columns), rest]).sort(ROW)
    return replace(rows, frame=together), [f"{again.sum():,} rows without a title belong to the item of the row above"]


def _first(name: str) -> pl.Expr:
    """The first value of a group that is not empty."""
    return filled(name).drop_nulls().first()
