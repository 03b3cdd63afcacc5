"""Maps of items as inline SVG: small multiples, one dot an item, tone and shape by group.

A group's dots are one path of strokes without length, whose round or square ends are the dots: a tenth of the bytes
that an element for each would take.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup

from viral.base.language import _
from viral.lab.report.chart_sections import Cloud
from viral.lab.report.figures.svg import drawing, element
from viral.lab.report.wording import shown

SIDE, MARGIN = 320, 10
LARGEST, SMALLEST = 8.0, 3.0  # dots, in the units of SIDE: fewer items are larger
SQUARE = 0.8  # of a disc's width, so that both look alike in size
TONES, SHAPES = 8, ("round", "square")
STYLES = TONES * len(SHAPES)  # groups that can be told apart; later ones look like "no group"


def style_of(group: int) -> str:
    """The style sheet's classes of a group: tones first, each round, then square; grey beyond and for none."""
    if not 0 <= group < STYLES:
        return "dots round tone-none"
    return f"dots {SHAPES[group // TONES]} tone-{group % TONES + 1}"


def swatch(group: int) -> Markup:
    """The dot of a group for the legend."""
    return element("svg", _dots(group, "M7 7h.01", 10), viewBox="0 0 14 14", width=14, height=14, aria_hidden="true")


def cloud_map(cloud: Cloud, groups: Sequence[str], *, key: str) -> Markup:
    """One map; ``key`` makes the ids of title and description unique on the page.

    Points that are no numbers are left out; where all are, the markup is empty.
    """
    finite = [(x, y, g) for (x, y), g in zip(cloud.points, cloud.groups, strict=True) if math.isfinite(x + y)]
    if not finite:
        return Markup("")
    left, right = min(x for x, _, _ in finite), max(x for x, _, _ in finite)
    low, high = min(y for _, y, _ in finite), max(y for _, y, _ in finite)
    scale = (SIDE - 2 * MARGIN) / (max(right - left, high - low) or 1.0)
    middle_x, middle_y = (left + right) / 2, (low + high) / 2
    width = min(LARGEST, max(SMALLEST, 120 / math.sqrt(len(finite))))
    places: dict[int, list[str]] = {}
    for x, y, group in finite:
        across, down = SIDE / 2 + (x - middle_x) * scale, SIDE / 2 - (y - middle_y) * scale
        places.setdefault(group, []).append(f"M{across:.1f} {down:.1f}h.01")
    return drawing(
        (_dots(group, "".join(places[group]), width) for group in sorted(places)),
        key=key,
        title=_("Map of %(name)s", name=shown(cloud.label, 60)),
        description=_description(places, groups),
        size=(SIDE, SIDE),
        classes="cloud",
    )


def _dots(group: int, path: str, width: float) -> Markup:
    size = width * (SQUARE if "square" in style_of(group) else 1)
    return element("path", class_=style_of(group), stroke_width=size, d=path)


def _description(places: dict[int, list[str]], groups: Sequence[str]) -> str:
    count = sum(map(len, places.values()))
    named = [f"{shown(groups[group], 40)} {len(dots)}" for group, dots in sorted(places.items()) if group >= 0]
    return _("%(items)s items. By group: %(groups)s.", items=count, groups=", ".join(named) or _("none"))
