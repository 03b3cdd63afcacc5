import pytest

from viral.base.errors import DataError
from viral.lab.report import Estimate, Grid, GridCell, GridRow, Report, render_report


def grid(*rows, columns=(("all", ""), ("cold", "7 users"))):
    made = [GridRow(label=label, cells=cells) for label, cells in rows]
    return Grid(heading="G", columns=columns, rows=tuple(made))


def cell(mean, mark=""):
    return GridCell(value=Estimate(mean), mark=mark)


def lengths(page):
    """Bars by row, in per cent of their cell."""
    rows = page.one("table", class_="grid").one("tbody").all("tr")
    return [[bar.attributes["width"] for bar in row.all("rect", class_="fill")] for row in rows]


def test_bars_are_shares_of_the_greatest_of_their_column(parse):
    section = grid(("a", (cell(0.2, "▲"), cell(0.01))), ("b", (cell(0.05), cell(0.04))))
    page = parse(render_report(Report(title="T", sections=(section,))))
    assert lengths(page) == [["100.00%", "25.00%"], ["25.00%", "100.00%"]]
    assert page.one("tbody").all("td")[0].text == "0.2000▲", "the number stands beside its bar"
    heads = page.one("thead").all("th")
    assert heads[1].text == "all" and heads[2].one("small").text == "7 users"


def test_what_was_not_measured_is_a_dash_and_draws_nothing(parse):
    section = grid(("a", (cell(float("nan")), GridCell())), ("b", (cell(0.0), GridCell())))
    page = parse(render_report(Report(title="T", sections=(section,))))
    assert lengths(page) == [["0.00%"], ["0.00%"]]
    assert [td.text.strip() for td in page.one("tbody").all("td")] == ["–", "–", "0.0000", "–"]


def test_a_grid_that_would_lie_is_an_error():
    with pytest.raises(DataError, match="1 cells for 2 columns"):
        grid(("a", (cell(0.1),)))
    with pytest.raises(DataError, match="cannot be negative"):
        grid(("a", (cell(0.1), cell(-0.1))))
