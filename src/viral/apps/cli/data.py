"""The verbs that make, check and encode a data set."""

from pathlib import Path
from typing import Annotated, Any

import typer

from viral.apps.cli.options import DatasetArgument, Json, Overwrite
from viral.apps.cli.output import show, show_json, verb
from viral.base.errors import UsageError
from viral.base.progress import say

_LAYOUTS = "table, movielens, hm, microlens, mmrec, amazon2014, amazon2018 or amazon2023."
MinRating = Annotated[float | None, typer.Option(help="movielens, amazon*: a rating from here on is an interaction.")]
OnlyWithPoster = Annotated[
    bool | None,
    typer.Option(help="movielens: drop films without a poster first (default where there are posters)."),
]
SplitOption = Annotated[
    str | None, typer.Option(help="table, hm, microlens: random, temporal, global, none; table: column.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(help="table: OURS=THEIRS, repeatable: user, item, timestamp, title, …; - is none."),
]
ItemsFile = Annotated[
    Path | None, typer.Option(help="table, amazon*, microlens: the file of items, where not found by name.")
]
ImagesFolder = Annotated[Path | None, typer.Option(help="table, hm, microlens: the folder of pictures.")]
Encoding = Annotated[
    str | None, typer.Option(help="table: of files that are not UTF-8, where it is not found: cp1252, gb18030, …")
]
DayFirst = Annotated[
    bool | None, typer.Option("--day-first/--month-first", help="table: how 03/04/2024 is meant in the log.")
]
RepairIds = Annotated[bool, typer.Option("--repair-ids", help="table: write the log's ids as the item table has them.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="table: read and tell everything, write nothing.")]
FeatureFiles = Annotated[
    list[str] | None,
    typer.Option(help="mmrec: NAME=FILE.npy, repeatable: a modality's features, beside those of *_feat.npy."),
]
Append = Annotated[
    bool,
    typer.Option("--append", help="table: add to DATASET what is new or has changed; the rest stays."),
]


@verb
def import_(
    layout: Annotated[str, typer.Argument(metavar="LAYOUT", help=_LAYOUTS)],
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The folder or file to read.")],
    dataset: DatasetArgument,
    min_rating: MinRating = None,
    core: Annotated[int | None, typer.Option(help="All but mmrec: keep the k-core.")] = None,
    only_with_poster: OnlyWithPoster = None,
    seed: Annotated[int | None, typer.Option(help="All but mmrec: of the random split.")] = None,
    split: SplitOption = None,
    column: Columns = None,
    items: ItemsFile = None,
    images: ImagesFolder = None,
    encoding: Encoding = None,
    day_first: DayFirst = None,
    repair_ids: RepairIds = False,
    dry_run: DryRun = False,
    features: FeatureFiles = None,
    append: Append = False,
    overwrite: Overwrite = False,
    json_output: Json = False,
) -> None:
    """Turn a foreign source into a data set folder; rows left out are named in rejected.jsonl."""
    from viral.data.importers import import_dataset

    given = {
        "min_rating": min_rating, "core": core, "seed": seed, "only_with_poster": only_with_poster, "split": split,
        "items": items, "images": images, "columns": _pairs(column, "--column", "OURS=THEIRS", "user_id=customer"),
        "features": _pairs(features, "--features", "NAME=FILE", "image=clip_image.npy"), "append": append or None,
        "encoding": encoding, "day_first": day_first, "repair_ids": repair_ids or None, "dry_run": dry_run or None,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    made = import_dataset(layout, source, dataset, overwrite=overwrite, **options)
    if json_output:
        show_json({**made.manifest, "path": str(dataset)})
    else:
        after = "dry run: nothing was written" if dry_run else f"next: viral doctor {dataset}"
        show(f"{_counts(made.manifest)}\n{after}")


def _pairs(words: list[str] | None, option: str, form: str, example: str) -> dict[str, str] | None:
    if not words:
        return None
    pairs = [word.partition("=") for word in words]
    for ours, equals, theirs in pairs:
        if not (ours and equals and theirs):
            raise UsageError(f"{option} {ours!r} is not {form}", hint=f"for example {option} {example}")
    return {ours: theirs for ours, _, theirs in pairs}


def _counts(manifest: Any) -> str:
    from viral.data.importers.splits import offered

    counts = dict(manifest["counts"])
    rejected = counts.pop("rejected", {})
    lines = [", ".join(f"{value:,} {name}" for name, value in counts.items())]
    lines += [f"  left out: {value:,} × {reason}" for reason, value in rejected.items()]
    if appended := manifest.get("appended"):
        told = ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in appended.items())
        return f"appended: {told}\nnow: " + "\n".join([*lines, *_appended_split(manifest)])
    lines += [f"  split: {told}{offered(manifest)}" for told in [manifest["source"].get("split")] if told]
    return "\n".join(lines)


def _appended_split(manifest: Any) -> list[str]:
    latest = manifest["source"]["history"][-1:]
    return [f"  split: {manifest['source']['split']}; {one['split']}" for one in latest if "counts" in one]


@verb
def shop(
    dataset: DatasetArgument,
    users: Annotated[int, typer.Option(help="How many users.")] = 600,
    items: Annotated[int, typer.Option(help="How many items.")] = 300,
    interactions_per_user: Annotated[float, typer.Option(help="Mean number of choices per user.")] = 10.0,
    redundant: Annotated[float, typer.Option(help="Weight of what title and picture both tell.")] = 1.0,
    unique_text: Annotated[float, typer.Option(help="Weight of what only the words tell.")] = 1.0,
    unique_picture: Annotated[float, typer.Option(help="Weight of what only the picture tells.")] = 1.0,
    synergistic: Annotated[float, typer.Option(help="Weight of what only both together tell.")] = 1.0,
    temperature: Annotated[float | None, typer.Option(help="Smaller: tastes are stricter.")] = None,
    liked: Annotated[float | None, typer.Option(help="Share of a kind's values that a user likes.")] = None,
    popularity: Annotated[float | None, typer.Option(help="Spread of the items' appeal to everybody.")] = None,
    distractors: Annotated[int | None, typer.Option(help="At most this many other things in a picture.")] = None,
    pictures: Annotated[bool, typer.Option(help="Draw the pictures.")] = True,
    seed: Annotated[int, typer.Option(help="The same seed draws the same shop.")] = 0,
    overwrite: Overwrite = False,
    json_output: Json = False,
) -> None:
    """Draw the planted shop: pictures, titles and choices whose truth is known (truth.parquet)."""
    from viral.lab.shop import ShopConfig, make_shop

    given = {"temperature": temperature, "liked": liked, "popularity": popularity, "distractors": distractors}
    config = ShopConfig(
        users=users, items=items, interactions_per_user=interactions_per_user, redundant=redundant,
        unique_text=unique_text, unique_picture=unique_picture, synergistic=synergistic, pictures=pictures, seed=seed,
        **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]
    )  # fmt: skip
    made = make_shop(dataset, config, overwrite=overwrite)
    if json_output:
        show_json({**made.manifest, "path": str(dataset)})
    else:
        show(_counts(made.manifest) + f"\nnext: viral enrich {dataset}")


@verb
def doctor(
    dataset: DatasetArgument,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove first what killed processes left half written in it and beside it.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Say what is wrong or missing, row by row; exit 1 if the data set cannot be trained on."""
    from viral.data.dataset import Dataset
    from viral.data.doctor import examine, render

    if clean:
        for gone in _cleaned(dataset):
            say(f"removed: {gone}")
    report = examine(Dataset.open(dataset))
    if json_output:
        show_json(report.to_json())
    else:
        show(render(report))
    if not report.trainable:
        raise typer.Exit(1)


def _cleaned(dataset: Path) -> list[Path]:
    from viral.base.files import remove_abandoned

    inside = [path for path in dataset.rglob("*") if path.is_dir()] if dataset.is_dir() else []
    return [gone for folder in (dataset.absolute().parent, dataset, *inside) for gone in remove_abandoned(folder)]


@verb
def encode(
    dataset: DatasetArgument,
    describer: Annotated[str | None, typer.Option(help="Whose descriptions, where there are several.")] = None,
    prompt: Annotated[str | None, typer.Option(help="By which prompt, where there are several.")] = None,
    modality: Annotated[
        list[str] | None,
        typer.Option(help="text, title, description, words, image (default: all but words), or package.module:NAME."),
    ] = None,
    json_output: Json = False,
) -> None:
    """Turn titles, texts, descriptions and pictures into vectors; what has not changed is kept."""
    from viral.run.dataset import Dataset

    tables = Dataset.open(dataset).encode(*(modality or ()), describer=describer, prompt=prompt)
    if json_output:
        show_json({name: {"shape": list(t.values.shape), "encoder": t.encoder} for name, t in tables.items()})
        return
    for name, features in tables.items():
        show(f"{name}: {features.values.shape[0]:,} × {features.values.shape[1]} by {features.encoder}")
    show(f"next: viral train {dataset} --model viral --out runs/viral")
