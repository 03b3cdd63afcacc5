import math

import pytest

from viral.base.errors import DataError
from viral.lab.report import Curve, Estimate, ExplainedScore, Part, RecommendedItem, ShareRow, ShownItem, Table

THING = ShownItem("i1", "Thing")


def test_parts_that_do_not_add_up_are_refused():
    parts = (Part("text", 0.5), Part("synergy", -0.2))
    assert RecommendedItem(thing=THING, rank=1, score=0.3, parts=parts).score == 0.3
    with pytest.raises(DataError, match=r"add up to 0\.3, not to the score 0\.31.*|i1"):
        RecommendedItem(thing=THING, rank=1, score=0.31, parts=parts)
    with pytest.raises(DataError, match="explanation of 'i1' for 'u1'"):
        ExplainedScore(user="u1", thing=THING, score=math.nan, parts=parts)


def test_the_rounding_of_float32_is_forgiven_and_no_parts_are_no_claim():
    ExplainedScore(user="u", thing=THING, score=1000.01, parts=(Part("text", 900.0), Part("synergy", 100.0)))
    RecommendedItem(thing=THING, rank=1, score=2.0)


@pytest.mark.parametrize("ends", [(0.1, None), (None, 0.1), (0.2, 0.1)])
def test_half_or_swapped_intervals_are_refused(ends):
    with pytest.raises(DataError, match="interval"):
        Estimate(0.1, *ends)


def test_an_infinite_interval_has_no_bounds():
    assert Estimate(0.1, 0.0, math.inf).bounds is None and Estimate(0.1).bounds is None
    assert Estimate(0.1, 0.0, 0.2).bounds == (0.0, 0.2)


def test_curves_need_a_value_per_epoch():
    with pytest.raises(DataError, match="2 values of loss for 3 epochs"):
        Curve(model="m", epochs=(1, 2, 3), valid=(), loss=(1.0, 2.0))


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_shares_must_be_amounts(value):
    with pytest.raises(DataError, match="absolute contributions"):
        ShareRow(label="r", parts=(Part("text", value),))


def test_ragged_tables_are_refused():
    with pytest.raises(DataError, match=r"row 2: 1 cells for 2 columns"):
        Table(heading="T", columns=("a", "b"), rows=(("1", "2"), ("3",)))
