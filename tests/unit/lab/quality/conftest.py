"""A small planted shop whose descriptions are written from its truth: what they are worth is known."""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from viral.data.dataset import Dataset
from viral.encode import FeatureTable
from viral.enrich import Description, Descriptions, save_descriptions
from viral.lab.shop import ShopConfig, make_shop

WIDTH = 64


@dataclass(frozen=True)
class Words:
    """An encoder for tests: a fixed random direction for each word, summed. Texts that share words are near."""

    name: str = "words/1"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        values = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                values[row] += np.random.default_rng(zlib.crc32(word.encode())).normal(size=WIDTH)
        return values


def plain(item: Mapping[str, Any]) -> str:
    """Everything that is in the picture."""
    others = " ".join(f"A {one['colour']} {one['pattern']} {one['object']}." for one in item["distractors"])
    slogan = f" It reads {item['slogan']}." if item["slogan"] else ""
    return f"A {item['colour']} {item['pattern']} {item['object']} with a label {item['tag']}. {others}{slogan}"


def guided(item: Mapping[str, Any]) -> str:
    """The product alone."""
    return f"The item is a {item['colour']} {item['pattern']} {item['object']} with a label {item['tag']}."


def described(truth: pl.DataFrame, prompt: str, write: Any) -> Descriptions:
    rows = [
        Description(item["item_id"], write(item), "pixel/1", prompt, "0" * 64, "done")
        for item in truth.iter_rows(named=True)
    ]
    return Descriptions(tuple(rows), "pixel/1", prompt)


@pytest.fixture(scope="package")
def encoder() -> Words:
    return Words()


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """48 items; described with both prompts; features of pictures (noise) and of titles."""
    path: Path = tmp_path_factory.mktemp("quality") / "shop"
    dataset = make_shop(path, ShopConfig(users=20, items=48, interactions_per_user=4, image_size=128, seed=3))
    for prompt, write in (("plain", plain), ("title", guided)):
        save_descriptions(described(pl.read_parquet(path / "truth.parquet"), prompt, write), path)
    catalog = dataset.catalog()
    noise = np.random.default_rng(0).normal(size=(48, 16)).astype(np.float32)
    FeatureTable(catalog.ids, "image", noise, "noise/1").save(dataset.features_folder)
    titles = Words().encode([item.title for item in catalog])
    FeatureTable(catalog.ids, "title", titles, Words().name).save(dataset.features_folder)
    return dataset
