"""`viral recommend`: items for a user, for somebody new by their interactions, or for many users into a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viral.apps.cli.options import (
    AllowFile,
    ApproximateAbove,
    Categories,
    Count,
    Denied,
    Json,
    Lang,
    LessPopularOption,
    RunArgument,
    StockFile,
    item_filters,
    speaking,
)
from viral.apps.cli.output import show, show_json, signed, verb
from viral.base.errors import DataError, UsageError
from viral.base.progress import stage
from viral.base.safe_text import harmless

if TYPE_CHECKING:
    import polars as pl

    from viral.models.scorers import UserProfile
    from viral.run.retrieval import Recommendation, Retriever
    from viral.run.retrieval.ranking import RankingRequest
    from viral.run.retrieval.rules import Rules

RulesFile = Annotated[
    Path | None, typer.Option("--rules", help="A TOML file of rules, as `viral serve --rules` reads.")
]
SHOWN, IN_JSON = 3, 100  # unknown users that are named
UsersFile = Annotated[
    str | None,
    typer.Option(
        "--users", metavar="FILE", help="Instead: many users, one id a line or a table's user_id; - is stdin."
    ),
]


@verb
def recommend(
    run: RunArgument,
    user: Annotated[str | None, typer.Option(help="A user's id, as it was in the log.")] = None,
    item: Annotated[list[str] | None, typer.Option(help="Instead: an item that a new user chose, repeatable.")] = None,
    users: UsersFile = None,
    everybody: Annotated[bool, typer.Option("--all", help="Instead: every user of the run.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Where many users' go: a .parquet, .csv or .jsonl file, which is replaced.")
    ] = None,
    k: Count = 10,
    category: Categories = None,
    deny: Denied = None,
    allow: AllowFile = None,
    in_stock: StockFile = None,
    seen: Annotated[bool, typer.Option("--seen", help="Also items of the history.")] = False,
    diversity: Annotated[float, typer.Option(help="0: by score; towards 1: more variety (MMR).")] = 0.0,
    less_popular: LessPopularOption = 0.0,
    rules: RulesFile = None,
    approximate_above: ApproximateAbove = None,
    why: Annotated[bool, typer.Option("--why", help="Say of each why, in a sentence.")] = False,
    lang: Lang = "en",
    json_output: Json = False,
) -> None:
    """Recommend items to a user, to a new user by the items they chose, or to many users; from the run alone."""
    from viral.run.retrieval import Retriever
    from viral.run.retrieval.ranking import RankingRequest

    many = check_words(users, everybody, out, user is not None or bool(item))
    if not many and (user is None) == (not item):
        hint = "--item once for each item that a new user chose; many users: --users FILE --out recs.parquet"
        raise UsageError("give either --user ID or --item ID", hint=hint)
    retriever = Retriever.load(run, approximate_above=approximate_above)
    filters = item_filters(retriever, category, deny, allow, in_stock)
    ask = RankingRequest(k=k, filters=filters, diversity=diversity, rules=_rules(rules, less_popular))
    if many and out is not None:
        recommend_to_file(retriever, users, out, ask, exclude_seen=not seen, json_output=json_output)
        return
    with speaking(lang):
        _recommend_to_one(retriever, user, item or [], ask, exclude_seen=not seen, why=why, json_output=json_output)


def _recommend_to_one(
    retriever: "Retriever", user: str | None, items: Sequence[str], ask: "RankingRequest", *, exclude_seen: bool,
    why: bool, json_output: bool,
) -> None:  # fmt: skip
    profile = retriever.profile(user) if user is not None else retriever.new_user(items)
    found = retriever.rank(
        profile, ask.k, exclude_seen=exclude_seen, filters=ask.filters, diversity=ask.diversity, rules=ask.rules
    )
    because = _because(retriever, profile, user, found) if why else {}
    asked: dict[str, Any] = {"user_id": user} if user is not None else {"item_ids": items}
    if json_output:
        told = [asdict(one) | ({"because": because[one.item_id]} if why else {}) for one in found]
        show_json(asked | {"recommendations": told})
        return
    who = "history" if user is None else f"history of user {harmless(user)}"
    _show(retriever, profile, who, found, because)


def _because(
    retriever: "Retriever", profile: "UserProfile", user: str | None, found: "list[Recommendation]"
) -> Mapping[str, str]:
    """The sentence of each item that is recommended."""
    from viral.run.explain import because, explain

    bundle, who = retriever.bundle, user or ""
    given: dict[str, Any] = {"user_id": who, "fold_in": retriever.fold_in}
    return {one.item_id: because(explain(bundle, profile, one.item_id, **given), bundle) for one in found}


def _rules(file: Path | None, less_popular: float) -> "Rules":
    """The rules of a file; what the option says of popular items goes before what the file does."""
    from viral.run.retrieval.rules import Rules, read_rules

    rules = Rules() if file is None else read_rules(file)
    return replace(rules, less_popular=less_popular) if less_popular else rules


def _show(
    retriever: "Retriever", profile: "UserProfile", who: str, found: "list[Recommendation]", because: Mapping[str, str]
) -> None:
    bundle = retriever.bundle
    history = [harmless(bundle.titles[row] or bundle.items.ids[row]) for row in profile.seen.tolist()]
    show(f"{who}: " + "; ".join(history[:8]) + (" …" if len(history) > 8 else ""))
    for r in found:
        parts = f"   [{signed(r.parts)}]" if len(r.parts) > 1 else ""
        show(f"{r.rank:>3}. {r.score:8.4f}  {harmless(r.item_id):<14} {harmless(r.title)}{parts}")
        if r.item_id in because:
            show(f"     {harmless(because[r.item_id])}")


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
    retriever: "Retriever", file: str | None, out: Path, ask: "RankingRequest", *, exclude_seen: bool,
    json_output: bool,
) -> None:  # fmt: skip
    """Rank for the users of a file, or for all of the run, and say what was written."""
    from viral.run.retrieval.batch import check_out, read_users, recommend_many, write_blocks

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
