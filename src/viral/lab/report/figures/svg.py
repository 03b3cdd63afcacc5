"""SVG elements as escaped markup, and a drawing that says in words what it shows."""

from collections.abc import Iterable

from markupsafe import Markup, escape


def element(name: str, *children: str, **attributes: str | float) -> Markup:
    """``<name …>children</name>``; texts and attribute values are escaped, numbers written with two decimals.

    Attribute names take ``_`` for ``-`` (``stroke_width``); a trailing one is dropped (``class_``).
    """
    pairs = []
    for key, value in attributes.items():
        text = value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
        pairs.append(Markup(' {}="{}"').format(Markup(key.rstrip("_").replace("_", "-")), text))
    return Markup("<{0}{1}>{2}</{0}>").format(
        Markup(name), Markup("").join(pairs), Markup("").join(map(escape, children))
    )


def drawing(
    shapes: Iterable[Markup], *, key: str, title: str, description: str, size: tuple[int, int], classes: str
) -> Markup:
    """An ``<svg>`` with a title and a description for those who listen; ``key`` makes their ids unique on the page."""
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", description, id=f"{key}-desc"),
        *shapes,
        class_=classes,
        viewBox=f"0 0 {size[0]} {size[1]}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
    )


def at(per_cent: float) -> str:
    """A place or a length in per cent of the width of a drawing that has no view box."""
    return f"{per_cent:.3f}%"


def upright(classes: str, place: float) -> Markup:
    """A line from top to bottom at a place in per cent."""
    return element("line", class_=classes, x1=at(place), x2=at(place), y1="0", y2="100%")
