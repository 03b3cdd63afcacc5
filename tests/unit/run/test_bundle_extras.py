"""What a bundle keeps beside its scorer comes back as it was, and an older bundle has none of it."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from makers import picture, write
from viral.base.errors import DataError
from viral.base.recipe import Recipe, TrainConfig
from viral.data.catalog import Item
from viral.data.dataset import Dataset
from viral.enrich import Description, Descriptions, save_descriptions
from viral.run.bundle import Bundle
from viral.run.bundle_extras import described_by, picture_hash
from viral.run.pipeline import train
from worlds import dataset_folder, two_tastes

RECIPE = Recipe(
    model="viral",
    config={"variant": "light", "embedding_dim": 4, "hidden_dim": 4, "crossmodal_dim": 4, "num_neighbors": 3},
    train=TrainConfig(max_epochs=1),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VIRAL as published after one epoch, on items that have been described."""
    world = two_tastes(12)
    folder = tmp_path_factory.mktemp("material")
    dataset: Dataset = dataset_folder(folder / "data", world)
    table = next(table for table in world.tables if table.modality == "description")
    named = replace(table, encoder="words/1 of pixel/7 with prompt title")
    named.save(dataset.features_folder)
    rows = tuple(Description(i, f"a picture of {i}", "pixel/7", "title", "", "done") for i in world.split.items.ids)
    save_descriptions(Descriptions(rows[1:], "pixel/7", "title"), dataset.path)
    save_descriptions(Descriptions(rows, "pixel/7", "plain"), dataset.path)
    train(dataset, RECIPE, folder / "run")
    return folder / "run"


def test_there_and_back(run: Path) -> None:
    world, material = two_tastes(12), Bundle.load(run / "bundle").material
    assert material.columns["text"] == ["some words"] * 12 and material.columns["picture"] == [""] * 12
    assert material.columns["description"] == ["", *(f"a picture of i{n}" for n in range(1, 12))]
    assert {n: v.tolist() for n, v in material.features.items()} == {
        n: v.tolist() for n, v in world.inputs.features.items()
    }
    assert all(present.all() and present.dtype == torch.bool for present in material.present.values())
    assert material.described == ("words/1", "pixel", "7", "title")
    assert material.parameters["preferences"].shape == (3, 12, 4)
    assert material.unlinked is not None and material.unlinked.shape == (12, 12)


def test_a_changed_feature_is_refused(run: Path, tmp_path: Path) -> None:
    Bundle.load(run / "bundle").save(tmp_path / "b")
    file = tmp_path / "b" / "features.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(DataError, match="missing or changed"):
        Bundle.load(tmp_path / "b")


def test_a_bundle_without_material_is_a_bundle(run: Path, tmp_path: Path) -> None:
    full = Bundle.load(run / "bundle")
    Bundle(full.scorer, full.users, full.items, full.titles, full.seen, full.about).save(tmp_path / "b")
    loaded = Bundle.load(tmp_path / "b")
    assert not loaded.material.features and loaded.material.unlinked is None and loaded.material.described is None
    assert not (tmp_path / "b" / "features.safetensors").exists()


def test_names_of_encoders_are_read() -> None:
    assert described_by("m/1 of openai/gpt of 4/x with prompt plain") == ("m/1", "openai", "gpt of 4/x", "plain")
    assert described_by("all-MiniLM-L6-v2/gt-0.1.0") is None


def test_pictures_are_told_apart_by_their_bytes(tmp_path: Path) -> None:
    file = write(tmp_path / "p.png", picture())
    assert picture_hash(Item("a", "", "", file)) == hashlib.sha256(picture()).hexdigest()
    assert picture_hash(Item("a", "", "", tmp_path / "none.png")) == picture_hash(Item("a", "", "", None)) == ""
