"""What a description names: by value, by other words for it, and of whom."""

import math

import numpy as np
import polars as pl
import pytest

from unit.enrich.attribute_accuracy import attribute_accuracy
from viral.data.dataset import Dataset
from viral.data.descriptions import Description
from viral.lab.quality.named_attributes import judge

THING = {"object": "vase", "colour": "red", "pattern": "dotted"}
OTHER = {"object": "T-shirt", "colour": "blue", "pattern": "striped"}


@pytest.fixture
def shop(tmp_path):
    rows = [
        {"item_id": "a", **THING, "tag": "SUN", "slogan": "SALE", "distractors": [OTHER]},
        {"item_id": "b", **OTHER, "tag": "MOON", "slogan": None, "distractors": [THING]},
        {"item_id": "c", **THING, "colour": "green", "tag": "SUN", "slogan": None, "distractors": []},
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "truth.parquet")
    return Dataset(tmp_path, {})


def judged(shop, **texts):
    said = [Description(item_id, text, "pixel/1", "title", "", "done") for item_id, text in texts.items()]
    return judge(shop, said)


def test_right_foreign_and_invented_are_told_apart(shop):
    items, found = judged(shop, a="A red vase.", b="A red and green shirt.", c="Nothing at all.")
    assert items == ("a", "b", "c")
    colour = found["colour"]
    assert colour.right.tolist() == [True, False, False]
    assert colour.foreign.tolist()[:2] == [0.0, 1.0] and math.isnan(colour.foreign[2]), "nothing stands beside c"
    assert colour.invented.tolist() == [False, True, False]
    assert colour.named.tolist() == [1, 2, 0]
    assert colour.exact.tolist() == [True, False, False]


def test_naming_more_than_the_own_value_is_less_exact_and_counts_less(shop):
    _, found = judged(shop, a="A red thing, a blue thing and a green thing.", b="Blue.", c="Red.")
    assert found["colour"].f1.tolist() == [2 / 4, 1.0, 0.0]
    assert found["colour"].exact.tolist() == [False, True, False]
    _, found = judged(shop, a="A red thing and a blue one.")
    assert found["colour"].foreign.tolist() == [1.0] and found["colour"].invented.tolist() == [False]


def test_the_slogan_is_what_a_tag_may_be_taken_for(shop):
    _, found = judged(shop, a="It reads “SUN”. Beside it: “SALE”.", b="It reads “MOON”.")
    assert found["tag"].foreign[0] == 1.0 and math.isnan(found["tag"].foreign[1])
    assert found["tag"].exact.tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a jersey in blue", True),
        ("a T-shirt", True),
        ("a Tee Shirt", True),
        ("shirts", False),
        ("a nightshirt", False),
        ("a t-shirt-like thing", False),
    ],
)
def test_other_words_for_a_thing_count_and_parts_of_words_do_not(shop, text, named):
    _, found = judged(shop, b=text)
    assert bool(found["object"].right[0]) is named


@pytest.mark.parametrize("text", ["with polka dots", "Dotted", "dots"])
def test_other_words_for_a_pattern_count(shop, text):
    assert judged(shop, a=text)[1]["pattern"].right.tolist() == [True]


def test_the_summary_is_the_mean_of_the_items(shop):
    said = [
        Description("a", "A red dotted vase, “SUN”.", "pixel/1", "title", "", "done"),
        Description("b", "A blue striped shirt and a red one, “MOON”.", "pixel/1", "title", "", "done"),
    ]
    found = attribute_accuracy(shop, said)
    assert found["all"] == 1.0 and found["foreign"] == 0.5
    assert found["exact"] == pytest.approx(np.mean([1, 1, 1, 0, 1, 1]))
