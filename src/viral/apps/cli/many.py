"""`viral recommend --users FILE --out FILE`: many users by one reading of the run."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from viral.apps.cli.common import show, show_json
from viral.base.errors import DataError, UsageError
from viral.base.progress import stage
from viral.base.safe_text import harmless

if TYPE_CHECKING:
    import polars as pl

    from viral.run.retrieval import Retriever
    from viral.run.retrieval.ranking import Ask

SHOWN, IN_JSON = 3, 100  # unknown users that are named


def check_words(file: str | None, everybody: bool, out: Path | None, others: bool) -> bool:
    """Whether many are asked for; ``UsageError`` where the words do not fit together."""
    many = file is not None or everybody
    if many and (others or (file is not None and everybody)):
        raise UsageError("give one of --user, --item, --users and --all", hint="--users FILE: one user id a line")
    if many and out is None:
        hint = "for example --out recs.parquet; also .csv and .jsonl"
        raise UsageError("where should the recommendations of many users go?", where="--out", hint=hint)
    if out is not None and not many:
        raise UsageError("--out is for many users", where="--out", hint="--users FILE, or --all")
    return many


def recommend_to_file(
    retriever: "Retriever", file: str | None, out: Path, ask: "Ask", *, exclude_seen: bool, json_output: bool
) -> None:
    """Rank for the users of a file, or for all of the run, and say what was written."""
    from viral.run.retrieval.many import check_out, read_users, recommend_many, write_blocks

    check_out(out)
    known = retriever.bundle.users
    ids = list(known.ids) if file is None else read_users(file)
    if not ids:
        hint = "one user id a line, or a table with a column user_id"
        raise DataError("no users in it", where=str(file), hint=hint)
    unknown = [user_id for user_id in ids if user_id not in known]
    with stage("recommend to users", len(ids)) as advance:

        def followed() -> "Iterator[pl.DataFrame]":
            for block in recommend_many(retriever, ids, ask, exclude_seen=exclude_seen):
                yield block
                advance(block["user_id"].n_unique())

        rows = write_blocks(followed(), out)
    if json_output:
        told = {"path": str(out), "users": len(ids), "unknown_users": len(unknown), "unknown": unknown[:IN_JSON]}
        show_json(told | {"k": ask.k, "rows": rows})
        return
    show(f"{out}: {rows:,} recommendations to {len(ids):,} users")
    if unknown:
        show(_unknown(unknown, len(ids), known.ids))


def _unknown(unknown: Sequence[str], asked: int, known: Sequence[str]) -> str:
    named = ", ".join(harmless(repr(user_id)[:80]) for user_id in unknown[:SHOWN])
    more = " …" if len(unknown) > SHOWN else ""
    are, get = ("is", "gets") if len(unknown) == 1 else ("are", "get")
    said = f"{len(unknown):,} of them {are} not in the run and {get} what is popular (source: popular): {named}{more}"
    if len(unknown) < asked or not known:
        return said
    return f"{said}\n  → no id is known: the run's are written like {harmless(repr(known[0])[:80])}"
