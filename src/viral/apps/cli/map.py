"""``viral map``: where items lie, by each modality."""

from pathlib import Path
from typing import Annotated, Any

import typer

from viral.apps.cli.options import DatasetArgument, Json, LangOption, speaking
from viral.apps.cli.output import show, show_json, table, verb

By = Annotated[
    str, typer.Option(help="What colours and measures: category, cluster, or a planted shop's pattern, colour, tag …")
]
Modalities = Annotated[
    list[str] | None, typer.Option(help="Which, repeatable; words-PROMPT is what was said alone (default: all).")
]


@verb
def map_(
    dataset: DatasetArgument,
    out: Annotated[Path, typer.Option(help="The page to write (HTML).")],
    by: By = "category",
    modality: Modalities = None,
    method: Annotated[str, typer.Option(help="pca, tsne (openTSNE), or auto: tsne where it is installed.")] = "auto",
    neighbours: Annotated[int, typer.Option(min=1, help="Nearest items looked at for the purity.")] = 10,
    items: Annotated[int, typer.Option(min=3, help="Draw and measure at most so many (a seeded sample).")] = 2000,
    describer: Annotated[str | None, typer.Option(help="Whose words, where several have described.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sample, the intervals and t-SNE.")] = 0,
    lang: LangOption = "en",
    json_output: Json = False,
) -> None:
    """Map the items by every modality, before and after enrichment, and measure how groups keep together."""
    from viral.data.dataset import Dataset
    from viral.lab.quality import descriptions_by_prompt
    from viral.lab.quality.map_page import finding, write_map
    from viral.lab.quality.map_projection import resolve
    from viral.lab.quality.modality_maps import item_map

    language, opened = speaking(lang), Dataset.open(dataset)
    found = item_map(
        opened,
        descriptions_by_prompt(opened, describer),
        by=by,
        modalities=modality or (),
        method=resolve(method),
        neighbours=neighbours,
        most=items,
        seed=seed,
    )
    with language:
        write_map(out, opened, found)
    if json_output:
        show_json({**found.to_json(), "path": str(out)})
        return
    show("\n".join([*_table(found), finding(found), f"open  {out}"]))


def _table(found: Any) -> list[str]:
    measured = [(place.space.name, place.clusters.get(found.by)) for place in found.places]
    rows: list[list[Any]] = [[name, c.purity, c.chance, c.silhouette] for name, c in measured if c is not None]
    return [table([f"by {found.by}", "purity", "chance", "silhouette"], rows)] if rows else []
