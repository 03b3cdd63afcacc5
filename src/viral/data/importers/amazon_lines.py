"""The lines of McAuley's files: JSON, Python literals as the sets of 2014 have them, or comma-separated; zipped or not.

A literal is read by ``ast.literal_eval``, which knows constants and containers and calls nothing.
"""

import ast
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from viral.base.progress import stage
from viral.data.importers.columns import key
from viral.data.importers.compressed import open_bytes
from viral.data.importers.raw import Bad
from viral.data.importers.sight import refuse_foreign

MAX_LINE = 4 * 2**20  # bytes; the longest review known has a hundredth of that
_CHUNK = 10_000  # lines between two moves of the bar
Record = Mapping[str, Any]


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
