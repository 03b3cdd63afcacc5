"""The verbs that ask a run: what to recommend, what is like it, what of a new item, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viral.apps.cli.common import (
    ApproximateAbove,
    DescriberName,
    DescriberSettings,
    Json,
    LessPopularOption,
    PromptName,
    show,
    show_json,
    verb,
)
from viral.apps.cli.many import check_words, recommend_to_file
from viral.apps.cli.spoken import Lang, speaking
from viral.apps.cli.train import RunArgument
from viral.base.errors import UsageError
from viral.base.safe_text import harmless

if TYPE_CHECKING:
    from viral.models.scorers import UserProfile
    from viral.run.retrieval import Filters, Recommendation, Retriever
    from viral.run.retrieval.ranking import Ask
    from viral.run.retrieval.rules import Rules

Count = Annotated[int, typer.Option("-k", help="How many.")]
Categories = Annotated[list[str] | None, typer.Option("--category", help="Only items of this category, repeatable.")]
Denied = Annotated[list[str] | None, typer.Option("--deny", help="Not this item, repeatable.")]
AllowFile = Annotated[Path | None, typer.Option("--allow", help="A file of item ids, one a line: only these.")]
StockFile = Annotated[
    Path | None, typer.Option("--in-stock", help="A file of item ids, one a line: what is in stock, and only that.")
]
RulesFile = Annotated[
    Path | None, typer.Option("--rules", help="A TOML file of rules, as `viral serve --rules` reads.")
]
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
    item: Annotated[list[str] | None, typer.Option(help="Instead: an item that a new user took, repeatable.")] = None,
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
    seen: Annotated[bool, typer.Option("--seen", help="Also what was taken already.")] = False,
    diversity: Annotated[float, typer.Option(help="0: by score; towards 1: more variety (MMR).")] = 0.0,
    less_popular: LessPopularOption = 0.0,
    rules: RulesFile = None,
    approximate_above: ApproximateAbove = None,
    why: Annotated[bool, typer.Option("--why", help="Say of each why, in a sentence.")] = False,
    lang: Lang = "en",
    json_output: Json = False,
) -> None:
    """Recommend items to a user, to somebody new by the items they took, or to many users; from the run alone."""
    from viral.run.retrieval import Retriever
    from viral.run.retrieval.ranking import Ask

    many = check_words(users, everybody, out, user is not None or bool(item))
    if not many and (user is None) == (not item):
        hint = "--item once for each item that a new user took; many users: --users FILE --out recs.parquet"
        raise UsageError("give either --user ID or --item ID", hint=hint)
    retriever = Retriever.load(run, approximate_above=approximate_above)
    filters = _filters(retriever, category, deny, allow, in_stock)
    ask = Ask(k=k, filters=filters, diversity=diversity, rules=_rules(rules, less_popular))
    if many and out is not None:
        recommend_to_file(retriever, users, out, ask, exclude_seen=not seen, json_output=json_output)
        return
    with speaking(lang):
        _recommend_to_one(retriever, user, item or [], ask, exclude_seen=not seen, why=why, json_output=json_output)


def _recommend_to_one(
    retriever: "Retriever", user: str | None, items: Sequence[str], ask: "Ask", *, exclude_seen: bool, why: bool,
    json_output: bool,
) -> None:  # fmt: skip
    taste = retriever.taste(user) if user is not None else retriever.newcomer(items)
    found = retriever.rank(
        taste, ask.k, exclude_seen=exclude_seen, filters=ask.filters, diversity=ask.diversity, rules=ask.rules
    )
    because = _because(retriever, taste, user, found) if why else {}
    asked: dict[str, Any] = {"user_id": user} if user is not None else {"item_ids": items}
    if json_output:
        told = [asdict(one) | ({"because": because[one.item_id]} if why else {}) for one in found]
        show_json(asked | {"recommendations": told})
        return
    who = "somebody who took" if user is None else f"user {harmless(user)} took"
    _show(retriever, taste, who, found, because)


def _because(
    retriever: "Retriever", taste: "UserProfile", user: str | None, found: "list[Recommendation]"
) -> Mapping[str, str]:
    """The sentence of each item that is recommended."""
    from viral.run.explain import because, explain_taste

    bundle, who = retriever.bundle, user or ""
    given: dict[str, Any] = {"user_id": who, "fold_in": None if taste.vectors is None else retriever.fold_in}
    return {one.item_id: because(explain_taste(bundle, taste, one.item_id, **given), bundle) for one in found}


def _rules(file: Path | None, less_popular: float) -> "Rules":
    """The rules of a file; what the option says of popular items goes before what the file does."""
    from viral.run.retrieval.rules import Rules, read_rules

    rules = Rules() if file is None else read_rules(file)
    return replace(rules, less_popular=less_popular) if less_popular else rules


def _show(
    retriever: "Retriever", taste: "UserProfile", who: str, found: "list[Recommendation]", because: Mapping[str, str]
) -> None:
    bundle = retriever.bundle
    history = [harmless(bundle.titles[row] or bundle.items.ids[row]) for row in taste.seen.tolist()]
    show(f"{who}: " + "; ".join(history[:8]) + (" …" if len(history) > 8 else ""))
    for r in found:
        parts = f"   [{signed(r.parts)}]" if len(r.parts) > 1 else ""
        show(f"{r.rank:>3}. {r.score:8.4f}  {harmless(r.item_id):<14} {harmless(r.title)}{parts}")
        if r.item_id in because:
            show(f"     {harmless(because[r.item_id])}")


def _filters(
    retriever: "Retriever",
    categories: list[str] | None,
    deny: list[str] | None,
    allow: Path | None,
    in_stock: Path | None,
) -> "Filters":
    """What the options say; ``DataError`` for a file that has no item of the run."""
    from viral.run.retrieval import Filters
    from viral.run.retrieval.filters import check_known, read_ids

    lists = {file: read_ids(file) for file in (allow, in_stock) if file is not None}
    for file, ids in lists.items():
        check_known(ids, retriever.bundle.items, file)
    allowed, stocked = (None if file is None else lists[file] for file in (allow, in_stock))
    return Filters(categories=categories, deny=deny or (), allow=allowed, in_stock=stocked)


@verb
def similar(
    run: RunArgument,
    item: Annotated[str, typer.Option(help="An item's id.")],
    by: Annotated[
        str, typer.Option(help="fused (what the model makes of it), or a modality: text, image, …")
    ] = "fused",
    k: Count = 10,
    category: Categories = None,
    deny: Denied = None,
    allow: AllowFile = None,
    in_stock: StockFile = None,
    json_output: Json = False,
) -> None:
    """Show the items most like one, by the model's vectors or by a modality's features."""
    from viral.run.retrieval import Retriever

    retriever = Retriever.load(run)
    found = retriever.similar(item, k, by=by, filters=_filters(retriever, category, deny, allow, in_stock))
    if json_output:
        show_json({"item_id": item, "by": by, "similar": [asdict(one) for one in found]})
        return
    for one in found:
        show(f"{one.rank:>3}. {one.similarity:7.4f}  {harmless(one.item_id):<14} {harmless(one.title)}")


EMBEDDED = {
    "foretold": "by what the known items' features tell of their vectors",
    "own": "by the model itself",
    "neighbors": "as the mean of its nearest items",
}


@verb
def cold(
    run: RunArgument,
    title: Annotated[str, typer.Option(help="Of the new item.")] = "",
    picture: Annotated[Path | None, typer.Option(help="A file: JPEG, PNG or WebP.")] = None,
    text: Annotated[str, typer.Option(help="Further words, as the catalogue has them.")] = "",
    k: Count = 5,
    describer: DescriberName = None,
    settings: DescriberSettings = None,
    prompt: PromptName = None,
    json_output: Json = False,
) -> None:
    """Describe and embed an item that the model never saw; who would want it, and what is like it."""
    from viral.run.retrieval import Given, Retriever

    retriever = Retriever.load(run, describer=Given(describer, tuple(settings or ()), prompt))
    item = retriever.cold(title, picture, text=text)
    fans, like = retriever.fans(item, k), {by: retriever.like(item, k, by=by) for by in ("fused", *item.features)}
    if json_output:
        document = {"title": title, "description": item.description, "way": item.way, "vector": item.vector.tolist()}
        neighbors = {by: [asdict(one) for one in found] for by, found in like.items()}
        show_json(document | {"similar": neighbors, "fans": [asdict(fan) for fan in fans]})
        return
    show(f"description: {harmless(item.description) or '(none)'}")
    show(f"embedded {EMBEDDED[item.way]}, from {', '.join(item.features)}")
    for by, found in like.items():
        named = [f"{harmless(one.title or one.item_id)} ({one.similarity:.2f})" for one in found]
        show(f"like it by {by}: " + "; ".join(named))
    show("who would want it: " + "; ".join(f"{harmless(fan.user_id)} ({fan.score:+.2f} σ)" for fan in fans))


def signed(values: Mapping[str, float]) -> str:
    """Parts with their signs, in a row."""
    return ", ".join(f"{name.replace('_', ' ')} {value:+.3f}" for name, value in values.items())
