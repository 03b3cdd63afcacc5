"""The colours of both themes, measured: WCAG 2.2 asks 4.5 of text and 3 of what a chart draws."""

import re

import pytest

from viral.lab.report import STYLES, style

CSS = style(*STYLES)
TEXT_ON_PAGE = ["ink", "soft", "main", *(f"tone-{n}" for n in range(1, 9))]
SHAPES = ["main", "firm", "part-1", "part-2", "part-3", "part-4", "part-other", *(f"tone-{n}" for n in range(1, 9))]
INSIDE = [(f"on-{name}", f"part-{name}") for name in ("1", "2", "3", "4", "other")]


def theme(block):
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


LIGHT = theme(CSS.split("@media")[0])
DARK = theme(re.search(r"prefers-color-scheme: dark\) \{(.*?)\n\}", CSS, re.S).group(1))
THEMES = {"light": LIGHT, "dark": DARK, "print": LIGHT | {"page": "#ffffff"}}


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first, second):
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", THEMES)
def test_contrast(name):
    colours = THEMES[name]
    assert set(LIGHT) == set(DARK)
    low = {text: contrast(colours[text], colours["page"]) for text in TEXT_ON_PAGE}
    low |= {f"{text} in a well": contrast(colours[text], colours["well"]) for text in ("ink", "soft")}
    low |= {f"{text} on {part}": contrast(colours[text], colours[part]) for text, part in INSIDE}
    assert not {pair: ratio for pair, ratio in low.items() if ratio < 4.5}
    shapes = {shape: contrast(colours[shape], colours["page"]) for shape in SHAPES}
    assert not {shape: ratio for shape, ratio in shapes.items() if ratio < 3}


def test_neighbouring_parts_differ_in_lightness_or_are_parted_by_a_line():
    assert ".stack .fill { stroke: var(--page)" in CSS


def test_every_colour_that_is_used_is_defined():
    used = set(re.findall(r"var\(--([\w-]+)\)", CSS)) - {"serif", "sans", "mono"}
    assert used == set(LIGHT)


def test_every_class_of_the_page_is_known_to_the_style_sheet(page):
    styled = set(re.findall(r"\.([a-z][\w-]*)", CSS))
    worn = {word for node in page.all() for word in node.attributes.get("class", "").split()}
    assert worn - styled <= {"ranking", "start"}  # the first is a hook, the second what SVG does anyway
