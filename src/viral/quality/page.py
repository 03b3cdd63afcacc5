"""The report of ``viral enrich --report``: what was measured of the descriptions, and a sheet of them to look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from viral.catalog import Catalog
from viral.dataset import Dataset
from viral.enrich import Descriptions, load_edits
from viral.fetch import catalog_with_fetched
from viral.provenance import commit
from viral.quality.measure import Quality
from viral.quality.prompts import PLAIN, TITLE
from viral.quality.statuses import status_sections
from viral.quality.tables import agreement_tables, planted_sections
from viral.report import ContactSheet, Described, NextSteps, Notes, Report, Section, Step, Thing, write_report
from viral.report.wording import percent

CARDS = 24  # pictures on a sheet; with every prompt's sheet a page stays well below three megabytes
PIXEL = "the pixel describer ({}), which is not a vision-language model"


def write_quality_report(path: Path, dataset: Dataset, sets: Mapping[str, Descriptions], quality: Quality) -> Path:
    """Write the page to ``path``, atomically, and return ``path``."""
    return write_report(path, quality_report(dataset, sets, quality))


def quality_report(dataset: Dataset, sets: Mapping[str, Descriptions], quality: Quality) -> Report:
    """The measurements and a seeded sample of the descriptions as one report."""
    catalog = catalog_with_fetched(dataset)
    sections: list[Section] = []
    if quality.planted is not None:
        sections += planted_sections(quality.planted)
    sections += agreement_tables(quality)
    sections += status_sections(catalog, sets, load_edits(dataset), quality.seed)
    shown = _sample(quality.sample, quality.seed)
    sections += [_sheet(catalog, one, shown) for one in reversed(list(sets.values()))]
    sections += [_notes(sets, quality, len(catalog)), _next(dataset.path, sets)]
    return Report(
        title="How good the descriptions are",
        subtitle=f"What was said of the pictures of {dataset.path.name}, against "
        + ("what was drawn in them, and against the titles." if quality.planted is not None else "their titles."),
        lede=finding(quality),
        facts=(
            ("items", f"{len(catalog):,}"),
            *((f"described, prompt {prompt}", f"{count:,}") for prompt, count in quality.described.items()),
            ("compared", f"{len(quality.sample):,}"),
            ("seed", str(quality.seed)),
            ("commit", commit()),
        ),
        sections=tuple(sections),
    )


def finding(quality: Quality) -> str:
    """The result in a sentence or two."""
    guided = TITLE if TITLE in quality.describers else list(quality.describers)[-1]
    if quality.planted is not None and guided in quality.planted.gains:
        exact, right = (quality.planted.gains[guided][name] for name in ("exact", "right"))
        gained = f": {percent(exact.relative, 0, signed=True)}" if exact.plain else ""
        return (
            f"With prompt {guided}, the product's colour, pattern and tag are named, and no other value of them, in"
            f" {percent(exact.guided)} of the cases; with prompt {PLAIN} in {percent(exact.plain)}{gained}. They are"
            f" named at all in {percent(right.guided)} and {percent(right.plain)}: what differs is what else is named."
        )
    if quality.planted is not None:
        exact_share = quality.planted.summaries[guided]["exact"]
        return (
            f"With prompt {guided}, the product's colour, pattern and tag are named, and no other value of them, in"
            f" {percent(exact_share)} of the cases."
        )
    if guided in quality.agreement:
        found = quality.agreement[guided]["as_said"]
        return (
            f"A description (prompt {guided}) is nearer to its own title than to another item's in"
            f" {percent(found.nearer)} of the pairs; half would be chance."
        )
    return "The items have no titles that descriptions could be compared with."


def _sample(item_ids: Sequence[str], seed: int) -> list[str]:
    """The items on the sheets, in the catalogue's order; the same for every prompt."""
    count = min(CARDS, len(item_ids))
    return [item_ids[row] for row in sorted(np.random.default_rng(seed).choice(len(item_ids), count, replace=False))]


def _sheet(catalog: Catalog, descriptions: Descriptions, shown: Sequence[str]) -> ContactSheet:
    name = descriptions.describer
    return ContactSheet(
        heading=f"Prompt {descriptions.prompt}: pictures and words",
        cards=tuple(
            Described(
                thing=Thing(item_id, catalog[item_id].title, catalog[item_id].image),
                description=descriptions.texts[item_id],
            )
            for item_id in shown
        ),
        describer=PIXEL.format(name) if name.partition("/")[0] == "pixel" else name,
        prompt=descriptions.prompt,
        caption=f"{len(shown)} items, drawn by the seed; the same for every prompt.",
    )


def _notes(sets: Mapping[str, Descriptions], quality: Quality, total: int) -> Notes:
    notes = [
        f"Compared are the {len(quality.sample):,} items that every prompt described"
        + (f", a seeded sample of {quality.shared:,}." if len(quality.sample) < quality.shared else ".")
    ]
    for prompt, one in sets.items():
        absent = {status: count for status, count in one.counts.items() if status != "done" and count}
        if absent:
            told = ", ".join(f"{count:,} {status}" for status, count in absent.items())
            notes.append(f"Prompt {prompt} has no description of {sum(absent.values()):,} of {total:,} items: {told}.")
    if len(set(quality.describers.values())) > 1:
        told = ", ".join(f"{prompt} by {name}" for prompt, name in quality.describers.items())
        notes.append(f"The sets were made by different revisions of the describer: {told}.")
    if quality.planted is not None:
        notes.append(
            "Values are found by words, without grammar: a text that names the colours of two things has named two."
            " A reader who knows the title may still tell them apart; a sentence vector does so less (the table of"
            " what is read from the vectors)."
        )
    if quality.agreement:
        notes.append(
            "Agreement with the title is no proof of a good description: one that copies the title agrees best, and a"
            " prompt with the title invites that. The rows without the titles' words show what is left of it. A"
            " description may also be right and agree little: titles seldom tell what can be seen."
        )
    return Notes(heading="What to keep in mind", notes=tuple(notes))


def _next(path: Path, sets: Mapping[str, Descriptions]) -> NextSteps:
    steps = []
    first = next(iter(sets.values()))
    describer = first.describer.partition("/")[0]
    ask = f"import --set file=WORDS.csv --set describer={describer}" if first.imported else describer
    for prompt, what in ((TITLE, "descriptions that know the title"), (PLAIN, "descriptions that do not")):
        if prompt not in sets:
            command = f"viral enrich {path} --describer {ask} --prompt {prompt} --report PATH"
            steps.append(Step(command=command, what=f"{what}, beside these in the same report"))
    prompt = TITLE if TITLE in sets else next(iter(sets))
    encode = f"viral encode {path} --describer {describer} --prompt {prompt}"
    steps.append(Step(command=encode, what="descriptions to vectors that a model trains on"))
    steps.append(Step(command=f"viral map {path} --out map.html", what="where the items lie, before and after"))
    return NextSteps(heading="What to type next", steps=tuple(steps))
