"""A table of words that were made elsewhere: who said what of which item, and the rows that cannot be used."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from viral.base.errors import UsageError
from viral.base.files import sha256_file
from viral.data.dataset import Rejection
from viral.data.descriptions import UNKNOWN
from viral.data.edits import HUMAN
from viral.data.importers.readers.formats import Column, read_rows
from viral.data.importers.rows import CheckedRows, require_rows, with_ids, with_known_items
from viral.enrich.answers import storable
from viral.enrich.describers import DESCRIBERS, IMPORT

_COLUMNS = (
    Column("item", ("id", "item_id", "itemID", "itemId", "item"), required=True),
    Column("text", ("text", "words", "description"), required=True),
    Column("describer", ("describer",)),
    Column("prompt", ("prompt",)),
)
_NAME = re.compile(r"\w[\w.+@:-]{0,99}")  # becomes part of a file's name
_HINT = "letters, digits, '.', '_', '-', '+', '@' and ':', 100 at most; none of VIRAL's own describers"


@dataclass(frozen=True, kw_only=True)
class ImportConfig:
    """Where the words are, and what the file does not say of them itself."""

    file: str
    describer: str = ""  # who wrote them, of rows without the column or with nothing in it
    prompt: str = ""  # likewise: by which prompt
    item_column: str = ""  # the column of ids, if it has another name
    text_column: str = ""  # the column of words, if it has another name


@dataclass(frozen=True, slots=True)
class WordsFile:
    """What was read: the words by describer and prompt, then by item."""

    path: Path
    sha256: str
    said: Mapping[tuple[str, str], Mapping[str, str]]  # (describer, prompt) -> item id -> words
    rejections: tuple[Rejection, ...]


def read_words(config: ImportConfig, item_ids: Sequence[str]) -> WordsFile:
    """Read the file. ``DataError`` where nothing of it can be used, ``UsageError`` for names that cannot be.

    Rows are left out, and named, that have no id or one that is none of ``item_ids``, no words, a describer or a
    prompt that cannot be called so, or an item that the same describer has described by the same prompt before.
    """
    path = Path(config.file)
    given = {"item": config.item_column, "text": config.text_column}
    columns = {ours: theirs for ours, theirs in given.items() if theirs}
    rows = with_ids(read_rows(path, _COLUMNS, columns, option="--set {}_column"), "item")
    rows = with_known_items(rows, pl.Series(item_ids, dtype=pl.String))
    texts = pl.Series([storable(text or "") for text in rows.frame["text"].to_list()], dtype=pl.String)
    rows = rows.with_columns(text=texts).without(pl.col("text") == "", "text", "empty text")
    rows = _named(rows, "describer", describer_name(config.describer) if config.describer else UNKNOWN)
    rows = _named(rows, "prompt", prompt_name(config.prompt) if config.prompt else UNKNOWN)
    rows = _once(rows)
    require_rows(rows, "description", str(path))
    said: dict[tuple[str, str], dict[str, str]] = {}
    for describer, prompt, item, text in rows.frame.select("describer", "prompt", "item", "text").iter_rows():
        said.setdefault((describer, prompt), {})[item] = text
    return WordsFile(path, sha256_file(path), said, rows.rejections)


def describer_name(written: str) -> str:
    """A describer's name as part of a file's name: a slash becomes ``--``. ``UsageError`` where it cannot be one."""
    name = _written(written)
    if _is_bad("describer", name):
        raise UsageError(
            f"a describer of these words cannot be called {written!r}", where="--set describer", hint=_HINT
        )
    return name


def prompt_name(written: str) -> str:
    """A prompt's name, likewise."""
    name = _written(written)
    if _is_bad("prompt", name):
        raise UsageError(f"a prompt cannot be called {written!r}", where="--prompt", hint=_HINT)
    return name


def _written(name: str) -> str:
    return name.strip().replace("/", "--")


def _is_bad(column: str, name: str) -> bool:
    return not _NAME.fullmatch(name) or (column == "describer" and name in {*DESCRIBERS, IMPORT, HUMAN})


def _named(rows: CheckedRows, column: str, default: str) -> CheckedRows:
    """The rows with that column filled; those with something there that cannot be a name are left out."""
    if not rows.has(column):
        return rows.with_columns(**{column: pl.lit(default)})
    names = [_written(name or "") or default for name in rows.frame[column].to_list()]
    bad = pl.Series([_is_bad(column, name) for name in names], dtype=pl.Boolean)
    filled = rows.with_columns(**{column: pl.Series(names, dtype=pl.String)})
    return filled.without(pl.lit(bad), column, f"not the name of a {column}")


def _once(rows: CheckedRows) -> CheckedRows:
    """The first row of every item, describer and prompt."""
    key = ["item", "describer", "prompt"]
    again = ~pl.struct(key).is_first_distinct()
    same = pl.col("text") == pl.col("text").first().over(key)
    other = rows.without(again & ~same, "item", "item again, with other words")
    return other.without(~pl.struct(key).is_first_distinct(), "item", "item again, with the same words")
