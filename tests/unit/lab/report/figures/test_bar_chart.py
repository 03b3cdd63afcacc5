import pytest

from viral.lab.report import Bar, Estimate, Part
from viral.lab.report.figures.bar_chart import bar_chart
from viral.lab.report.figures.part_bars import part_span, part_stack, part_tone, share_stack


def per_cent(node, name):
    return float(node.attributes[name].removesuffix("%"))


def axis(parse, drawn):
    marks = parse(drawn.axis).all("text")
    low, high = (float(mark.text.removesuffix(" %").replace("−", "-")) for mark in (marks[0], marks[-1]))
    return lambda place: low + place / 100 * (high - low)


def test_bars_begin_at_zero_and_end_at_their_value(parse):
    bars = [Bar(label="a", value=Estimate(0.14, 0.13, 0.16)), Bar(label="b", value=Estimate(-0.05))]
    drawn = bar_chart(bars)
    value = axis(parse, drawn)
    first, second = (parse(svg).one("rect", class_="fill") for svg in drawn.bars)
    assert value(per_cent(first, "x")) == pytest.approx(0, abs=1e-4)
    assert value(per_cent(first, "x") + per_cent(first, "width")) == pytest.approx(0.14, abs=1e-4)
    assert value(per_cent(second, "x")) == pytest.approx(-0.05, abs=1e-4)
    assert value(per_cent(second, "x") + per_cent(second, "width")) == pytest.approx(0, abs=1e-4)


def test_whiskers_span_the_interval(parse):
    drawn = bar_chart([Bar(label="a", value=Estimate(0.14, 0.13, 0.19))], as_percent=True)
    whisker, value = parse(drawn.bars[0]).one("line", class_="whisker"), axis(parse, drawn)
    assert [value(per_cent(whisker, end)) for end in ("x1", "x2")] == pytest.approx([13, 19], abs=0.01)


def test_a_bar_without_a_number_is_not_drawn(parse):
    svg = parse(bar_chart([Bar(label="a", value=Estimate(float("nan")))]).bars[0])
    assert not svg.all("rect") and not svg.all("line", class_="whisker")


def test_parts_lie_side_by_side_on_both_sides_of_zero(parse):
    parts = (Part("text", 3.0), Part("synergy", -1.0), Part("unique visual", 1.0), Part("popularity", -0.5))
    span = part_span([parts, (Part("text", 6.0),)])
    assert span == (-1.5, 6.0)
    drawn = parse(part_stack(parts, span)).all("rect")
    places = [((per_cent(r, "x"), per_cent(r, "x") + per_cent(r, "width"))) for r in drawn]
    read = [tuple(-1.5 + end / 100 * 7.5 for end in ends) for ends in places]
    wanted = [(0, 3), (-1, 0), (3, 4), (-1.5, -1)]
    assert [end for ends in read for end in ends] == pytest.approx([end for ends in wanted for end in ends], abs=1e-3)
    assert [r.attributes["class"] for r in drawn] == ["fill part-1", "fill part-2", "fill part-3", "fill part-other"]


def test_shares_fill_the_bar_and_wide_ones_say_their_per_cent(parse):
    svg = parse(share_stack([Part("text", 6.0), Part("synergy", 3.6), Part("unique visual", 0.4)]))
    widths = [per_cent(rect, "width") for rect in svg.all("rect")]
    assert widths == pytest.approx([60, 36, 4])
    assert [text.text for text in svg.all("text")] == ["60 %", "36 %"]
    assert per_cent(svg.all("text")[1], "x") == pytest.approx(78)


def test_shares_of_nothing_are_an_empty_bar(parse):
    assert not parse(share_stack([Part("text", 0.0)])).all("rect")


def test_only_the_three_branches_have_colours():
    assert len({part_tone(name) for name in ("text", "synergy", "unique visual", "bias")}) == 4
    assert part_tone("bias") == part_tone("popularity")


def test_few_seeds_are_dots_and_no_whisker(parse):
    drawn = bar_chart([Bar(label="a", value=Estimate(0.2, 0.1, 0.3, (0.1, 0.2, 0.3)))])
    svg, value = parse(drawn.bars[0]), axis(parse, drawn)
    assert not svg.all("line", class_="whisker")
    assert [value(per_cent(dot, "cx")) for dot in svg.all("circle", class_="seed")] == pytest.approx(
        [0.1, 0.2, 0.3], abs=1e-5
    )
