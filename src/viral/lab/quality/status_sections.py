"""What became of every item, in numbers, and a sheet of each kind to judge by eye."""

from collections.abc import Iterable, Mapping

import numpy as np

from viral.base.language import _, marked
from viral.base.provenance import commit
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.data.descriptions import overlaid
from viral.data.fetch import catalog_with_fetched
from viral.enrich import Description, Descriptions, load_edits
from viral.lab.report import ContactSheet, Described, Report, Section, ShownItem, Table

EACH = 8  # cards of a kind on a sheet
EDITED = marked("edited by hand")
NOTHING_IN_COMMON = marked("No item has a description by every prompt, so how good they are cannot be measured.")


def status_sections(
    catalog: Catalog, sets: Mapping[str, Descriptions], edits: Mapping[str, str], seed: int
) -> list[Section]:
    """The items of each set by status and by what is conspicuous; a sheet of a set where not all is plainly done."""
    rows = {prompt: overlaid(one.rows, edits) for prompt, one in sets.items()}
    counts = {prompt: _counts(found) for prompt, found in rows.items()}
    kinds = list(dict.fromkeys(kind for found in counts.values() for kind in found))
    named = tuple(_("prompt %(prompt)s", prompt=prompt) for prompt in sets)
    table = Table.of_numbers(
        _("What became of every item"),
        (_("kind"), *named),
        ((_(kind), *(f"{found.get(kind, 0):,}" for found in counts.values())) for kind in kinds),
        intro=_("By status. Conspicuous descriptions are done, and counted once for each thing that is conspicuous."),
    )
    sheets = [
        _sheet(catalog, sets[prompt], found, seed) for prompt, found in rows.items() if set(counts[prompt]) != {"done"}
    ]
    return [table, *sheets]


def status_report(dataset: Dataset, sets: Mapping[str, Descriptions], seed: int) -> Report:
    """A page of statuses alone, for sets that describe no item in common, so that nothing can be measured."""
    catalog = catalog_with_fetched(dataset)
    return Report(
        title=_("What became of every item"),
        subtitle=_("The descriptions of %(data)s, by status.", data=dataset.path.name),
        lede=_(NOTHING_IN_COMMON),
        facts=((_("items"), f"{len(catalog):,}"), (_("seed"), str(seed)), (_("commit"), commit())),
        sections=tuple(status_sections(catalog, sets, load_edits(dataset), seed)),
    )


def tags_of(row: Description) -> tuple[str, ...]:
    """The kinds that an item belongs to."""
    return (row.status, *([EDITED] if row.edited else []), *row.flags)


def _counts(rows: Iterable[Description]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for row in rows:
        for tag in tags_of(row):
            counted[tag] = counted.get(tag, 0) + 1
    return counted


def _sheet(catalog: Catalog, descriptions: Descriptions, rows: tuple[Description, ...], seed: int) -> ContactSheet:
    there = [row for row in rows if row.item_id in catalog]
    return ContactSheet(
        heading=_("Prompt %(prompt)s: by status", prompt=descriptions.prompt),
        cards=tuple(_card(catalog, row) for row in _some_of_each(there, seed)),
        describer=descriptions.describer,
        prompt=descriptions.prompt,
        caption=_("At least %(count)s items of every kind where there are as many, drawn by the seed.", count=EACH),
    )


def _some_of_each(rows: list[Description], seed: int) -> list[Description]:
    """A seeded sample of the rows of every kind, in their order."""
    generator = np.random.default_rng(seed)
    by_kind: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        for tag in tags_of(row):
            by_kind.setdefault(tag, []).append(number)
    chosen: set[int] = set()
    for numbers in by_kind.values():
        chosen |= set(generator.choice(numbers, min(EACH, len(numbers)), replace=False).tolist())
    return [rows[number] for number in sorted(chosen)]


def _card(catalog: Catalog, row: Description) -> Described:
    item = catalog[row.item_id]
    return Described(
        thing=ShownItem(item.id, item.title, item.image),
        description=row.text if row.status == "done" else "",
        problem=f"{row.status}: {row.error}" if row.error else row.status,
        tags=tags_of(row),
    )
