"""Small worlds whose answer is known, as tensors and as data set folders."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import torch

from viral.data.dataset import Dataset, Source, write_tables
from viral.data.features import FeatureTable
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions, Triplets
from viral.data.sampling import TripletSampler
from viral.data.splitting import Split
from viral.data.vocabulary import Vocabulary
from viral.models import MODELS, Recommender
from viral.testing import MODALITIES, World, interactions, two_tastes
from viral.training import build_model

__all__ = ["MODALITIES", "World", "interactions", "two_tastes"]  # the other worlds are here
# Sizes for tests, for whichever of these a model's configuration has.
SMALL = {
    "embedding_dim": 16,
    "hidden_dim": 16,
    "feature_weight": 0.1,  # of EASE with text: little, as reg_weight is little too
    "num_neighbors": 5,
    "num_user_neighbors": 30,  # more than share anything, so that the lists are padded
    "reg_weight": 1e-3,
    "shrinkage": 1.0,
}
# Every class by a name of its own: the published readings of VIRAL are another class than its default.
ZOO: Mapping[str, tuple[str, Mapping[str, object]]] = {name: (name, {}) for name in MODELS} | {
    "viral-light": ("viral", {"variant": "light"})
}


def random_world(num_users: int, num_items: int, density: float, seed: int, *, width: int = 6) -> World:
    """Random interactions and random features, no structure: for comparing computations, not for learning."""
    rng = np.random.default_rng(seed)
    draws = rng.random((num_users, num_items))
    parts = [
        interactions(list(zip(*np.nonzero(chosen), strict=True)), num_users, num_items)
        for chosen in (draws < density, (draws > 0.9) & (draws < 0.95), draws > 0.95)
    ]
    users = Vocabulary([f"u{n}" for n in range(num_users)], "user")
    items = Vocabulary([f"i{n}" for n in range(num_items)], "item")
    tables = tuple(
        FeatureTable(items.ids, m, rng.normal(size=(num_items, width)).astype(np.float32), "test") for m in MODALITIES
    )
    split = Split(*parts, users, items)
    return World(split, tables, ModelInputs.of(split, tables))


def class_of(name: str) -> type[Recommender]:
    """The class of a name of ``ZOO``."""
    model, config = ZOO[name]
    return MODELS[model].variant(config)


def small_model(name: str, world: World, seed: int = 0, **config: object) -> Recommender:
    """A model of the zoo at the size of a test, of the variant that its name or ``config`` tells."""
    name, own = ZOO.get(name, (name, {}))
    config = {**own, **config}
    model = MODELS[name].variant(config)
    known = {field.name for field in fields(model.Config)}
    values = {key: value for key, value in SMALL.items() if key in known} | config
    return build_model(model, world.inputs, model.Config(**values), seed)


def first_batch(world: World, size: int = 64, seed: int = 0) -> Triplets:
    """The first triplets of an epoch."""
    return next(TripletSampler(world.split.train).epoch(size, torch.Generator().manual_seed(seed)))


def dense(train: Interactions) -> torch.Tensor:
    """The binary user-item matrix: float64 (U, I)."""
    matrix = torch.zeros(train.num_users, train.num_items, dtype=torch.float64)
    matrix[train.users, train.items] = 1
    return matrix


def dataset_folder(path: Path, world: World) -> Dataset:
    """The world as a data set folder, with titles and every modality's features."""
    path.mkdir(parents=True)
    ids = world.split.items.ids
    items = pl.DataFrame(
        {"item_id": ids, "title": [f"Title of {i}" for i in ids], "text": "some words", "image": None},
        schema_overrides={"image": pl.String},
    )
    parts = [
        pl.DataFrame(
            {
                "user_id": [world.split.users.ids[u] for u in part.users.tolist()],
                "item_id": [ids[i] for i in part.items.tolist()],
                "split": name,
            }
        )
        for name, part in (("train", world.split.train), ("valid", world.split.valid), ("test", world.split.test))
    ]
    dataset = write_tables(path, items, pl.concat(parts), Source(layout="test"))
    for table in world.tables:
        table.save(dataset.features_folder)
    return dataset
