"""Hyper-parameters that make no model are refused in words."""

import pytest

from viral.base.errors import DataError, UsageError
from viral.models.families import closed_form
from worlds import World, small_model, two_tastes


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(6, cold=True)  # seven items, one of them in no interaction


@pytest.mark.parametrize(
    ("name", "config", "word"),
    [
        ("bpr", {"embedding_dim": 0}, "embedding_dim"),
        ("lightgcn", {"num_layers": -1}, "num_layers"),
        ("itemknn", {"num_neighbors": 0}, "num_neighbors"),
        ("itemknn", {"shrinkage": -1.0}, "shrinkage"),
        ("ease", {"reg_weight": 0.0}, "reg_weight"),
        ("ease", {"reg_weight": -3.0}, "reg_weight"),
        ("ials", {"num_sweeps": 0}, "num_sweeps"),
        ("ials", {"reg_weight": 0.0}, "reg_weight"),
        ("rp3beta", {"num_neighbors": 0}, "num_neighbors"),
        ("slim", {"reg_weight": -1.0}, "reg_weight"),
        ("viral", {"embedding_dim": -1}, "embedding_dim"),
        ("viral", {"crossmodal_dim": 0}, "crossmodal_dim"),
        ("viral", {"hidden_dim": 0}, "hidden_dim"),
        ("viral", {"num_neighbors": 0}, "num_neighbors"),
        ("viral", {"num_user_neighbors": 0}, "num_user_neighbors"),
        ("viral", {"num_layers": -1}, "num_layers"),
        ("viral", {"co_occurrence_weight": 1.1}, "co_occurrence_weight is at most 1"),
        ("viral", {"co_occurrence_weight": -0.1}, "co_occurrence_weight"),
        ("viral", {"edge_dropout": 1.0}, "edge_dropout below 1"),
        ("viral", {"sources": ("text", "image", "text")}, "names a source twice"),
        ("viral-light", {"embedding_dim": -1}, "embedding_dim"),
        ("viral-light", {"crossmodal_dim": 0}, "crossmodal_dim"),
        ("viral-light", {"hidden_dim": 0}, "hidden_dim"),
        ("viral-light", {"num_neighbors": 0}, "num_neighbors"),
        ("viral-light", {"num_user_neighbors": -1}, "num_user_neighbors"),
        ("viral-light", {"alignment_items": 0}, "alignment_items"),
        ("viral-light", {"temperature": 0.0}, "temperature"),
        ("viral-light", {"temperature": float("nan")}, "temperature"),
        ("viral-light", {"text": None, "visual": None}, "modality"),
    ],
)
def test_refused(name, config, word, world):
    with pytest.raises(UsageError, match=word):
        small_model(name, world, **config)


@pytest.mark.parametrize(
    ("name", "config"), [("viral", {"sources": ("text", "sound")}), ("viral-light", {"visual": "sound"})]
)
def test_an_absent_modality_is_named_with_those_there_are(name, config, world):
    with pytest.raises(DataError, match=r"no 'sound' features \(it has: description, image, text\)"):
        small_model(name, world, **config)


@pytest.mark.parametrize("name", ["ease", "easetext"])
def test_a_dense_matrix_that_does_not_fit_is_refused(name, world, monkeypatch):
    monkeypatch.setattr(closed_form, "MAX_BYTES", 4 * 7 * 7 - 1)
    with pytest.raises(DataError, match="7 items need a dense item-item matrix"):
        small_model(name, world)
    monkeypatch.setattr(closed_form, "MAX_BYTES", 4 * 7 * 7)
    assert small_model(name, world).num_items == 7
