"""One colour a model: in every chart of a page, and VIRAL's everywhere."""

import re

import pytest

from viral.lab.report import (
    Bar,
    BarChart,
    Curve,
    Curves,
    Estimate,
    Grid,
    GridCell,
    GridRow,
    Ranking,
    RankingRow,
    Report,
    Tradeoff,
    TradeoffPoint,
    render_report,
    style,
)
from viral.lab.report.palette import palette

MODELS = ("ease", "LightGCN", "viral", "my own model", "popularity")
ZOO = tuple(f"model {number}" for number in range(29))


def ranking(names):
    rows = tuple(
        RankingRow(model=name, metrics={"recall@20": Estimate(0.1)}, highlight=name == "ease") for name in names
    )
    return Ranking(heading="R", rows=rows, command="c", data="d", seeds=(0,), commit="c")


def sections(names):
    curve = [Curve(model=name, epochs=(1, 2), valid=(0.1, 0.2), loss=(2.0, 1.0)) for name in names]
    cells = (GridCell(value=Estimate(0.1)),)
    return (
        ranking(names),
        BarChart(heading="D", quantity="q", models=True, bars=tuple(Bar(label=n, value=Estimate(0.1)) for n in names)),
        Grid(heading="G", columns=(("all", ""),), rows=tuple(GridRow(label=name, cells=cells) for name in names)),
        Curves(heading="C", curves=tuple(curve)),
        Tradeoff(
            heading="T", quantity="q", cost="c",
            points=tuple(TradeoffPoint(label=n, seconds=1.0 + k, value=Estimate(0.1)) for k, n in enumerate(names)),
        ),
    )  # fmt: skip


def tone(node):
    return " ".join(
        word for word in node.attributes["class"].split() if re.fullmatch(r"main|kin-\d|tone-\d|again", word)
    )


def test_a_model_has_the_same_tone_in_every_chart_of_a_page(parse):
    page = parse(render_report(Report(title="T", sections=sections(MODELS))))
    expected = palette(sections(MODELS))
    for number in (1, 2, 3):
        bars = page.one(id=f"section-{number}").all("rect", class_="fill")
        assert [tone(bar) for bar in bars] == [expected.tone(name) for name in MODELS]
    for number in (4, 5):
        names = page.one(id=f"section-{number}").one("svg", class_="wide").all("text", class_="name")
        assert {text.text: tone(text) for text in names} == {name: expected.tone(name) for name in MODELS}
    assert len({expected.tone(name) for name in MODELS}) == len(MODELS)


@pytest.mark.parametrize("name", ["viral", "VIRAL", "VIRAL (full)", "viral-light", "Viral2"])
def test_viral_is_main_whatever_it_is_compared_with(name):
    for others in ((), ("lightgcn",), ZOO):
        assert palette([ranking((*others, name))]).tone(name) == "main"


def test_viral_under_another_name_is_viral_where_the_page_says_so(parse):
    assert palette([ranking(("tuned", "ease"))], ours=("tuned",)).tone("tuned") == "main"
    markup = render_report(Report(title="T", sections=(ranking(("tuned", "ease")),), ours=("tuned",)))
    assert [row.attributes.get("class") for row in parse(markup).one("tbody").all("tr")] == ["ours", "reference"]


def test_variants_of_viral_share_its_colour_and_are_drawn_otherwise():
    found = palette([ranking(("VIRAL, text only", "VIRAL", "VIRAL, picture only"))])
    assert found.tone("VIRAL") == "main"
    assert {found.tone("VIRAL, text only"), found.tone("VIRAL, picture only")} == {"kin-1", "kin-2"}


def test_a_models_tone_does_not_depend_on_order_or_spelling():
    one, other = (palette([ranking(names)]) for names in (MODELS, MODELS[::-1]))
    assert one == other
    assert palette([ranking(("light-GCN",))]).tone("light-GCN") == one.tone("LightGCN")


def test_lines_that_lie_over_each_other_choose_first():
    curves = Curves(heading="C", curves=tuple(Curve(model=n, epochs=(1, 2), valid=(0.1, 0.2)) for n in ZOO[:8]))
    found = palette([ranking(ZOO), curves])
    assert len({found.tone(name) for name in ZOO[:8]}) == 8
    assert all(found.tone(name).endswith("again") for name in ZOO[8:])


def test_what_is_no_model_has_no_colour(parse):
    bars = tuple(Bar(label=name, value=Estimate(0.5)) for name in ("text", "visual"))
    chart = BarChart(heading="B", quantity="q", bars=bars)
    page = parse(render_report(Report(title="T", sections=(chart,))))
    assert [bar.attributes["class"] for bar in page.all("rect", class_="fill")] == ["fill plain"] * 2


def test_every_tone_has_its_fill():
    css = style("figures.css")
    for name in ("main", "plain", "again", *(f"kin-{n}" for n in (1, 2, 3)), *(f"tone-{n}" for n in range(1, 9))):
        assert f".fill.{name}" in css


def test_a_model_in_several_ways_has_one_colour():
    found = palette([ranking(("itemknn (predicted)", "itemknn (neighbors)", "bm3 (predicted)"))])
    first, second = (found.tone(f"itemknn ({way})") for way in ("neighbors", "predicted"))
    assert second == f"{first} again" and not found.tone("bm3 (predicted)").startswith(first)
