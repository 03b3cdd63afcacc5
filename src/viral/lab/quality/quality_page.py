"""The report of ``viral enrich --report``: what was measured of the descriptions, and a sheet of them to look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from viral.base.language import _, marked
from viral.base.provenance import commit
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.data.fetch import catalog_with_fetched
from viral.enrich import Descriptions, load_edits
from viral.lab.quality.modality_vectors import sampled
from viral.lab.quality.named_attributes import Box, product_boxes
from viral.lab.quality.quality_measures import PLAIN, TITLE, Quality
from viral.lab.quality.quality_tables import agreement_tables, planted_sections
from viral.lab.quality.status_sections import status_sections
from viral.lab.report import (
    ContactSheet,
    Described,
    NextSteps,
    Notes,
    Report,
    Section,
    ShownItem,
    write_report,
)
from viral.lab.report.wording import percent

CARDS = 24  # pictures on a sheet; with every prompt's sheet a page stays well below three megabytes
PIXEL = marked("the pixel describer (%(name)s), which is not a vision-language model")


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
    shown = sampled(quality.sample, CARDS, quality.seed)  # the same for every prompt
    boxes = product_boxes(dataset)
    sections += [_sheet(catalog, one, shown, boxes) for one in reversed(list(sets.values()))]
    sections += [_notes(sets, quality, len(catalog)), _next(dataset.path, sets)]
    return Report(
        title=_("How good the descriptions are"),
        subtitle=_(
            "What was said of the pictures of %(data)s, against what was drawn in them, and against the titles.",
            data=dataset.path.name,
        )
        if quality.planted is not None
        else _("What was said of the pictures of %(data)s, against their titles.", data=dataset.path.name),
        lede=finding(quality),
        facts=(
            (_("items"), f"{len(catalog):,}"),
            *(
                (_("described, prompt %(prompt)s", prompt=prompt), f"{count:,}")
                for prompt, count in quality.described.items()
            ),
            (_("compared"), f"{len(quality.sample):,}"),
            (_("seed"), str(quality.seed)),
            (_("commit"), commit()),
        ),
        sections=tuple(sections),
    )


def finding(quality: Quality) -> str:
    """The result in a sentence or two."""
    guided = TITLE if TITLE in quality.describers else list(quality.describers)[-1]
    if quality.planted is not None and guided in quality.planted.gains:
        exact, right = (quality.planted.gains[guided][name] for name in ("exact", "right"))
        gained = f" ({percent(exact.relative, 0, signed=True)})" if exact.plain else ""
        return _(
            "With prompt %(guided)s, the product's colour, pattern and tag are named, and no other value of them, in"
            " %(exact)s of the cases%(gained)s; with prompt %(plain)s in %(plainly)s. They are named at all in"
            " %(right)s and %(right_plainly)s: what differs is what else is named.",
            guided=guided, exact=percent(exact.guided), gained=gained, plain=PLAIN, plainly=percent(exact.plain),
            right=percent(right.guided), right_plainly=percent(right.plain),
        )  # fmt: skip
    if quality.planted is not None:
        exact_share = quality.planted.summaries[guided]["exact"]
        return _(
            "With prompt %(prompt)s, the product's colour, pattern and tag are named, and no other value of them, in"
            " %(share)s of the cases.",
            prompt=guided, share=percent(exact_share),
        )  # fmt: skip
    if guided in quality.agreement:
        found = quality.agreement[guided]["as_said"]
        return _(
            "A description (prompt %(prompt)s) is nearer to its own title than to another item's in %(share)s of the"
            " pairs; half would be chance.",
            prompt=guided, share=percent(found.nearer),
        )  # fmt: skip
    return _("The items have no titles that descriptions could be compared with.")


def _sheet(
    catalog: Catalog, descriptions: Descriptions, shown: Sequence[str], boxes: Mapping[str, Box]
) -> ContactSheet:
    name = descriptions.describer
    return ContactSheet(
        heading=_("Prompt %(prompt)s: pictures and words", prompt=descriptions.prompt),
        cards=tuple(
            Described(
                thing=ShownItem(item_id, catalog[item_id].title, catalog[item_id].image, boxes.get(item_id)),
                description=descriptions.texts[item_id],
            )
            for item_id in shown
        ),
        describer=_(PIXEL, name=name) if name.partition("/")[0] == "pixel" else name,
        prompt=descriptions.prompt,
        caption=_("%(count)s items, drawn by the seed; the same for every prompt.", count=len(shown)),
    )


def _notes(sets: Mapping[str, Descriptions], quality: Quality, total: int) -> Notes:
    count, shared = f"{len(quality.sample):,}", f"{quality.shared:,}"
    notes = [_("Compared are the %(count)s items that every prompt described.", count=count)]
    if len(quality.sample) < quality.shared:
        notes.append(_("They are a seeded sample of %(shared)s.", shared=shared))
    for prompt, one in sets.items():
        absent = {status: count for status, count in one.counts.items() if status != "done" and count}
        if absent:
            told = ", ".join(f"{count:,} {_(status)}" for status, count in absent.items())
            notes.append(
                _(
                    "Prompt %(prompt)s has no description of %(absent)s of %(total)s items: %(told)s.",
                    prompt=prompt, absent=f"{sum(absent.values()):,}", total=f"{total:,}", told=told,
                )
            )  # fmt: skip
    if len(set(quality.describers.values())) > 1:
        told = ", ".join(_("%(name)s by %(encoder)s", name=p, encoder=name) for p, name in quality.describers.items())
        notes.append(_("The sets were made by different revisions of the describer: %(told)s.", told=told))
    if quality.planted is not None:
        notes.append(
            _(
                "Values are found by words, without grammar: a text that names the colours of two things has named two."
                " A reader who knows the title may still tell them apart; a sentence vector does so less (the table of"
                " what is read from the vectors)."
            )
        )
    if quality.agreement:
        notes.append(
            _(
                "Agreement with the title is no proof of a good description: one that copies the title agrees best, and"
                " a prompt with the title invites that. The rows without the titles' words show what is left of it. A"
                " description may also be right and agree little: titles seldom say what can be seen."
            )
        )
    return Notes(heading=_("What to keep in mind"), notes=tuple(notes))


def _next(path: Path, sets: Mapping[str, Descriptions]) -> NextSteps:
    steps = []
    first = next(iter(sets.values()))
    describer = first.describer.partition("/")[0]
    ask = f"import --set file=WORDS.csv --set describer={describer}" if first.imported else describer
    for prompt, what in (
        (TITLE, _("descriptions that know the title, beside these in the same report")),
        (PLAIN, _("descriptions that do not, beside these in the same report")),
    ):
        if prompt not in sets:
            command = f"viral enrich {path} --describer {ask} --prompt {prompt} --report PATH"
            steps.append((command, what))
    prompt = TITLE if TITLE in sets else next(iter(sets))
    encode = f"viral encode {path} --describer {describer} --prompt {prompt}"
    steps.append((encode, _("descriptions to vectors that a model trains on")))
    steps.append((f"viral map {path} --out map.html", _("where the items lie, before and after")))
    return NextSteps(heading=_("What to type next"), steps=tuple(steps))
