"""Encoding a data set: what goes into each table, and what is made again."""

import contextlib
import sqlite3
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hardening.damage import flips
from PIL import Image

from describers import draw
from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset, Source, write_tables
from viral.encode import FeatureTable, encode_dataset, load_features
from viral.encode.cache import encode_cached
from viral.enrich import Description, Descriptions


class Letters:
    """A text encoder that can be read: the vector is decided by the text alone. It remembers what it was asked."""

    name = "letters/1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts):
        self.asked += texts
        return np.array([self.vector(text) for text in texts], dtype=np.float32).reshape(len(texts), 6)

    @staticmethod
    def vector(text):
        return np.random.default_rng(zlib.crc32(text.encode())).standard_normal(6).astype(np.float32)


class Colour:
    """An image encoder: the mean colour."""

    name, revision = "colour", "1"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def features(self, pictures):
        self.batches.append(len(pictures))
        return np.stack([np.asarray(picture, dtype=np.float32).mean(axis=(0, 1)) for picture in pictures])


ROWS = [  # item_id, title, text
    ("a", "Red mug", "Ceramic, 300 ml"),
    ("b", "Blue mug ", ""),
    ("c", "", "Only words"),
    ("d", " ", None),
    ("e", "Train", "Wood"),
]


def make(folder: Path, rows=ROWS, pictures=True) -> Dataset:
    folder.mkdir(exist_ok=True)
    images = [f"images/{row[0]}.png" if pictures else None for row in rows]
    for number, name in enumerate(images):
        if name and not (folder / name).exists():
            draw(folder / name, number * 40 + 10)
    items = pl.DataFrame(
        {
            "item_id": [row[0] for row in rows],
            "title": [row[1] for row in rows],
            "text": pl.Series([row[2] for row in rows], dtype=pl.String),
            "image": pl.Series(images, dtype=pl.String),
        }
    )
    interactions = pl.DataFrame({"user_id": ["u"], "item_id": [rows[0][0]]})
    return write_tables(folder, items, interactions, Source(layout="test"))


def describe(texts, describer="pixel/1", prompt="title") -> Descriptions:
    rows = (
        Description(item, text, describer, prompt, "ff", "done" if text else "failed") for item, text in texts.items()
    )
    return Descriptions(tuple(rows), describer, prompt)


SAID = describe({"a": "a red cup", "b": "", "c": "a page", "d": "a grey square"})


@pytest.fixture
def dataset(tmp_path):
    return make(tmp_path / "shop")


def encode(dataset, **more):
    return encode_dataset(dataset, **({"encoder": Letters(), "vision": Colour()} | more))


def assert_vectors(table, texts):
    assert table.item_ids == tuple(texts)
    np.testing.assert_array_equal(table.values, [Letters.vector(text) for text in texts.values()])


def test_what_each_modality_is_made_of(dataset):
    tables = encode(dataset, descriptions=SAID)
    assert set(tables) == {"text", "title", "description", "image"}
    titles = {"a": "Red mug", "b": "Blue mug", "e": "Train"}
    assert_vectors(tables["title"], titles)
    texts = {"a": "Red mug. Ceramic, 300 ml", "b": "Blue mug", "c": "Only words", "e": "Train. Wood"}
    assert_vectors(tables["text"], texts)
    described = {"a": "Red mug. a red cup", "b": "Blue mug", "c": "a page", "d": "a grey square", "e": "Train"}
    assert_vectors(tables["description"], described)


def test_tables_are_written_and_name_what_made_them(dataset):
    tables = encode(dataset, descriptions=SAID)
    written = load_features(dataset.features_folder)
    assert {name: (one.encoder, one.fingerprint) for name, one in written.items()} == {
        name: (one.encoder, one.fingerprint) for name, one in tables.items()
    }
    assert written["title"].encoder == "letters/1"
    assert written["image"].encoder == "colour/1"
    assert written["description"].encoder == "letters/1 of pixel/1 with prompt title"


def test_pictures_that_cannot_be_read_have_no_row_and_are_counted(dataset, capsys):
    (dataset.path / "images" / "b.png").write_bytes(b"no picture")
    (dataset.path / "images" / "d.png").unlink()
    table = encode(dataset)["image"]
    assert table.item_ids == ("a", "c", "e")
    np.testing.assert_allclose(table.values, [[10, 0, 0], [90, 0, 0], [170, 0, 0]])
    assert "2 pictures cannot be read" in capsys.readouterr().err


def test_pictures_go_through_in_batches(tmp_path):
    vision = Colour()
    dataset = make(tmp_path / "shop", [(f"i{n}", "t", None) for n in range(70)])
    table = encode(dataset, vision=vision)["image"]
    assert vision.batches == [32, 32, 6]
    # The pictures' colours, in the catalogue's order: red counts up, then runs over into green.
    np.testing.assert_allclose(table.values, [[(n * 40 + 10) % 256, (n * 40 + 10) // 256, 0] for n in range(70)])


def test_only_new_pictures_are_encoded(tmp_path):
    rows = [(f"i{n}", "t", None) for n in range(40)]
    make(tmp_path / "shop", rows)  # draws them all
    before = encode(make(tmp_path / "shop", rows[:35]))["image"]
    vision = Colour()
    dataset = make(tmp_path / "shop", rows[1:])  # one item less, five more
    draw(dataset.path / "images" / "i7.png", 3000)  # and one whose picture has changed
    table = encode(dataset, vision=vision)["image"]
    assert vision.batches == [6]
    assert table.item_ids == tuple(row[0] for row in rows[1:])
    np.testing.assert_allclose(table.values[6], [3000 % 256, 3000 // 256, 0])
    same = [row for row in range(34) if row != 6]
    np.testing.assert_array_equal(table.values[same], before.values[1:][same])


def test_nothing_is_made_again_while_nothing_changes(dataset, capsys):
    first = encode(dataset, descriptions=SAID)
    before = {path: path.stat().st_mtime_ns for path in dataset.features_folder.glob("*.parquet")}
    capsys.readouterr()
    encoder, vision = Letters(), Colour()
    second = encode(dataset, descriptions=SAID, encoder=encoder, vision=vision)
    assert not encoder.asked and not vision.batches
    assert before == {path: path.stat().st_mtime_ns for path in dataset.features_folder.glob("*.parquet")}
    assert capsys.readouterr().err.count("unchanged") == 4
    for name, table in first.items():
        np.testing.assert_array_equal(second[name].values, table.values)


class OtherLetters(Letters):
    name = "letters/2"


class OtherColour(Colour):
    revision = "2"


def changed(dataset, capsys, **more):
    """Which tables a run makes again."""
    capsys.readouterr()
    tables = encode(dataset, **({"descriptions": SAID} | more))
    lines = capsys.readouterr().err.splitlines()
    return set(tables) - {line.split(":")[0] for line in lines if line.endswith("unchanged")}


def test_what_has_changed_is_made_again_and_nothing_else(dataset, capsys):
    assert changed(dataset, capsys) == {"text", "title", "description", "image"}
    assert changed(dataset, capsys) == set()
    draw(dataset.path / "images" / "c.png", 77)
    assert changed(dataset, capsys) == {"image"}
    assert changed(dataset, capsys, descriptions=describe(SAID.texts | {"e": "a toy"})) == {"description"}
    assert changed(dataset, capsys, descriptions=describe(SAID.texts, describer="pixel/2")) == {"description"}
    assert changed(dataset, capsys, descriptions=describe(SAID.texts, describer="pixel/2", prompt="plain")) == {
        "description"
    }
    more = {"descriptions": describe(SAID.texts, describer="pixel/2", prompt="plain")}
    assert changed(dataset, capsys, encoder=OtherLetters(), **more) == {"text", "title", "description"}
    more["encoder"] = OtherLetters()
    assert changed(dataset, capsys, vision=OtherColour(), **more) == {"image"}
    more["vision"] = OtherColour()
    rows = [row if row[0] != "a" else ("a", "Red mug", "Steel") for row in ROWS]
    assert changed(make(dataset.path, rows), capsys, **more) == {"text"}
    assert changed(make(dataset.path, rows[::-1]), capsys, **more) == {"text", "title", "description", "image"}


def test_only_new_texts_reach_the_encoder(dataset):
    encode(dataset, descriptions=SAID)
    encoder = Letters()
    rows = [*ROWS[:4], ("e", "Train", "Steel"), ("f", "Red mug", "")]
    make(dataset.path, rows)
    tables = encode(dataset, descriptions=SAID, encoder=encoder)
    assert encoder.asked == ["Train. Steel"]
    assert tables["title"].item_ids == ("a", "b", "e", "f")
    np.testing.assert_array_equal(tables["title"].values[0], tables["title"].values[3])


def test_without_descriptions_pictures_or_words(tmp_path, capsys):
    dataset = make(tmp_path / "bare", [("a", "", None), ("b", "", None)], pictures=False)
    assert encode(dataset) == {}
    assert capsys.readouterr().err.count("no item has anything to encode") == 3
    assert not list(dataset.features_folder.glob("*.parquet"))
    with pytest.raises(DataError, match="no item has anything to encode as 'image'"):
        encode(dataset, modalities=["image"])


def test_a_table_of_inputs_that_are_gone_goes_too(dataset):
    assert "image" in encode(dataset)
    make(dataset.path, pictures=False)
    assert "image" not in encode(dataset)
    assert "image" not in load_features(dataset.features_folder)


def test_not_one_picture_can_be_read(dataset):
    for path in (dataset.path / "images").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="viral doctor"):
        encode(dataset, modalities=["image"])


def test_modalities_can_be_chosen(dataset):
    assert set(encode(dataset, modalities=["title"])) == {"title"}
    assert [path.name for path in dataset.features_folder.glob("*.parquet")] == ["title.parquet"]
    with pytest.raises(UsageError, match="did you mean image"):
        encode(dataset, modalities=["images"])
    with pytest.raises(UsageError, match="viral enrich"):
        encode(dataset, modalities=["description"])


def test_words_alone_are_made_where_they_are_asked_for_and_then_kept_up_to_date(dataset):
    assert "words" not in encode(dataset, descriptions=SAID)
    made = encode(dataset, descriptions=SAID, modalities=["words"])
    said = {"a": "a red cup", "c": "a page", "d": "a grey square"}
    assert_vectors(made["words"], said)  # no title, and no row where nothing was said
    assert made["words"].encoder == "letters/1 of pixel/1 with prompt title"
    again = encode(dataset, descriptions=describe(said | {"a": "a mug"}))
    assert_vectors(again["words"], said | {"a": "a mug"})
    with pytest.raises(UsageError, match="no descriptions"):
        encode(dataset, modalities=["words"])


@pytest.mark.parametrize("fingerprint", ["", "ab" * 32])
def test_features_that_came_with_the_data_set_are_kept_unless_named(dataset, capsys, fingerprint):
    values = np.ones((2, 3), dtype=np.float32)
    FeatureTable(("a", "b"), "text", values, "the publisher's", fingerprint).save(dataset.features_folder)
    np.testing.assert_array_equal(encode(dataset)["text"].values, values)
    assert "kept as it came with the data set (the publisher's)" in capsys.readouterr().err
    assert encode(dataset, modalities=["text"])["text"].values.shape == (4, 6)


def test_a_damaged_table_is_made_anew(dataset, capsys):
    first = encode(dataset)["text"]
    (dataset.features_folder / "text.parquet").write_bytes(b"damage")
    np.testing.assert_array_equal(encode(dataset)["text"].values, first.values)
    assert "made anew" in capsys.readouterr().err
    np.testing.assert_array_equal(load_features(dataset.features_folder)["text"].values, first.values)


def test_descriptions_of_another_data_set_are_refused(dataset):
    with pytest.raises(DataError, match="another data set"):
        encode(dataset, descriptions=describe({"x": "a thing"}))


def test_the_cache_gives_what_the_encoder_gives(tmp_path):
    path = tmp_path / "cache.sqlite"
    encoder = Letters()
    texts = [f"text {n % 150}" for n in range(400)]
    for _ in range(2):
        values = encode_cached(encoder, texts, path, "label")
        np.testing.assert_array_equal(values, [Letters.vector(text) for text in texts])
        assert values.dtype == np.float32
    assert sorted(encoder.asked) == sorted(set(texts))
    assert encode_cached(encoder, [], path, "label").shape == (0, 6)


def test_the_cache_keeps_encoders_apart(tmp_path):
    encoder = OtherLetters()
    encode_cached(Letters(), ["a"], tmp_path / "cache.sqlite", "label")
    encode_cached(encoder, ["a"], tmp_path / "cache.sqlite", "label")
    assert encoder.asked == ["a"]


def test_a_stopped_run_keeps_what_was_encoded(tmp_path):
    class Stopped(Letters):
        def encode(self, texts):
            if len(self.asked) >= 64:
                raise KeyboardInterrupt
            return super().encode(texts)

    texts = [f"{n:03}" for n in range(100)]
    with pytest.raises(KeyboardInterrupt):
        encode_cached(Stopped(), texts, tmp_path / "cache.sqlite", "label")
    encoder = Letters()
    encode_cached(encoder, texts, tmp_path / "cache.sqlite", "label")
    assert len(encoder.asked) == 36


def test_a_damaged_cache_is_made_anew(tmp_path, capsys):
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"no database " * 500)
    for _ in range(2):
        np.testing.assert_array_equal(encode_cached(Letters(), ["a"], path, "label")[0], Letters.vector("a"))
    assert capsys.readouterr().err.count("made anew") == 1
    with pytest.raises(DataError, match="cannot be used"):
        encode_cached(Letters(), ["a"], tmp_path, "label")


def test_the_real_encoders_are_the_default(dataset):
    Image.effect_noise((300, 200), 60).convert("RGB").save(dataset.path / "images" / "a.png")
    tables = encode_dataset(dataset)
    assert {name: (table.values.shape, table.encoder.split("/")[0]) for name, table in tables.items()} == {
        "text": ((4, 384), "all-MiniLM-L6-v2"),
        "title": ((3, 384), "all-MiniLM-L6-v2"),
        "image": ((5, 1280), "efficientnet-lite0"),
    }


def test_a_flipped_bit_of_the_cache_gives_no_other_vectors(tmp_path):
    path, texts = tmp_path / "cache.sqlite", [f"text {n}" for n in range(60)]
    expected = np.stack([Letters.vector(text) for text in texts])
    encode_cached(Letters(), texts, path, "label")
    for _ in flips(path, 100):
        np.testing.assert_array_equal(encode_cached(Letters(), texts, path, "label"), expected)


def test_a_cache_of_before_there_were_checksums_is_kept(tmp_path):
    path = tmp_path / "cache.sqlite"
    encode_cached(Letters(), ["a"], path, "label")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE vectors SET vector = substr(vector, 1, length(vector) - 8)")
        connection.execute("PRAGMA user_version = 0")
    encoder = Letters()
    for _ in range(2):
        np.testing.assert_array_equal(encode_cached(encoder, ["a"], path, "label")[0], Letters.vector("a"))
    assert encoder.asked == []
