"""What a reader of ``viral map`` should know, and what to type next."""

from pathlib import Path

from viral.base.language import _
from viral.lab.quality.maps import ItemMap
from viral.lab.quality.spaces import BEFORE, WORDS
from viral.lab.report import NextSteps, Notes, Step


def notes(found: ItemMap) -> Notes:
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


def next_steps(path: Path, found: ItemMap) -> NextSteps:
    """The modalities that are missing, and how good the descriptions are."""
    there = {place.space.name for place in found.places}
    steps = [
        Step(command=command.format(path), what=what)
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
    steps.append(Step(command=f"viral enrich {path} --report quality.html", what=_("how good the descriptions are")))
    return NextSteps(heading=_("What to type next"), steps=tuple(steps))
