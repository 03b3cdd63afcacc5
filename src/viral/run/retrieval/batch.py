"""Recommendations for many users at once: who is asked for, ranked block by block, and written as a table."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.base.errors import DataError, UsageError
from viral.base.files import atomic_write
from viral.run.retrieval.filters import ids_of_text
from viral.run.retrieval.ranking import RankingRequest
from viral.run.retrieval.results import Recommendation
from viral.run.retrieval.retriever import Retriever

if TYPE_CHECKING:
    import polars as pl

STDIN = "-"
BLOCK = 1_000  # users whose recommendations are held in memory
SUFFIXES = (".parquet", ".csv", ".jsonl")
MODEL, POPULAR = "model", "popular"  # where a recommendation comes from


def read_users(file: str) -> list[str]:
    """The ids of a file in their order, each once: a column of a table, else one a line; ``-`` is standard input.

    The column is ``user_id``, or called as exports call it (``customer_id`` and the like).
    """
    from viral.data.importers.readers.formats import is_table

    if file == STDIN:
        return ids_of_text(sys.stdin.buffer.read(), "standard input", "user")
    path = Path(file)
    if not path.is_file():
        raise DataError("no such file", where=file, hint="one user id a line, or a table with a column user_id")
    if is_table(path) and path.suffix.lower() != ".txt":
        return _column(path)
    return ids_of_text(path.read_bytes(), file, "user")


def _column(path: Path) -> list[str]:
    from viral.data.importers.columns.names import USER, key
    from viral.data.importers.readers.formats import in_words, look, read_columns

    present = look(path).present
    known = {key(name): place for place, name in reversed(list(enumerate(USER.names)))}
    found = sorted((known[key(name)], name) for name in present if key(name) in known)
    if not found:
        hint = "call it user_id, or write one id a line into a .txt file"
        raise DataError(f"no column of users; {in_words(present)}", where=str(path), hint=hint)
    values = read_columns(path, [found[0][1]]).to_series().drop_nulls().to_list()
    return list(dict.fromkeys(value for value in values if value))


def recommend_many(
    retriever: Retriever, user_ids: Sequence[str], ask: RankingRequest, *, exclude_seen: bool = True
) -> "Iterator[pl.DataFrame]":
    """Blocks of rows user_id, rank, item_id, title, score, source; users that the bundle does not know get the popular.

    Their ``score`` is how many users interacted with the item in training.
    """
    popular: list[Recommendation] | None = None
    for start in range(0, len(user_ids), BLOCK):
        rows: list[tuple[Any, ...]] = []
        for user_id in user_ids[start : start + BLOCK]:
            known = user_id in retriever.bundle.users
            if known:
                found = retriever.rank(
                    retriever.profile(user_id), ask.k, exclude_seen=exclude_seen, filters=ask.filters,
                    diversity=ask.diversity, rules=ask.rules,
                )  # fmt: skip
            else:
                popular = popular or retriever.popular(ask.k, filters=ask.filters, rules=ask.rules)
                found = popular
            source = MODEL if known else POPULAR
            rows += [(user_id, one.rank, one.item_id, one.title, one.score, source) for one in found]
        yield _frame(rows)


def _frame(rows: Sequence[tuple[Any, ...]]) -> "pl.DataFrame":
    import polars as pl

    schema = {"user_id": pl.String, "rank": pl.Int32, "item_id": pl.String, "title": pl.String, "score": pl.Float64}
    return pl.DataFrame(rows, schema=schema | {"source": pl.String}, orient="row")


def check_out(path: Path) -> None:
    """Raise ``UsageError`` where the suffix is of no format that is written here."""
    if path.is_dir():
        raise UsageError("this is a folder", where=str(path), hint=f"name a file in it: {path / 'recs.parquet'}")
    if path.suffix.lower() not in SUFFIXES:
        what = f"{path.suffix!r} is no format to write" if path.suffix else "the name does not say the format"
        raise UsageError(what, where=str(path), hint=f"end it in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")


def write_blocks(blocks: "Iterable[pl.DataFrame]", path: Path) -> int:
    """Write blocks of rows as one file of the format that its suffix says, whole or not at all; returns how many."""
    written = 0
    with atomic_write(path) as temporary, _WRITERS[path.suffix.lower()](temporary) as write:
        for block in blocks:
            write(block)
            written += block.height
    return written


Write = Callable[["pl.DataFrame"], object]


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    import pyarrow.parquet as pq

    schema = _frame([]).to_arrow().schema
    with pq.ParquetWriter(path, schema) as writer:
        yield lambda block: writer.write_table(block.to_arrow().cast(schema))


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    with path.open("wb") as file:
        _frame([]).write_csv(file)
        yield lambda block: block.write_csv(file, include_header=False)


@contextmanager
def _jsonl(path: Path) -> Iterator[Write]:
    with path.open("wb") as file:
        yield lambda block: block.write_ndjson(file)


_WRITERS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}
