"""`viral cold`: what the model makes of an item that it never saw."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from viral.apps.cli.options import Count, DescriberName, DescriberSettings, Json, PromptName, RunArgument
from viral.apps.cli.output import show, show_json, verb
from viral.base.safe_text import harmless

EMBEDDED = {
    "foretold": "by a rule from features to vectors, learnt from the known items",
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
    from viral.run.retrieval import DescriberOptions, Retriever

    retriever = Retriever.load(run, describer=DescriberOptions(describer, tuple(settings or ()), prompt))
    item = retriever.cold(title, picture, text=text)
    audience, like = (
        retriever.audience(item, k),
        {by: retriever.similar(item, k, by=by) for by in ("fused", *item.features)},
    )
    if json_output:
        document = {"title": title, "description": item.description, "way": item.way, "vector": item.vector.tolist()}
        neighbors = {by: [asdict(one) for one in found] for by, found in like.items()}
        show_json(document | {"similar": neighbors, "fans": [asdict(one) for one in audience]})
        return
    show(f"description: {harmless(item.description) or '(none)'}")
    show(f"embedded {EMBEDDED[item.way]}, from {', '.join(item.features)}")
    for by, found in like.items():
        named = [f"{harmless(one.title or one.item_id)} ({one.similarity:.2f})" for one in found]
        show(f"like it by {by}: " + "; ".join(named))
    show("who would want it: " + "; ".join(f"{harmless(one.user_id)} ({one.score:+.2f} σ)" for one in audience))
