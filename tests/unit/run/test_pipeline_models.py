"""The word that names a model."""

import pytest

from noisy import Noisy
from viral.base.errors import UsageError
from viral.models import MODELS
from viral.run.configuration import find_model


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lightgnc", "unknown model 'lightgnc'"),
        ("no_such_module:Model", "cannot load model"),
        ("noisy:Nosy", "cannot load model"),
        (":Noisy", "cannot load model"),
        (".noisy:Noisy", "cannot load model"),
        ("noisy:not_a_model", "is not a Recommender"),
        ("pathlib:Path", "is not a Recommender"),
        ("viral.models:Recommender", "is not a Recommender"),
    ],
)
def test_a_word_that_names_no_model(name, message):
    with pytest.raises(UsageError, match=message) as caught:
        find_model(name)
    assert caught.value.hint


def test_the_nearest_model_is_named():
    with pytest.raises(UsageError) as caught:
        find_model("lightgnc")
    assert "did you mean lightgcn?" in caught.value.hint


def test_a_model_is_found_by_its_name_or_its_place():
    assert find_model("viral") is MODELS["viral"]
    assert find_model("noisy:Noisy") is Noisy
