import math
import re

import pytest

from viral.base.errors import DataError
from viral.lab.report import Cloud, Report, Scatter, render_report
from viral.lab.report.figures.item_map import MARGIN, SIDE, STYLES, cloud_map, style_of, swatch

GROUPS = ("cups", "hats")


def dots(path):
    """The places of a path's dots, as a reader with a ruler would take them off the drawing."""
    return [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)h\.01", path.attributes["d"])]


def drawn(parse, points, groups):
    return parse(cloud_map(Cloud(label="text", points=points, groups=groups), GROUPS, key="k"))


def test_points_keep_their_shape_and_fill_the_square(parse):
    points = ((0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (1.0, 1.0))
    svg = drawn(parse, points, (0, 0, 0, 0))
    places = dots(svg.one("path"))
    (x0, y0), (x1, y1) = places[0], places[1]
    scale = (x1 - x0) / 4
    assert x0 == pytest.approx(MARGIN) and x1 == pytest.approx(SIDE - MARGIN) and y0 == y1
    for (x, y), (across, down) in zip(points, places, strict=True):
        assert (across, down) == pytest.approx((x0 + x * scale, y0 - y * scale), abs=0.06), "equal scales, y upwards"
    assert (y0 + places[2][1]) / 2 == pytest.approx(SIDE / 2, abs=0.06), "centred in both directions"


def test_each_group_is_one_path_in_its_own_style_and_is_counted_in_words(parse):
    svg = drawn(parse, ((0.0, 0.0), (1.0, 1.0), (2.0, 0.0), (3.0, 1.0)), (1, 0, 1, -1))
    paths = {path.attributes["class"]: len(dots(path)) for path in svg.all("path")}
    assert paths == {style_of(0): 1, style_of(1): 2, style_of(-1): 1}
    assert svg.one("desc").text == "4 items. By group: cups 1, hats 2."
    assert svg.one("svg").attributes["role"] == "img" and svg.one("title").text == "Map of text"


def test_styles_differ_until_there_are_no_more():
    styles = [style_of(group) for group in range(STYLES)]
    assert len(set(styles)) == STYLES and style_of(-1) not in styles
    assert style_of(STYLES) == style_of(-1)


def test_the_legend_shows_the_dots_of_the_maps(parse, page, report):
    section = page.one(id=f"section-{[type(s) for s in report.sections].index(Scatter) + 1}")
    keys = section.one("ul", class_="key").all("li")
    assert [key.text for key in keys] == ["cups", "hats"]
    assert [key.one("path").attributes["class"] for key in keys] == [style_of(0), style_of(1)]
    assert parse(swatch(1)).one("path").attributes["class"] == style_of(1)
    first, second = section.all("svg", class_="cloud")
    assert len(first.all("path")) == 3 and len(second.all("path")) == 1
    assert "purity" in section.text and "Each by itself." in section.text


def test_points_that_are_no_numbers_are_left_out(parse):
    nan = float("nan")
    svg = drawn(parse, ((0.0, 0.0), (nan, 1.0), (1.0, math.inf), (1.0, 1.0)), (0, 0, 0, 0))
    assert len(dots(svg.one("path"))) == 2
    assert cloud_map(Cloud(label="t", points=((nan, nan),), groups=(0,)), GROUPS, key="k") == ""


def test_items_in_one_place_are_drawn_in_the_middle(parse):
    assert set(dots(drawn(parse, ((7.0, 7.0), (7.0, 7.0)), (0, 0)).one("path"))) == {(SIDE / 2, SIDE / 2)}


def test_many_items_are_small_dots_and_few_bytes():
    many = Cloud(label="t", points=tuple((float(n), float(n * n % 97)) for n in range(2000)), groups=(0,) * 2000)
    few = Cloud(label="t", points=many.points[:50], groups=(0,) * 50)
    widths = [float(re.search(r'stroke-width="([\d.]+)"', cloud_map(one, GROUPS, key="k"))[1]) for one in (few, many)]
    assert widths[0] > 2 * widths[1]
    assert len(cloud_map(many, GROUPS, key="k")) < 40_000


def test_a_map_that_does_not_fit_its_groups_is_refused():
    with pytest.raises(DataError, match="1 groups for 2 points"):
        Cloud(label="t", points=((0.0, 0.0), (1.0, 1.0)), groups=(0,))
    cloud = Cloud(label="t", points=((0.0, 0.0),), groups=(2,))
    with pytest.raises(DataError, match="outside the 2"):
        Scatter(heading="h", groups=GROUPS, clouds=(cloud,))
    with pytest.raises(DataError, match="outside"):
        Scatter(heading="h", groups=GROUPS, clouds=(Cloud(label="t", points=((0.0, 0.0),), groups=(-2,)),))


def test_no_maps_are_said_to_be_none(parse):
    page = parse(render_report(Report(title="t", sections=(Scatter(heading="h", groups=(), clouds=()),))))
    assert not page.all("svg", class_="cloud") and "nothing to draw" in page.text
