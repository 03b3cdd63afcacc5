"""The page of ``viral map``: the maps beside each other, and the measures that the maps only hint at."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from viral.base.language import _, marked, n_
from viral.base.provenance import commit
from viral.data.dataset import Dataset
from viral.evaluation import PairedTest
from viral.lab.quality.cluster_names import EVERYTHING, UNNAMED
from viral.lab.quality.modality_maps import ItemMap, ModalityMap
from viral.lab.quality.modality_vectors import BEFORE, LABELS, WORDS
from viral.lab.report import Cloud, NextSteps, Notes, Report, Scatter, Section, Table, write_report
from viral.lab.report.figures.item_map import STYLES
from viral.lab.report.wording import fixed, percent

GROUPINGS = (
    marked("category"),
    marked("cluster"),
    marked("colour"),
    marked("pattern"),
    marked("tag"),
    marked("origin"),
)
METHODS = {"pca": marked("principal components"), "tsne": "t-SNE (openTSNE)"}


def write_map(path: Path, dataset: Dataset, found: ItemMap) -> Path:
    """Write the page to ``path``, atomically, and return ``path``."""
    return write_report(path, map_report(dataset, found))


def map_report(dataset: Dataset, found: ItemMap) -> Report:
    """The maps and their measures as one report."""
    sections: list[Section] = [_scatter(found)]
    if measured := [place for place in found.places if found.by in place.clusters]:
        sections.append(_measures(found, measured))
    if any(len(place.clusters) > 1 for place in found.places):
        sections.append(_groupings(found))
    sections += [_notes(found), _next_steps(dataset.path, found)]
    return Report(
        title=_("Where the items lie"),
        subtitle=_(
            "The items of %(data)s by each of their modalities, coloured by %(group)s.",
            data=dataset.path.name,
            group=_by(found),
        ),
        lede=finding(found),
        facts=(
            (_("items"), f"{len(found.item_ids):,}"),
            (_("groups (%(group)s)", group=_by(found)), str(len({*found.labels} - {None}))),
            (_("method"), _(METHODS[found.method])),
            (_("seed"), str(found.seed)),
            (_("commit"), commit()),
        ),
        sections=tuple(sections),
    )


def _by(found: ItemMap) -> str:
    """What the items are grouped by, in words."""
    return _(found.by) if found.by in GROUPINGS else found.by


def finding(found: ItemMap) -> str:
    """The result in a sentence: before, after, and chance."""
    if found.clustered:
        space = _(LABELS[found.clustered]) if found.clustered in LABELS else found.clustered
        return _(
            "The groups are clusters of the vectors “%(space)s”, named by the words that set each apart from the"
            " others. They are drawn and not measured: it is these vectors that made them.",
            space=space,
        )
    measured = {place.space.name: place.clusters[found.by] for place in found.places if found.by in place.clusters}
    if not measured:
        return _("The items have no groups by %(group)s: they are drawn, and not measured.", group=_by(found))
    first = next(iter(measured.values()))
    names = {
        BEFORE: _("the picture's features"),
        f"{WORDS}title": _("what was said of it, knowing the title"),
        "description": _("the description with the title"),
        "title": _("the title alone"),
    }
    known = {name: words for name, words in names.items() if name in measured} or {name: name for name in measured}
    told = [
        _("%(share)s by %(words)s", share=percent(measured[name].purity, 0), words=words)
        for name, words in known.items()
    ]
    return _(
        "Nearest neighbours of the same %(group)s: %(shares)s. Neighbours drawn at random: %(chance)s. (%(neighbours)s"
        " neighbours of each of %(items)s items.)",
        group=_by(found), shares=", ".join(told), chance=percent(first.chance, 0), neighbours=first.neighbours,
        items=f"{first.items:,}",
    )  # fmt: skip


def _scatter(found: ItemMap) -> Scatter:
    counts = Counter(label for label in found.labels if label is not None)
    names = [name for name, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    index = {name: min(place, STYLES) for place, name in enumerate(names)}
    legend = [_(name) if found.clustered and name in (UNNAMED, EVERYTHING) else name for name in names[:STYLES]]
    if len(names) > STYLES:
        legend.append(n_("%(number)s smaller group", "%(number)s smaller groups", len(names) - STYLES))
    codes = tuple(-1 if label is None else index[label] for label in found.labels)
    made = _("Made by %(method)s from vectors of length one, every map by itself.", method=_(METHODS[found.method]))
    absent = codes.count(-1)
    grey = _("Grey: %(items)s items without a %(group)s.", items=f"{absent:,}", group=_by(found)) if absent else ""
    return Scatter(
        heading=_("Maps"),
        groups=tuple(legend),
        clouds=tuple(
            Cloud(
                label=place.space.label,
                points=tuple((float(x), float(y)) for x, y in place.projection.points),
                groups=codes,
                note=_note(place, found.by),
            )
            for place in found.places
        ),
        caption=f"{made} {grey}".rstrip(),
        intro=_(
            "A map of hundreds of dimensions in two bends or hides most distances. The numbers below are measured in"
            " the whole space."
        ),
    )


def _note(place: ModalityMap, by: str) -> str:
    said = []
    if by in place.clusters:
        said.append(_("neighbour purity %(share)s", share=percent(place.clusters[by].purity, 0)))
    if place.projection.explained is not None:
        said.append(_("shows %(share)s of the variance", share=percent(place.projection.explained, 0)))
    return ", ".join(said)


def _measures(found: ItemMap, measured: Sequence[ModalityMap]) -> Table:
    first = measured[0].clusters[found.by]
    rows = [
        (
            place.space.label,
            percent(place.clusters[found.by].purity),
            _difference(place.against_image),
            fixed(place.clusters[found.by].silhouette, 3),
            str(place.space.vectors.shape[1]),
        )
        for place in measured
    ]
    measures = _("neighbour purity"), _("more than the picture [95 %]"), _("silhouette"), _("dimensions")
    return Table.of_numbers(
        _("Clusters by %(group)s", group=_by(found)),
        (_("modality"), *measures),
        rows,
        caption=_(
            "%(items)s items in %(groups)s groups; chance %(chance)s. Neighbour purity: the share of an item's"
            " %(neighbours)s nearest items, by cosine, that are of its group. Silhouette: from -1 to 1, how much nearer"
            " the own group is than the next one, by 1 - cosine. Differences are paired by item, with a bootstrap"
            " interval.",
            items=f"{first.items:,}",
            groups=first.groups,
            chance=percent(first.chance),
            neighbours=first.neighbours,
        ),
    )


def _difference(test: PairedTest | None) -> str:
    if test is None:
        return "–"
    ends = f"[{percent(test.low, signed=True)}, {percent(test.high, signed=True)}]"
    return f"{percent(test.difference, signed=True)} {ends}"


def _groupings(found: ItemMap) -> Table:
    names = list(dict.fromkeys(name for place in found.places for name in place.clusters))
    rows = [(one.space.label, *(_purity(one, name) for name in names)) for one in found.places]
    rows.append((_("chance"), *(_chance(found.places, name) for name in names)))
    return Table.of_numbers(
        _("Neighbour purity by every group"),
        (_("modality"), *(_(name) if name in GROUPINGS else name for name in names)),
        rows,
        caption=_("The same measure for everything that is known of the items: what makes items neighbours?"),
    )


def _purity(place: ModalityMap, name: str) -> str:
    return percent(place.clusters[name].purity) if name in place.clusters else "–"


def _chance(places: Sequence[ModalityMap], name: str) -> str:
    return percent(next(place.clusters[name].chance for place in places if name in place.clusters))


def _notes(found: ItemMap) -> Notes:
    """What the maps do not show."""
    there = {place.space.name for place in found.places}
    count, shared = f"{len(found.item_ids):,}", f"{found.shared:,}"
    told = [
        _(
            "All modalities are compared on the same %(items)s items, a seeded sample of the %(shared)s that have all"
            " of them.",
            items=count, shared=shared,
        )
        if found.shared > len(found.item_ids)
        else _("All modalities are compared on the same %(items)s items: those that have all of them.", items=count)
    ]  # fmt: skip
    if "description" in there or "description-plain" in there:
        told.append(
            _(
                "A description's table encodes the title together with what was said of the picture. Where the title"
                " tells the group, it is near its like for that reason; the words alone and the title alone are shown"
                " beside it."
            )
        )
    if f"{WORDS}title" in there:
        told.append(_("A prompt with the title lets a describer repeat it; the words of the plain prompt cannot."))
    told.append(
        _(
            "High purity by one grouping leaves less room for the others: neighbours by object are seldom neighbours by"
            " colour. A low value is no fault of the words by itself."
        )
    )
    return Notes(heading=_("What to keep in mind"), notes=tuple(told))


def _next_steps(path: Path, found: ItemMap) -> NextSteps:
    """The modalities that are missing, and how good the descriptions are."""
    there = {place.space.name for place in found.places}
    steps = [
        (command.format(path), what)
        for name, command, what in (
            (BEFORE, "viral encode {} --modality image", _("the picture's own features: the map before")),
            (f"{WORDS}title", "viral enrich {} --prompt title", _("what is said of the pictures, knowing the title")),
            (f"{WORDS}plain", "viral enrich {} --prompt plain", _("what is said without it")),
            (
                "description",
                "viral encode {} --prompt title",
                _("the descriptions that a model trains on: the map after"),
            ),
            ("title", "viral encode {} --modality title", _("the title alone, to compare with")),
        )
        if name not in there
    ]
    steps.append((f"viral enrich {path} --report quality.html", _("how good the descriptions are")))
    return NextSteps(heading=_("What to type next"), steps=tuple(steps))
