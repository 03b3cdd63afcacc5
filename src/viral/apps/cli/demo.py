"""``viral demo``: the planted shop from pictures to a report."""

from pathlib import Path
from typing import Annotated

import typer

from viral.apps.cli.options import Json, LangOption, speaking
from viral.apps.cli.output import show, show_json, table, verb

SHOWN = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")


@verb
def demo(
    out: Annotated[Path, typer.Option(help="Where the data set, the runs and the report go.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Of the shop and of the training.")] = 0,
    lang: LangOption = "en",
    json_output: Json = False,
) -> None:
    """Draw a shop, describe its pictures, train three models, compare and explain: the whole way in minutes."""
    from viral.apps.demo import run_demo

    with speaking(lang):
        result = run_demo(out, seed=seed)
    if json_output:
        show_json(result)
    else:
        rows = [[name, *(metrics[key] for key in SHOWN)] for name, metrics in result["models"].items()]
        show(table(["model", *SHOWN], rows))
        test = result["viral_against_lightgcn"]
        show(
            f"VIRAL minus LightGCN, recall@20: {test['difference']:+.4f} (paired over users, p = {test['p_value']:.2g})"
        )
        show(f"\nopen  {result['report']}\nnext  viral recommend {out}/runs/viral --user {result['user']}")
