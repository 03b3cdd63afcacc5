"""A cell depends on the log, the split and the tables that its model reads, and on no other table."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from viral.base.recipe import MemoryConfig, Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.data.features import FeatureTable
from viral.data.inputs import ModelInputs
from viral.lab.study import compare, data_hashes
from viral.lab.study.comparison.compare import model_cells
from viral.lab.study.feature_reads import encoders_of, reads_of
from viral.models import MODELS
from viral.run.configuration import configured
from viral.run.pipeline import load_split
from viral.training import build_model
from worlds import dataset_folder, two_tastes

FEW = TrainConfig(max_epochs=1, batch_size=64)
SMALL = {"embedding_dim": 4, "hidden_dim": 4, "num_neighbors": 3}
TEXT = Recipe(model="viral", config={"sources": ["text"]})
TABLES = {"text": "t", "image": "i", "description": "d of pixel/1", "audio": "a"}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return dataset_folder(tmp_path / "world", two_tastes(12))


def add_sound(dataset: Dataset) -> None:
    FeatureTable(("i0", "i1"), "audio", np.eye(2, dtype=np.float32), "ears/1").save(dataset.features_folder)


@pytest.mark.parametrize(
    ("recipe", "reads"),
    [
        (Recipe(model="lightgcn"), ()),
        (Recipe(model="vbpr"), ("image", "text")),
        (Recipe(model="viral"), ("text", "image", "audio")),  # words made of the picture's pixels are not read
        (TEXT, ("text",)),
        (replace(TEXT, memory=MemoryConfig(features=("image",))), ("text", "image")),
        (Recipe(model="viral", config={"variant": "light", "knowledge": "title"}), ("text", "description", "title")),
        (Recipe(model="viral", config={"variant": "light", "visual": "random"}), None),
        (Recipe(model="somebody.elses:Model"), None),
    ],
)
def test_what_a_recipe_reads(recipe: Recipe, reads: tuple[str, ...] | None) -> None:
    assert reads_of(recipe, TABLES) == reads


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_of_the_zoo_is_built_of_what_it_is_said_to_read(name: str, dataset: Dataset) -> None:
    recipe, split = Recipe(model=name), load_split(dataset)
    reads = reads_of(recipe, encoders_of(dataset))
    assert reads is not None
    tables = [FeatureTable.load(dataset.features_folder / f"{one}.parquet") for one in sorted(reads)]
    chosen, inputs = configured(recipe), ModelInputs.of(split, tables)
    model = build_model(chosen.model, inputs, chosen.config, 0)
    assert set(model.reads) == set(reads)


def keys(dataset: Dataset) -> Mapping[str, str]:
    recipes = {"light": Recipe(model="lightgcn"), "vbpr": Recipe(model="vbpr"), "viral": Recipe(model="viral")}
    hashes = data_hashes(dataset)
    return {cell.name: cell.key(hashes) for cell in model_cells(recipes, [0], encoders_of(dataset))}


def test_one_more_modality_computes_no_cell_anew_that_does_not_read_it(dataset: Dataset, tmp_path: Path) -> None:
    recipes = {
        "light": Recipe(model="lightgcn", config={"embedding_dim": 4}, train=FEW),
        "viral": Recipe(model="viral", config=SMALL, train=FEW),
    }
    first = compare(dataset, recipes, tmp_path / "out", seeds=[0])
    before = keys(dataset)
    add_sound(dataset)
    after = keys(dataset)
    assert {name for name in before if before[name] != after[name]} == {"viral"}
    again = compare(dataset, recipes, tmp_path / "out", seeds=[0])
    assert (tmp_path / "out" / "journal.jsonl").read_text().count('"finished"') == 3, "viral alone, which reads sound"
    rows = [{row.name: row.values for row in board.rows} for board in (first, again)]
    assert rows[0]["light"] == rows[1]["light"]


def test_fewer_tables_change_no_number(dataset: Dataset) -> None:
    add_sound(dataset)
    chosen, split = configured(Recipe(model="vbpr", config={"embedding_dim": 4})), load_split(dataset)
    everything = [FeatureTable.load(path) for path in sorted(dataset.features_folder.glob("*.parquet"))]
    scores = [
        build_model(chosen.model, ModelInputs.of(split, tables), chosen.config, 3).score(torch.arange(12))
        for tables in (everything, [table for table in everything if table.modality in ("text", "image")])
    ]
    assert torch.equal(*scores)


def test_the_encoder_of_a_table_is_read_without_its_vectors(dataset: Dataset) -> None:
    add_sound(dataset)
    assert encoders_of(dataset)["audio"] == "ears/1" and set(encoders_of(dataset)) > {"text", "image"}
