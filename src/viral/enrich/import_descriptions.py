"""Descriptions as data: words that were made elsewhere, through the ledger into the data set, without any picture."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from viral.base.errors import UsageError
from viral.base.files import atomic_write, sha256_file
from viral.data.catalog import Catalog, Item
from viral.data.dataset import Dataset, Rejection, write_rejections
from viral.data.descriptions import (
    DESCRIPTIONS_FOLDER,
    IMPORTED,
    UNKNOWN,
    Description,
    Descriptions,
    all_descriptions,
    save_descriptions,
)
from viral.data.edits import HUMAN
from viral.data.importers.readers.formats import Column, read_rows
from viral.data.importers.rows import CheckedRows, require_rows, with_ids, with_known_items
from viral.enrich.answers import description_of, judge, storable
from viral.enrich.describe_batch import ERROR_LIMIT
from viral.enrich.describers import DESCRIBERS, IMPORT
from viral.enrich.ledger import Ledger
from viral.enrich.ledger_rows import Entry, RequestKey
from viral.enrich.prompts import known_prompt, load_prompt
from viral.enrich.protocol import Prompt

_COLUMNS = (
    Column("item", ("id", "item_id", "itemID", "itemId", "item"), required=True),
    Column("text", ("text", "words", "description"), required=True),
    Column("describer", ("describer",)),
    Column("prompt", ("prompt",)),
)
_NAME = re.compile(r"\w[\w.+@:-]{0,99}")  # becomes part of a file's name
_HINT = "letters, digits, '.', '_', '-', '+', '@' and ':', 100 at most; none of VIRAL's own describers"
_OPTIONS = {"describer": "--set describer", "prompt": "--prompt"}
REJECTED_FILE = Path(DESCRIPTIONS_FOLDER) / "import.rejected.jsonl"  # of the last file


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
    for column in ("describer", "prompt"):
        given_name = getattr(config, column)
        rows = _named(rows, column, _name(column, given_name) if given_name else UNKNOWN)
    rows = _once(rows)
    require_rows(rows, "description", str(path))
    said: dict[tuple[str, str], dict[str, str]] = {}
    for describer, prompt, item, text in rows.frame.select("describer", "prompt", "item", "text").iter_rows():
        said.setdefault((describer, prompt), {})[item] = text
    return WordsFile(path, sha256_file(path), said, rows.rejections)


def _name(column: str, written: str) -> str:
    """A name as part of a file's name: a slash becomes ``--``. ``UsageError`` where it cannot be one."""
    name = _written(written)
    if _is_bad(column, name):
        raise UsageError(f"a {column} cannot be called {written!r}", where=_OPTIONS[column], hint=_HINT)
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


@dataclass(frozen=True, slots=True)
class ImportedSet:
    """One describer's words by one prompt: the whole set as it is now, and what the file did to it."""

    descriptions: Descriptions
    path: Path
    added: int
    replaced: int
    unchanged: int
    declined: int  # what the checks of answers let through from no describer: refusals, no JSON where that is asked for


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file of words."""

    file: WordsFile
    sets: tuple[ImportedSet, ...]


def import_words(dataset: Dataset, config: ImportConfig, ledger: Ledger) -> Imported:
    """Take the words of a file into the data set, in place of earlier ones by the same describer and prompt.

    What the file says no more stays. Every new text is a row of the ledger with the file's name and SHA-256 in its
    parameters, all of a set in one transaction, and then in ``descriptions/``: a run that was killed is made good by
    the same command. Rows that cannot be used are in ``REJECTED_FILE``. Raises as :func:`read_words`.
    """
    own = load_prompt(config.prompt) if config.prompt.endswith(".txt") and Path(config.prompt).is_file() else None
    catalog = dataset.catalog()
    file = read_words(config if own is None else replace(config, prompt=own.name), catalog.ids)
    sets = []
    for (describer, name), texts in file.said.items():
        prompt = own if own is not None and own.name == name else known_prompt(name)
        sets.append(_take(dataset, catalog, _Origin(describer, prompt, file), texts, ledger))
    with atomic_write(dataset.path / REJECTED_FILE) as temporary:
        write_rejections(temporary, file.rejections)
    return Imported(file, tuple(sets))


def imported_sets(dataset: Dataset, describer: str | None = None) -> tuple[Descriptions, ...]:
    """The data set's descriptions that came from files, of one describer or of all."""
    return tuple(
        one
        for one in all_descriptions(dataset)
        if one.imported and describer in (None, one.describer.partition("/")[0])
    )


@dataclass(frozen=True, slots=True)
class _Origin:
    """Who said it, by which prompt, and where it stands."""

    describer: str
    prompt: Prompt
    file: WordsFile

    def entry(self, item: Item, text: str) -> Entry:
        verdict = judge(text, self.prompt)
        source = json.dumps({"file": self.file.path.name, "sha256": self.file.sha256}, ensure_ascii=False)
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
        origin = (self.describer, IMPORTED, self.prompt.name, self.prompt.sha256, source)
        key = RequestKey(item.id, "", digest, *origin)  # of no picture
        return Entry(key, verdict.status, verdict.text, verdict.error[:ERROR_LIMIT], attempts=0)

    def row(self, item: Item, entry: Entry | None) -> Description:
        who, name = f"{self.describer}/{IMPORTED}", self.prompt.name
        if entry is None:
            return Description(item.id, "", who, name, "", "pending", f"no words of it in {self.file.path.name}")
        return description_of(item, entry, self.prompt, who)


def _take(dataset: Dataset, catalog: Catalog, origin: _Origin, texts: Mapping[str, str], ledger: Ledger) -> ImportedSet:
    there = [one for one in imported_sets(dataset, origin.describer) if one.prompt == origin.prompt.name]
    before = {row.item_id: row for one in there for row in one.rows}
    entries = {item_id: origin.entry(catalog[item_id], text) for item_id, text in texts.items()}
    rows = tuple(_merged(catalog, origin, entries, before))
    now = {row.item_id: row for row in rows}
    said = {one.item_id: one.text for one in before.values() if one.status == "done"}
    done = [item_id for item_id, entry in entries.items() if entry.status == "done"]
    unchanged = {item_id for item_id in done if said.get(item_id) == now[item_id].text}
    known = ledger.known(origin.describer, origin.prompt.name, entries)
    ledger.put(entry for item_id, entry in entries.items() if item_id not in unchanged & known)
    whole = Descriptions(rows, f"{origin.describer}/{IMPORTED}", origin.prompt.name)
    path = save_descriptions(whole, dataset.path)
    replaced = sum(item_id in said and item_id not in unchanged for item_id in done)
    added = len(done) - len(unchanged) - replaced
    return ImportedSet(whole, path, added, replaced, len(unchanged), len(entries) - len(done))


def _merged(
    catalog: Catalog, origin: _Origin, entries: Mapping[str, Entry], before: Mapping[str, Description]
) -> Iterator[Description]:
    """A row per item: the file's, or else the one there was; what declines does not take the place of words."""
    for item in catalog:
        entry, old = entries.get(item.id), before.get(item.id)
        told = entry is not None and (entry.status == "done" or old is None or old.status != "done")
        yield old if old is not None and not told else origin.row(item, entry)
