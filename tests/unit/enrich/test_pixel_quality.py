"""Attribute accuracy: counted by words, against the truth of a planted shop."""

import polars as pl
import pytest

from unit.enrich.attribute_accuracy import attribute_accuracy
from viral.base.errors import DataError
from viral.data.dataset import Dataset
from viral.data.descriptions import Description

TRUTH = [
    ("a", "red", "striped", "SUN", [{"object": "vase", "colour": "blue", "pattern": "dotted"}]),
    ("b", "blue", "two-tone", "MOON", [{"object": "vase", "colour": "red", "pattern": "two-tone"}]),
    ("c", "green", "plain", "SUN", []),
]


@pytest.fixture
def shop(tmp_path):
    columns = ("item_id", "colour", "pattern", "tag", "distractors")
    rows = [dict(zip(columns, row, strict=True)) for row in TRUTH]
    pl.DataFrame(rows).write_parquet(tmp_path / "truth.parquet")
    return Dataset(tmp_path, {})


def said(item_id: str, text: str, status: str = "done") -> Description:
    return Description(item_id, text, "pixel/1", "title", "", status)


def test_words_are_counted_whole_and_in_any_case(shop):
    found = attribute_accuracy(
        shop,
        [
            said("a", "Striped in RED and white; a label reads “Sun”."),
            said("b", "A two-tone, bluish thing beside a red one. It reads “MOONLIGHT”."),
            said("c", "A plain green thing."),
        ],
    )
    assert found["described"] == 3
    assert found["colour"] == pytest.approx(2 / 3)  # bluish is not blue
    assert found["pattern"] == 1
    assert found["tag"] == pytest.approx(1 / 3)
    assert found["all"] == pytest.approx(1 / 3)
    assert found["foreign_colour"] == pytest.approx(1 / 2)  # of the two items with other things in the picture
    assert found["foreign_pattern"] == 0  # an attribute that the product shares is its own
    assert found["foreign"] == pytest.approx(1 / 2)


def test_only_finished_descriptions_of_known_items_count(shop):
    found = attribute_accuracy(shop, [said("a", "red"), said("b", "", "failed"), said("zzz", "red")])
    assert (found["described"], found["colour"]) == (1, 1.0)
    assert attribute_accuracy(shop, [])["colour"] == 0


def test_a_data_set_without_truth_says_so(tmp_path):
    with pytest.raises(DataError, match="no truth"):
        attribute_accuracy(Dataset(tmp_path, {}), [])


def test_a_shop_without_pictures_says_so(tmp_path):
    pl.DataFrame({"item_id": ["a"], "colour": ["red"], "pattern": ["plain"], "tag": ["SUN"]}).write_parquet(
        tmp_path / "truth.parquet"
    )
    with pytest.raises(DataError, match="'distractors' is missing"):
        attribute_accuracy(Dataset(tmp_path, {}), [])
