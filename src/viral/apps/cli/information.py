"""``viral information``: redundant, unique and synergistic information of the modalities."""

from pathlib import Path
from typing import Annotated, Any

import typer

from viral.apps.cli.options import Json, RunArgument
from viral.apps.cli.output import show, show_json, table, verb
from viral.base.errors import UsageError
from viral.lab.information.estimator_limits import LIMITS

LISTED = 5
HELP = (
    "Redundant, unique and synergistic information, in bits, that text and picture carry about users' choices. The"
    " document is kept as RUN/information.json, where `viral explain` and the page find it."
    "\n\n" + "\n\n".join(f"{name}: {text}" for name, text in LIMITS.items())
)


@verb
def information(
    run: RunArgument,
    clusters: Annotated[str, typer.Option(help="Numbers of cells of each source, by commas.")] = "4,8,16",
    groups: Annotated[int, typer.Option(help="Groups of users by preference, for the clustered estimate.")] = 4,
    text: Annotated[str | None, typer.Option(help="The modality of the words; else the run's.")] = None,
    visual: Annotated[str | None, typer.Option(help="The modality of the picture; else the run's.")] = None,
    correction: Annotated[
        str, typer.Option(help="For finite samples: permutation, extrapolation or none.")
    ] = "permutation",
    bootstrap: Annotated[int, typer.Option(help="Resamples of the users for the intervals.")] = 200,
    seed: Annotated[int, typer.Option(help="Repeats the measurement exactly.")] = 0,
    dataset: Annotated[Path | None, typer.Option(help="The data set, if it has moved since training.")] = None,
    json_output: Json = False,
) -> None:
    """What text and picture say about users' choices; ``HELP`` is the text of ``--help``."""
    from viral.lab.information.log_measures import InformationSettings
    from viral.lab.information.run_information import information as measured
    from viral.lab.study.result_files import write_results
    from viral.run.explain.information import FILE

    settings = InformationSettings(
        clusters=_numbers(clusters),
        groups=groups,
        correction=correction,
        bootstrap=bootstrap,
        seed=seed,
    )
    result = measured(run, settings, text=text, visual=visual, dataset=dataset)
    write_results(run / FILE, result)
    if json_output:
        show_json(result)
    else:
        show(render(result))
        show(f"\nkept in {run / FILE}, for `viral explain` and the page")


def _numbers(words: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(word) for word in words.split(",")}))
    except ValueError:
        raise UsageError(f"--clusters {words!r}", hint="whole numbers by commas, as in 4,8,16") from None


def render(result: dict[str, Any]) -> str:
    """The document for a human: tables, and the limits at the end."""
    sections = [
        f"Y: does a user choose an item; {result['target']['positives']:,} choices, each against one item not chosen."
        f" Text: {result['sources']['text']}; picture: {result['sources']['visual']}. All in bits [95 % interval].",
        *(_estimates(name, found) for name, found in result["estimates"].items()),
    ]
    if "planted" in result:
        sections.append(_truth(result["planted"]))
    if "parts" in result["model"]:
        sections += _model(result["model"])
    if "probes" in result.get("planted", {}):
        sections.append(_probes(result["planted"]["probes"]))
    sections.append(_items(result["items"]))
    limits = "\n".join(f"- {name}: {text}" for name, text in result["limits"].items())
    return "\n\n".join([*sections, "Limits\n" + limits])


PARTS = ("redundant", "unique_text", "unique_visual", "synergistic")


def _estimates(name: str, found: dict[str, Any]) -> str:
    method, _, negatives = name.partition("/")
    heading = {"scores": "Predicted scores, items held out", "clusters": "k-means cells, users in groups"}[method]
    rows, notes = [], []
    for count, estimate in found.items():
        if "refused" in estimate:
            notes.append(f"{count} cells: refused, {estimate['refused']}")
            continue
        for definition in ("broja", "common"):
            if parts := estimate[definition]:
                cells = [f"{p['bits']:.4f} [{p['low']:.4f}, {p['high']:.4f}]" for p in (parts[part] for part in PARTS)]
                rows.append([f"{count} cells, {definition}", *cells])
    lines = [f"{heading}; negatives {negatives}"]
    if rows:
        lines.append(table(["", *(part.replace("_", " ") for part in PARTS)], rows))
    return "\n".join([*lines, *notes])


def _truth(planted: dict[str, Any]) -> str:
    rows: list[list[Any]] = [["planted weights", *planted["weights"].values()]]
    rows += [[name, *(parts[part] for part in PARTS)] for name, parts in planted["truth"].items()]
    return "The planted truth, exactly\n" + table(["", *(part.replace("_", " ") for part in PARTS)], rows)


def _model(model: dict[str, Any]) -> list[str]:
    parts = [[name, part["mean_absolute"], part["share"]] for name, part in model["parts"].items()]
    names = ("text", "visual", "linear", "products", "either", "interaction")
    held = [[name, *(found[key] for key in names)] for name, found in model["branches"].items()]
    return [
        "The model's own parts, over held-out choices\n" + table(["part", "mean |contribution|", "share"], parts),
        "What each branch can be predicted from (R² on held-out items): text alone, picture alone, both added, with"
        "\nproducts; either = text + visual - linear (agreement), interaction = products - linear (synergy proper)\n"
        + table(["branch", *names], held),
    ]


def _probes(found: dict[str, Any]) -> str:
    attributes = list(next(iter(found.values())))
    rows = []
    for branch, by_attribute in found.items():
        read = (by_attribute[name] for name in attributes)
        rows.append([branch, *(f"{max(p['linear'], p['nonlinear']):.2f} ({p['chance']:.2f})" for p in read)])
    return "What is read from each branch: accuracy on held-out items (chance)\n" + table(["branch", *attributes], rows)


def _items(items: list[dict[str, Any]]) -> str:
    rows = [
        [row["item_id"], row["pairs"], *(row["common"][part] for part in PARTS), row["title"]] for row in items[:LISTED]
    ]
    heading = ["item", "pairs", *(part.replace("_", " ") for part in PARTS), "title"]
    return f"Items with the most information about choices (all {len(items):,} with --json), common part\n" + table(
        heading, rows
    )
