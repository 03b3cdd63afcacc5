"""The table of plain descriptions: made from what was said, only where it was said, and only once."""

import numpy as np
import pytest

from viral.data.dataset import Dataset
from viral.data.descriptions import Description
from viral.encode import FeatureTable
from viral.enrich import Descriptions, save_descriptions
from viral.lab.study.ablation.plain_descriptions import PLAIN, plain_descriptions
from viral.lab.study.feature_reads import encoders_of
from worlds import dataset_folder, two_tastes


class Lengths:
    """Encodes a text by its length and its number of spaces, and remembers what it was asked."""

    name = "lengths/1"

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(text), text.count(" ")] for text in texts], dtype=np.float32).reshape(-1, 2)


@pytest.fixture
def dataset(tmp_path):
    return dataset_folder(tmp_path / "world", two_tastes(6))


def describe(dataset: Dataset, prompt: str, describer: str = "pixel/1", word: str = "red") -> None:
    rows = tuple(
        Description(item.id, f"{word} thing" if n else "", describer, prompt, "0", "done" if n else "missing picture")
        for n, item in enumerate(dataset.catalog())
    )
    save_descriptions(Descriptions(rows, describer, prompt), dataset.path)


def test_the_words_are_the_title_and_the_plain_description(dataset):
    describe(dataset, "plain")
    encoder = Lengths()
    table = plain_descriptions(dataset, encoder=encoder)
    assert set(encoder.asked) == {"Title of i0", *(f"Title of i{n}. red thing" for n in range(1, 6))}
    saved = FeatureTable.load(dataset.features_folder / f"{PLAIN}.parquet")
    assert saved.modality == PLAIN and saved.item_ids == table.item_ids == tuple(f"i{n}" for n in range(6))
    assert saved.values[0].tolist() == [11, 2] and saved.values[1].tolist() == [22, 4]
    assert encoders_of(dataset)[PLAIN] == "lengths/1 of pixel/1 with prompt plain"


def test_without_plain_descriptions_there_is_no_table(dataset, capsys):
    assert plain_descriptions(dataset, encoder=Lengths()) is None
    describe(dataset, "title")
    assert plain_descriptions(dataset, encoder=Lengths()) is None
    assert "prompt plain" in capsys.readouterr().err
    assert not (dataset.features_folder / f"{PLAIN}.parquet").exists()


def test_it_is_made_anew_only_when_the_descriptions_change(dataset):
    describe(dataset, "plain")
    first = plain_descriptions(dataset, encoder=Lengths())
    path = dataset.features_folder / f"{PLAIN}.parquet"
    written = path.stat().st_mtime_ns
    assert plain_descriptions(dataset, encoder=Lengths()).fingerprint == first.fingerprint
    assert path.stat().st_mtime_ns == written
    describe(dataset, "plain", word="yellow")
    assert plain_descriptions(dataset, encoder=Lengths()).fingerprint != first.fingerprint
    assert FeatureTable.load(path).values[1, 0] == 25


def test_the_describer_is_the_one_of_the_titled_table(dataset):
    table = FeatureTable.load(dataset.features_folder / "description.parquet")
    named = FeatureTable(table.item_ids, "description", table.values, "x/1 of qwen/3 with prompt title")
    named.save(dataset.features_folder)
    describe(dataset, "plain", "pixel/1", "red")
    describe(dataset, "plain", "qwen/3", "a long sentence about a")
    encoder = Lengths()
    plain_descriptions(dataset, encoder=encoder)
    assert any("a long sentence about a thing" in text for text in encoder.asked)
    assert encoders_of(dataset)[PLAIN] == "lengths/1 of qwen/3 with prompt plain"
