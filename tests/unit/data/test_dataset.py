"""The data set folder: round trips, what may be written, and what is not opened."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from makers import rejected, write
from viral.base.errors import DataError
from viral.data.dataset import Dataset, Rejection, Source, image_name, write_tables

ITEMS = pl.DataFrame(
    {"item_id": ["1", "02"], "title": ["One", ""], "text": ["", "two"], "image": ["images/1.png", None]}
)
LOG = pl.DataFrame({"user_id": ["u", "u", "v"], "item_id": ["02", "1", "1"], "split": ["train", "test", "valid"]})
SOURCE = Source(layout="test", path="here", options={"core": 5})


def saved(folder, items=ITEMS, log=LOG, rejections=()):
    return write_tables(folder, items, log, SOURCE, rejections)


def test_what_is_written_is_what_is_opened(tmp_path):
    faults = [Rejection("log.csv", 3, "user", "empty user id"), Rejection("log.csv", 9, "item", "unknown item", "é\n")]
    written = saved(tmp_path, rejections=[*faults, faults[0]])
    dataset = Dataset.open(tmp_path)
    assert dataset.manifest == written.manifest
    assert dataset.catalog().ids == ("1", "02")
    assert dataset.interactions().rows() == [("u", "02", "train"), ("u", "1", "test"), ("v", "1", "valid")]
    assert dataset.manifest["counts"] == {
        "users": 2,
        "items": 2,
        "interactions": 3,
        "images": 1,
        "train": 1,
        "valid": 1,
        "test": 1,
        "rejected": {"empty user id": 2, "unknown item": 1},
    }
    assert dataset.manifest["source"] == {
        "layout": "test",
        "path": "here",
        "licence": "unknown",
        "split": "",
        "options": {"core": 5},
        "history": [],
    }
    assert rejected(dataset)[1] == ("log.csv", 9, "item", "unknown item", "é\n")


def test_optional_columns_are_kept_and_others_are_not(tmp_path):
    log = LOG.with_columns(timestamp=pl.Series([3, 2, 1]), rating=pl.lit(5)).drop("split")
    saved(tmp_path, ITEMS.with_columns(category=pl.lit("c"), price=pl.lit("1.0"), weight=pl.lit(2)), log)
    dataset = Dataset.open(tmp_path)
    assert dataset.interactions().columns == ["user_id", "item_id", "timestamp"]
    kept = ["item_id", "title", "text", "image", "category", "price"]
    assert pl.read_parquet(tmp_path / "items.parquet").columns == kept
    assert "train" not in dataset.manifest["counts"]


@pytest.mark.parametrize(
    ("items", "log", "message"),
    [
        (ITEMS.with_columns(item_id=pl.lit("1")), LOG, "not unique"),
        (ITEMS, LOG.with_columns(item_id=pl.lit("3")), "not in the catalogue"),
        (ITEMS, pl.concat([LOG, LOG[:1]]), "occurs twice"),
        (ITEMS, LOG.with_columns(user_id=pl.Series([1, 2, 3])), "'user_id' must be text"),
        (ITEMS, LOG.with_columns(user_id=pl.Series(["u", None, "v"])), "without gaps"),
        (ITEMS.drop("text"), LOG, "'text' must be text"),
    ],
)
def test_tables_that_break_the_contract_are_not_written(tmp_path, items, log, message):
    with pytest.raises(DataError, match=message):
        saved(tmp_path, items, log)
    assert list(tmp_path.iterdir()) == []


def test_the_fingerprint_follows_the_tables(tmp_path):
    first = saved(_made(tmp_path / "a")).fingerprint
    assert saved(_made(tmp_path / "b")).fingerprint == first
    assert saved(_made(tmp_path / "c"), log=LOG[:2]).fingerprint != first
    assert saved(_made(tmp_path / "d"), items=ITEMS.with_columns(title=pl.lit("x"))).fingerprint != first


def _made(folder):
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "not a data set folder"),
        ("{", "not valid JSON"),
        ("[]", "not a manifest of format 1"),
        ('{"format": 99}', "not a manifest of format 1"),
        ('{"format": 1, "hashes": []}', "has no hashes"),
    ],
)
def test_what_is_not_a_data_set_is_not_opened(tmp_path, manifest, message):
    if manifest is not None:
        write(tmp_path / "manifest.json", manifest)
    with pytest.raises(DataError, match=message):
        Dataset.open(tmp_path)


def test_a_log_that_cannot_be_used_is_a_data_error(tmp_path):
    dataset = saved(tmp_path)
    LOG.with_columns(user_id=pl.Series([1, 2, 3])).write_parquet(tmp_path / "interactions.parquet")
    with pytest.raises(DataError, match="column 'user_id' must be text, it is Int64"):
        dataset.interactions()
    LOG.with_columns(split=pl.lit(0)).write_parquet(tmp_path / "interactions.parquet")
    with pytest.raises(DataError, match="column 'split' must be text, it is Int32"):
        dataset.interactions()
    write(tmp_path / "interactions.parquet", b"PAR1")
    with pytest.raises(DataError, match="not a Parquet file"):
        dataset.interactions()
    (tmp_path / "interactions.parquet").unlink()
    with pytest.raises(DataError, match="no such file"):
        dataset.interactions()


def test_the_manifest_is_json_that_anybody_can_read(tmp_path):
    saved(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest) == {"format", "source", "counts", "hashes"}


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
def test_image_names_are_unique_plain_file_names(ids):
    names = [image_name(item_id, ".JPG") for item_id in ids]
    assert names[0] != names[1]
    for name in names:
        folder, _, file = name.partition("/")
        assert folder == "images"
        assert file.endswith(".jpg")
        assert not file.startswith(".")
        assert not set(file) & set('/\\\0:*?"<>|\n')
        assert len(file.encode()) <= 255


@pytest.mark.parametrize("item_id", ["../../etc/passwd", "..", ".", ".hidden", "/", "C:\\x", "a" * 500, "é" * 60])
def test_hostile_ids_stay_below_images(tmp_path, item_id):
    path = (tmp_path / image_name(item_id, ".png")).resolve()
    assert path.parent == (tmp_path / "images").resolve()
    assert not path.name.startswith(".")
