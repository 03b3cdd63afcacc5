"""Sections without the report's frame, for pages that have their own."""

from viral.lab.report import Bar, BarChart, Estimate, Notes, Report, render_report, render_sections

SECTIONS = (
    Notes(heading="To <know>", notes=("one", "two")),
    BarChart(heading="Bars", quantity="q", bars=(Bar(label="x", value=Estimate(1.0, 0.5, 1.5)),)),
)


def test_sections_alone_are_those_of_the_report():
    alone = str(render_sections(SECTIONS))
    assert alone.startswith("<section") and "To &lt;know&gt;" in alone and "<svg" in alone
    assert alone.strip() in render_report(Report(title="T", sections=SECTIONS))


def test_sections_bring_no_inline_style():
    assert "style=" not in str(render_sections(SECTIONS))
