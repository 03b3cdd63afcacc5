"""The lines of McAuley's files: JSON, Python literals as the sets of 2014 have them, or comma-separated; zipped or not.

A literal is read by ``ast.literal_eval``, which knows constants and containers and calls nothing.
"""

import ast
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from viral.base.errors import DataError
from viral.base.progress import stage
from viral.data.dataset import Rejection
from viral.data.importers.columns.names import key
from viral.data.importers.layouts.recognising import elsewhere, only
from viral.data.importers.readers.compressed import open_bytes, refuse_foreign
from viral.data.importers.readers.raw import Bad, printable

MAX_REJECTED = 1_000_000  # beyond this the file is something else, and naming its rows would fill the memory
TEXTS = ("title", "text", "category", "image_url", "price", "brand")
PARTS = ("train", "valid", "test")
_REVIEWS, _METADATA = "review_categories", "meta_categories"  # the folders that the edition of 2023 has them in
Record = Mapping[str, Any]
ItemText = dict[str, str | None]  # by TEXTS
MAX_LINE = 4 * 2**20  # bytes; the longest review known has a hundredth of that
_CHUNK = 10_000  # lines between two moves of the bar


@dataclass(frozen=True, slots=True)
class AmazonEdition:
    """The names of one edition's fields and files, and what an item's metadata say."""

    name: str
    user: str
    item: str
    rating: str
    time: str
    ratings: tuple[str, ...]  # the columns of the ratings alone, where that file does not name them; () if it must
    logs: tuple[str, ...]  # patterns of the log's file name, without .gz, the preferred first
    affix: re.Pattern[str]  # what a log's name has around the name of its category
    suffix: str  # of the metadata's file, without .gz
    text_of: Callable[[Record], ItemText]
    licence: str = "McAuley's group: for research; see the data set's page"


def log_files(edition: AmazonEdition, source: Path, dataset: Path) -> list[Path]:
    """The log in a folder, or the file that was given; of a ready split its three files, in the order of PARTS."""
    file = source if source.is_file() else _log_file(edition, source, dataset)
    part = re.search(r"\.(train|valid|test)\.csv(\.gz)?$", file.name)
    if part is None:
        return [file]
    start, end = file.name[: part.start()], file.name[part.end(1) :]
    parts = [file.with_name(f"{start}.{name}{end}") for name in PARTS]
    for path in parts:
        if not path.is_file():
            hint = "put the three files of the split beside one another, or take the ratings alone"
            raise DataError("a file of the ready split is missing", where=str(path), hint=hint)
    return parts


def _log_file(edition: AmazonEdition, source: Path, dataset: Path) -> Path:
    other = elsewhere(edition.name, source, dataset)
    for folder in (source, source / _REVIEWS):
        for pattern in edition.logs:
            found = sorted(path for end in ("", ".gz") for path in folder.glob(pattern + end))
            files = [path for path in found if not path.name.startswith("meta_")]
            if file := only(files, "logs", folder, other):
                return file
    hint = other or "give the reviews' file or folder"
    raise DataError(f"no {' or '.join(edition.logs)} here", where=str(source), hint=hint)


def meta_file(edition: AmazonEdition, log: Path, dataset: Path) -> Path:
    """The metadata beside a log: of its category, or the only ones there are."""
    category = edition.affix.sub("", log.name)
    names = [f"meta_{category}{edition.suffix}{end}" for end in ("", ".gz")]
    folders = (log.parent, log.parent.parent / _METADATA)
    named = [folder / name for folder in folders for name in names if (folder / name).is_file()]
    files = named[:1] or sorted(file for end in ("", ".gz") for file in log.parent.glob(f"meta_*{edition.suffix}{end}"))
    if len(files) == 1:
        return files[0]
    what = f"several files of metadata: {', '.join(file.name for file in files)}" if files else f"no {names[0]}[.gz]"
    hint = "name the file with --items"
    if is_json(log) or not edition.ratings:  # which name their fields
        hint += f"; the log alone, without words: viral import table {log} {dataset}"
    hint = elsewhere(edition.name, log.parent, dataset) or hint
    raise DataError(what, where=str(log.parent), hint=hint)


def writable(text: str) -> bool:
    """Whether the text can be written at all: JSON may spell halves of characters."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def reject(rejections: list[Rejection], path: Path, row: int, bad: Bad) -> None:
    """Name a row that is left out; raise ``DataError`` where there are too many of them."""
    if len(rejections) >= MAX_REJECTED:
        what = f"more than {MAX_REJECTED:,} rows cannot be used (this one: {bad.reason})"
        raise DataError(what, where=f"{path}, row {row}", hint="is it a file of this layout?")
    rejections.append(Rejection(path.name, row, bad.field, bad.reason, printable(bad.value)))


def records(
    path: Path, *, skip: Callable[[bytes], bool] | None = None, shown: bool = True
) -> Iterator[tuple[int, Record | Bad]]:
    """Number and content of every line that is not blank; ``skip`` may pass over lines that need no reading.

    Raises ``DataError`` where the file is absent or something else, or its compression is damaged.
    """
    parsers: list[Callable[[bytes], Any]] = [json.loads, _literal]
    with _lines(path, shown=shown) as lines:
        for number, line in enumerate(lines, 1):
            if skip is not None and skip(line):
                continue
            yield number, _record(line, parsers)


def comma_separated(path: Path, names: Sequence[str], *, shown: bool = True) -> Iterator[tuple[int, Record | Bad]]:
    """Number and fields of every row of a file without quotes, as the ratings alone are; ``names`` are its columns.

    A first line without a number in the place of the rating is a header, and goes before ``names``.
    """
    with _lines(path, shown=shown) as lines:
        number = 0
        for place, line in enumerate(lines):
            try:
                fields = line.decode("utf-8-sig" if place == 0 else "utf-8").strip().split(",")
            except UnicodeDecodeError:
                number += 1
                yield number, Bad("not UTF-8", repr(line))
                continue
            if place == 0 and is_header(fields):
                names = fields
                continue
            number += 1
            if len(fields) == len(names):
                yield number, dict(zip(names, fields, strict=True))
            else:
                yield number, Bad("wrong number of fields", ",".join(fields))


def is_header(fields: Sequence[str]) -> bool:
    """Whether the fields of a first line are names: none of them has a digit, or one is that of an id."""
    return any(key(field) in ("userid", "reviewerid", "parentasin", "asin") for field in fields) or not any(
        letter.isdigit() for field in fields for letter in field
    )


def is_json(path: Path) -> bool:
    """Whether the first line that is not blank begins as an object or a list, whatever the file is called."""
    with open_bytes(path) as file:
        return file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))


@contextmanager
def _lines(path: Path, *, shown: bool) -> Iterator[Iterator[bytes]]:
    """The lines that are not blank, with a bar; of one that is too long only its beginning, which no parser takes."""
    refuse_foreign(path, "lines of text", text=True)
    with open_bytes(path) as file, stage(f"read {path.name}") if shown else nullcontext(_unseen) as advance:
        yield _bounded(file, advance)


def _unseen(count: int = 1, note: str = "") -> None:
    """The progress of what is only looked at."""


def _bounded(file: BinaryIO, advance: Callable[..., None]) -> Iterator[bytes]:
    count = 0
    while line := file.readline(MAX_LINE):
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE)
        if line.isspace():
            continue
        yield line
        count += 1
        if count % _CHUNK == 0:
            advance(_CHUNK)
    advance(count % _CHUNK)


def _record(line: bytes, parsers: list[Callable[[bytes], Any]]) -> Record | Bad:
    """A line by the first parser that takes it, which moves to the front: a file has lines of one kind."""
    if len(line) == MAX_LINE:
        return Bad("line too long", repr(line[:100]))
    for parse in tuple(parsers):
        try:
            value = parse(line)
        except UnicodeDecodeError:
            return Bad("not UTF-8", repr(line[:200]))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        if parse is not parsers[0]:
            parsers.reverse()
        return value if isinstance(value, dict) else Bad("not an object", line[:400].decode("utf-8", "replace"))
    return Bad("neither JSON nor a Python literal", line[:400].decode("utf-8", "replace").strip())


def _literal(line: bytes) -> Any:
    with warnings.catch_warnings():  # an escape that Python does not know is read as it is written
        warnings.simplefilter("ignore")
        return ast.literal_eval(line.decode().strip())
