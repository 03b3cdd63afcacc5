"""A model from outside the project embeds new items in its own way, by one optional method."""

import importlib
import sys
from pathlib import Path

import pytest
import torch

from viral.base.errors import UsageError
from viral.data.inputs import ModelInputs
from viral.models import MODELS, ItemFeatures, Recommender, Trained
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.retrieval.new_items import embed, model_of, way_of, ways_of
from worlds import World, two_tastes

FILE = '''"""An item is a linear image of its text, a user the mean of their history."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from viral.graph.functions import bpr_loss, dot, embedding
from viral.models import EmbeddingRecommender, Embeddings, ItemFeatures, Trained


@dataclass(frozen=True, kw_only=True)
class Config:
    width: int = 3


class OfText(EmbeddingRecommender[Config]):
    Config = Config

    def __init__(self, inputs, config):
        super().__init__(inputs, config)
        self.text = inputs.features["text"]
        self.image = nn.Linear(self.text.shape[1], config.width, bias=False)
        self.users = embedding(self.num_users, config.width)

    def embed(self) -> Embeddings:
        return Embeddings(self.users.weight, self.image(self.text))

    def loss(self, batch) -> dict[str, Tensor]:
        users, items = self.embed()
        return {"bpr": bpr_loss(*(dot(users[batch.users], items[of]) for of in (batch.positives, batch.negatives)))}

    @classmethod
    def new_item_modalities(cls, config: Config, trained: Trained) -> tuple[str, ...]:
        return ("text",)

    @classmethod
    @torch.no_grad()
    def embed_new_items(cls, config: Config, trained: Trained, new: ItemFeatures) -> Tensor:
        return new.values["text"] @ trained.parameters["image.weight"].T
'''


@pytest.fixture
def world() -> World:
    return two_tastes(12)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "linear_shop.py").write_text(FILE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "linear_shop", raising=False)
    return tmp_path


def bundle(world: World, model: Recommender) -> Bundle:
    """What a run of the model leaves."""
    inputs = world.inputs
    present = {name: inputs.given(name) for name in inputs.features}
    material = Material({}, inputs.features, present, {}, model.state_dict(), model.unlinked())
    about = {"recipe": {"model": "linear_shop:OfText", "config": {"width": 4}}}
    titles = ("",) * len(world.split.items)
    return Bundle(model.scorer(), world.split.users, world.split.items, titles, world.split.train, about, material)


def test_its_own_way_is_taken_once_the_module_is_imported(world: World, folder: Path) -> None:
    module = importlib.import_module("linear_shop")
    model = module.OfText(ModelInputs(world.split.train, world.inputs.features), module.Config(width=4))
    made = bundle(world, model)
    assert ways_of(made) == ("own", "neighbors") and way_of(made) == "own"

    text = world.inputs.features["text"]
    new, there = {"text": torch.stack([text[3], text[7] + 1])}, {"text": torch.ones(2, dtype=torch.bool)}
    found = embed(made, new, there)
    torch.testing.assert_close(found[0], made.scorer.item_vectors[3])
    torch.testing.assert_close(found, new["text"] @ model.image.weight.detach().T)

    absent = embed(made, {"image": text[:1]}, {"image": torch.ones(1, dtype=torch.bool)})
    torch.testing.assert_close(absent[0], text.mean(dim=0) @ model.image.weight.detach().T)  # the mean of the known


def test_no_code_is_imported_because_a_bundle_names_it(world: World, folder: Path) -> None:
    module = importlib.import_module("linear_shop")
    made = bundle(world, module.OfText(world.inputs, module.Config(width=4)))
    del sys.modules["linear_shop"]
    assert model_of(made) is None and ways_of(made) == ("neighbors",)
    assert "linear_shop" not in sys.modules


@pytest.mark.parametrize("name", ["os:system", "viral.run.bundle:Bundle", "linear_shop", "", "a:b:c", "lightgcn:x"])
def test_what_is_no_model_is_not_taken_for_one(world: World, folder: Path, name: str) -> None:
    module = importlib.import_module("linear_shop")
    made = bundle(world, module.OfText(world.inputs, module.Config(width=4)))
    made.about["recipe"]["model"] = name
    assert model_of(made) is None and ways_of(made) == ("neighbors",)


def test_half_a_way_of_its_own_is_told() -> None:
    features = ItemFeatures({}, {})
    with pytest.raises(UsageError, match="BPR names modalities of new items and has no embed_new_items"):
        MODELS["bpr"].embed_new_items(None, Trained({}, features, None), features)
