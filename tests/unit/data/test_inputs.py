"""What a model may know: features aligned by id."""

import numpy as np
import pytest
import torch

from viral.base.errors import DataError
from viral.data.features import FeatureTable
from viral.data.inputs import ModelInputs
from viral.data.splitting import Split
from viral.data.vocabulary import Vocabulary
from worlds import interactions

ITEMS = ("a", "b", "c", "d")


@pytest.fixture
def split() -> Split:
    nothing = interactions([], 2, 4)
    return Split(interactions([(0, 0), (1, 2)], 2, 4), nothing, nothing, Vocabulary("uv"), Vocabulary(ITEMS))


def table(rows: dict[str, list[float]], modality: str = "text") -> FeatureTable:
    return FeatureTable(tuple(rows), modality, np.array(list(rows.values()), dtype=np.float32), "test")


def test_rows_follow_the_ids_not_the_order(split):
    given = table({"d": [4, 40], "b": [2, 20], "not in the catalogue": [9, 90], "a": [1, 10], "c": [3, 30]})
    inputs = ModelInputs.of(split, [given])
    assert inputs.features["text"].tolist() == [[1, 10], [2, 20], [3, 30], [4, 40]]
    assert inputs.features["text"].dtype == torch.float32
    assert inputs.present["text"].all()
    assert inputs.train is split.train


@pytest.mark.parametrize(("fill", "expected"), [("mean", [2.5, 25]), ("zero", [0, 0])])
def test_a_missing_item_is_filled_and_remembered(split, fill, expected):
    given = table({"d": [4, 40], "a": [1, 10]})
    inputs = ModelInputs.of(split, [given], fill=fill)
    assert inputs.features["text"].tolist() == [[1, 10], expected, expected, [4, 40]]
    assert inputs.present["text"].tolist() == [True, False, False, True]
    assert given.values.tolist() == [[4, 40], [1, 10]], "the table itself is left alone"


def test_a_missing_item_can_be_an_error(split):
    with pytest.raises(DataError, match=r"2 items have no features \(first: 'b'\)") as caught:
        ModelInputs.of(split, [table({"d": [4], "a": [1]}, "image")], fill="error")
    assert caught.value.where == "modality 'image'" and caught.value.hint


def test_the_features_of_another_data_set_are_refused(split):
    with pytest.raises(DataError, match="not one item of the catalogue has features"):
        ModelInputs.of(split, [table({"x": [1.0]})])


@pytest.mark.parametrize("shape", [(3, 2), (5, 2), (4,)])
def test_features_of_another_shape_are_refused(split, shape):
    with pytest.raises(DataError, match="modality 'text'"):
        ModelInputs(split.train, {"text": torch.zeros(shape)})


def test_modalities_are_named(split):
    inputs = ModelInputs.of(split, [table({"a": [1]}, "text"), table({"a": [2]}, "audio")])
    assert inputs.feature("audio")[0].tolist() == [2]
    with pytest.raises(DataError, match=r"no 'image' features \(it has: audio, text\)"):
        inputs.feature("image")
    with pytest.raises(DataError, match=r"it has: none"):
        ModelInputs(split.train).feature("text")
