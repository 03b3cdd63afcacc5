"""`viral explain`: one sentence, then the exact sums behind it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from viral.apps.cli.options import Json, Lang, RunArgument, speaking
from viral.apps.cli.output import show, show_json, signed, verb
from viral.base.safe_text import harmless

if TYPE_CHECKING:
    from viral.run.explain import Explanation, WordEffect

WORDS_SHOWN = 5


@verb
def explain(
    run: RunArgument,
    user: Annotated[str, typer.Option(help="A user's id.")],
    item: Annotated[str, typer.Option(help="An item's id.")],
    words: Annotated[
        bool, typer.Option("--words", help="Also which words matter; encodes each description anew.")
    ] = False,
    lang: Lang = "en",
    json_output: Json = False,
) -> None:
    """Say in a sentence why an item is recommended, and take its score apart: parts, history and, if asked, words."""
    from viral.run.explain import because, word_effects
    from viral.run.explain import explain as take_apart
    from viral.run.explain.information import load
    from viral.run.retrieval import Retriever

    retriever = Retriever.load(run)
    found = take_apart(retriever.bundle, user, item, information=load(run))
    effects = word_effects(retriever, user, item) if words else []
    with speaking(lang):
        sentence = because(found, retriever.bundle)
    if json_output:
        told = {"because": sentence} | found.to_json()
        show_json(told | ({"words": [asdict(one) for one in effects]} if words else {}))
        return
    show(harmless(sentence))
    _show_sums(found, effects)


def _show_sums(found: "Explanation", effects: "list[WordEffect]") -> None:
    """The exact sums, a line each."""
    show(harmless(found.sentence()))
    if found.origins:
        show(f"  from: {signed(found.origins)}")
    if found.evidence:
        carried = "; ".join(f"{harmless(e.title or e.item_id)} {e.share:+.3f}" for e in found.evidence)
        show(f"  because of: {carried}; all of the history {found.history:+.3f}, beyond it {found.beyond:+.3f}")
    if effects:
        show("  words: " + ", ".join(f"{harmless(one.word)} {one.effect:+.3f}" for one in effects[:WORDS_SHOWN]))
    if found.information:
        show("  bits the item's modalities tell of choices: " + signed(found.information))
