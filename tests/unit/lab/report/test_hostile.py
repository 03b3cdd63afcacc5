"""Titles, descriptions and names come from strangers; none of them may become markup or break the page."""

import dataclasses
from pathlib import Path

import pytest

from viral.lab.report import Bar, BarChart, Curve, Curves, Estimate, Part, Ranking, Report, ShownItem
from viral.lab.report.palette import palette
from viral.lab.report.render import render_report

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '" onerror="alert(1)" x="',
    "single quotes": "' onmouseover='alert(1)",
    "closing": "</title></style></bdi></svg><img src=https://evil.example/x>",
    "comment": "<!-- ]]> -->",
    "template": "{{ 7 * 7 }}{% raw %}",
    "entity": "&lt;b&gt; &amp; &#60;",
    "nul": "a\x00b\x0cc",
    "surrogate": "a\ud800b",
    "override": "\u202egnp.exe\u202c",
    "arabic": "مرحبا بالعالم",
    "emoji": "👩‍👩‍👧‍👦 🇳🇴 👍🏽",
    "long word": "x" * 100_000,
    "long text": "word " * 20_000,
    "tower": "Z" + "\u0335" * 500,
}


NOT_FROM_STRANGERS = ("metrics", "chart_metric")  # keys of a ranking's numbers


def replaced(value, text, picture):
    """The same report with every string, down to the last part's name, set to ``text``, and one picture for all."""
    if isinstance(value, str):
        return text
    if isinstance(value, Path):
        return picture
    if isinstance(value, tuple):
        return tuple(replaced(item, text, picture) for item in value)
    if isinstance(value, dict):
        return {key: replaced(item, text, picture) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        kept = {name: fields.pop(name) for name in NOT_FROM_STRANGERS if isinstance(value, Ranking) and name in fields}
        return type(value)(**kept, **{name: replaced(item, text, picture) for name, item in fields.items()})
    return value


@pytest.fixture(scope="module")
def rendered(report, pictures):
    return lambda text: render_report(replaced(report, text, pictures[0]))


@pytest.fixture(scope="module")
def calm(rendered, parse):
    return parse(rendered("calm"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_made_of_hostile_text_has_the_same_elements(name, rendered, calm, parse):
    text = HOSTILE[name]
    markup = rendered(text)
    assert len(markup.encode("utf-8")) < 3_000_000
    page = parse(markup)
    assert [(n.tag, sorted(n.attributes)) for n in page.all()] == [(n.tag, sorted(n.attributes)) for n in calm.all()]
    shown = page.one("h1").text
    assert len(shown) <= 160
    assert not set("\x00\x0c\u202e\u202c") & set(page.text)
    if name in ("script", "attribute", "closing", "template", "entity", "emoji", "arabic"):
        assert shown == text and text in page.one("head").one("title").text


def test_no_part_of_a_long_title_is_hidden_in_the_page(rendered):
    assert "x" * 1300 not in rendered("x" * 100_000)


def test_an_item_without_a_title_goes_by_its_id(report, parse):
    nameless = parse(render_report(_with_titles(report, "  \n")))
    assert "i3" in nameless.one("article", class_="explained").one("h3").text
    assert all(node.text for node in nameless.all(class_="title"))


def _with_titles(value, title):
    if isinstance(value, ShownItem):
        return dataclasses.replace(value, title=title)
    if isinstance(value, tuple):
        return tuple(_with_titles(item, title) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, Estimate | Part):
        return type(value)(**{f.name: _with_titles(getattr(value, f.name), title) for f in dataclasses.fields(value)})
    return value


def test_numbers_that_are_none_do_not_break_a_chart(parse):
    nan, inf = float("nan"), float("inf")
    sections = (
        BarChart(
            heading="B",
            quantity="q",
            bars=(Bar(label="a", value=Estimate(nan)), Bar(label="b", value=Estimate(1, 0, inf))),
        ),
        Curves(
            heading="C",
            curves=(
                Curve(model="diverged", epochs=(1, 2), valid=(nan, nan), loss=(inf, nan)),
                Curve(model="flat", epochs=(1, 2), valid=(0.0, 0.0), loss=(3e38, 1e38)),
            ),
        ),
    )
    markup = render_report(Report(title="t", sections=sections))
    page = parse(markup)
    drawn = [value for node in page.all() for value in node.attributes.values()]
    assert not [value for value in drawn if "nan" in value.split() or "inf" in value or "nan%" in value]
    assert [node.text for node in page.all(class_="bar-value")] == ["–", "1.0000"]
    drawn_lines = page.one("svg", class_="wide").all("polyline", class_="line")
    assert [line.attributes["class"] for line in drawn_lines] == [f"line {palette(sections).tone('flat')}"]
