"""`viral similar`: the items most like one."""

from dataclasses import asdict
from typing import Annotated

import typer

from viral.apps.cli.options import AllowFile, Categories, Count, Denied, Json, RunArgument, StockFile, item_filters
from viral.apps.cli.output import show, show_json, verb
from viral.base.safe_text import harmless


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
    found = retriever.similar(item, k, by=by, filters=item_filters(retriever, category, deny, allow, in_stock))
    if json_output:
        show_json({"item_id": item, "by": by, "similar": [asdict(one) for one in found]})
        return
    for one in found:
        show(f"{one.rank:>3}. {one.similarity:7.4f}  {harmless(one.item_id):<14} {harmless(one.title)}")
