"""Which feature tables a recipe reads, so that a table that it does not read leaves its results as they are."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from viral.base.errors import DataError
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.data.features import FeatureTable
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.models import MODELS
from viral.models.viral.config import AUTO, BeyondConfig, sources_of
from viral.models.viral.paper_config import RANDOM
from viral.run.configuration import configured


def encoders_of(dataset: Dataset) -> dict[str, str]:
    """The feature tables of a data set: what made each, by modality."""
    return {path.stem: _encoder(path) for path in sorted(dataset.features_folder.glob("*.parquet"))}


def _encoder(path: Path) -> str:
    """Without reading the vectors, where the file is what it should be."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return str(json.loads((pq.read_schema(path).metadata or {})[b"viral"])["encoder"])
    except (KeyError, TypeError, ValueError, OSError, pa.ArrowException):
        return FeatureTable.load(path).encoder  # which says what is wrong with it


def reads_of(recipe: Recipe, tables: Mapping[str, str], *, random_like: str | None = None) -> tuple[str, ...] | None:
    """The modalities that the recipe's model and its memory read, of a data set with ``tables``; None for all.

    All are given to what may read any: a model from outside, and random features, which have the width of the visual
    ones, unless ``random_like`` says of which.
    """
    if recipe.model not in MODELS:
        return None
    chosen = configured(recipe)
    config, memory = chosen.config, chosen.recipe.memory
    if isinstance(config, BeyondConfig):
        found = _automatic(config, tables) if AUTO in config.sources else config.sources
        named = [name.split(":")[-1] for name in found]  # a control is made of the modality that it names
    else:
        sources = [*getattr(config, "sources", {}).values(), getattr(config, "knowledge", None)]
        if RANDOM in sources and random_like is None:
            return None
        named = [name for one in sources if (name := random_like if one == RANDOM else one) is not None]
    if memory.kind != "off":
        named += memory.features or ()
    return tuple(dict.fromkeys(name for name in named if name != RANDOM))


def _automatic(config: BeyondConfig, tables: Mapping[str, str]) -> tuple[str, ...]:
    """The sources that the model will choose: a data set of those tables, without a row."""
    nobody = torch.zeros(0, dtype=torch.int64)
    there = ModelInputs(
        Interactions(nobody, nobody, 0, 0), {name: torch.zeros(0, 1) for name in tables}, encoders=dict(tables)
    )
    try:
        return sources_of(config, there)
    except DataError:  # told by its cell
        return ()
