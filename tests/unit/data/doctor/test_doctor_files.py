"""The doctor before damaged files: pictures, features, tables that cannot be read or are of other types."""

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from makers import ITEMS, LOG, damaged, noise, picture, png, write
from viral.base.errors import DataError
from viral.data.doctor import examine
from viral.data.features import FeatureTable

ITEM_IDS = ITEMS["item_id"].to_list()


def found(dataset):
    return {finding.check: finding for finding in examine(dataset).findings if finding.check != "changed by hand"}


def test_every_picture_is_decoded(tmp_path):
    files = {
        "whole.jpg": noise("JPEG"),
        "truncated.jpg": noise("JPEG")[:-300],
        "progressive.jpg": noise("JPEG", progressive=True)[:-300],
        "cut.png": noise("PNG")[:-300],
        "bomb.png": png(20_000, 20_000),
        "drawing.jpg": b"<svg/>",
        "empty.jpg": b"",
    }
    names = [*(f"images/{name}" for name in files), "images/none.jpg", "images/link.png", "../../etc/passwd"]
    columns = {"item_id": names, "title": names, "text": names, "image": names}
    dataset = damaged(tmp_path / "data", items=pl.DataFrame(columns), log=LOG[:0])
    for name, content in files.items():
        write(tmp_path / "data" / "images" / name, content)
    (tmp_path / "data" / "images" / "link.png").symlink_to(write(tmp_path / "secret.png", picture()))
    pictures = {check: finding for check, finding in found(dataset).items() if check.startswith("picture")}
    assert {check.removeprefix("picture: "): finding.count for check, finding in pictures.items()} == {
        "truncated or damaged": 3,
        "too many pixels": 1,
        "unknown format": 1,
        "empty": 1,
        "missing": 1,
        "symbolic link": 1,
        "outside the folder": 1,
    }
    assert pictures["picture: missing"].examples == ("items.parquet row 8, field image: 'images/none.jpg'",)
    severities = {check: finding.severity for check, finding in pictures.items()}
    assert severities.pop("picture: outside the folder") == "error"
    assert set(severities.values()) == {"warning"}


def features(dataset, ids, modality="image"):
    values = np.zeros((len(ids), 3), dtype=np.float32)
    return FeatureTable(tuple(ids), modality, values, "test").save(dataset.features_folder)


def test_feature_rows_that_are_not_the_items_are_named(tmp_path):
    dataset = damaged(tmp_path)
    features(dataset, ["d", "b", "stranger", "a"])
    features(dataset, ITEM_IDS, "text")
    report = found(dataset)
    assert set(report) == {"items without features", "features of unknown items"}
    assert report["items without features"].examples == ("features/image.parquet, item_id: 'c'",)
    assert report["features of unknown items"].examples == ("features/image.parquet, item_id: 'stranger'",)
    assert examine(dataset).trainable


def test_features_of_another_data_set_are_an_error(tmp_path):
    dataset = damaged(tmp_path)
    features(dataset, ["x", "y"])
    assert found(dataset)["items without features"].severity == "error"


@pytest.mark.parametrize("damage", ["not finite", "bytes", "origin", "vectors", "null", "twice"])
def test_features_that_cannot_be_used_are_an_error(tmp_path, damage):
    dataset = damaged(tmp_path)
    path = features(dataset, ITEM_IDS)
    table = pq.read_table(path)
    if damage == "not finite":
        vectors = pa.array([[0.0, float("nan"), 0.0]] * 4, table["vector"].type)
        pq.write_table(table.set_column(1, "vector", vectors), path)
    elif damage == "bytes":
        write(path, path.read_bytes()[:-9])
    elif damage == "origin":
        pq.write_table(table.replace_schema_metadata({"viral": "{}"}), path)
    elif damage == "vectors":
        pq.write_table(table.set_column(1, "vector", pa.array([[1.0], [1.0, 2.0], [], [3.0]])), path)
    elif damage == "null":
        vectors = pa.array([[0.0] * 3, None, [0.0] * 3, [0.0] * 3], table["vector"].type)
        pq.write_table(table.set_column(1, "vector", vectors), path)
    else:
        pq.write_table(table.set_column(0, "item_id", pa.array(["a", "a", "b", "c"])), path)
    finding = found(dataset)["unusable features"]
    assert (finding.severity, finding.examples) == ("error", ("features/image.parquet",))
    assert finding.hint


def test_tables_changed_by_hand_are_noticed(tmp_path):
    report = examine(damaged(tmp_path, log=LOG[:-1]))
    assert [
        (finding.check, finding.severity, finding.examples) for finding in report.findings if "hand" in finding.check
    ] == [("changed by hand", "warning", ("interactions.parquet",))]


@pytest.mark.parametrize("name", ["items.parquet", "interactions.parquet"])
@pytest.mark.parametrize("content", [None, b"", b"PAR1rubbishPAR1", b"item_id,title\n"])
def test_a_table_that_is_absent_or_damaged_is_an_error(tmp_path, name, content):
    dataset = damaged(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        write(tmp_path / name, content)
    report = examine(dataset)
    assert not report.trainable
    assert [finding.examples for finding in report.findings if finding.check == "unreadable table"] == [(name,)]


@pytest.mark.parametrize("column", ["item_id", "title", "text", "image"])
def test_missing_item_columns_are_errors(tmp_path, column):
    report = examine(damaged(tmp_path, items=ITEMS.drop(column)))
    messages = [finding.message for finding in report.findings if finding.check == "missing column"]
    assert messages == [f"items.parquet has no column {column!r}"]
    assert not report.trainable


@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_missing_log_columns_are_errors(tmp_path, column):
    assert found(damaged(tmp_path, log=LOG.drop(column)))["missing column"].severity == "error"


@pytest.mark.parametrize(
    "values",
    [[1, 2, 3, 4], [1.5, None, 2.0, 3.0], [b"\xff", b"b", b"c", b"d"], [["a"], [], None, ["d"]], [{"x": 1}] * 4],
)
@pytest.mark.parametrize("column", ["item_id", "title", "image", "category"])
def test_columns_of_a_wrong_type_are_errors(tmp_path, column, values):
    items = ITEMS.with_columns(pl.Series(column, values))
    dataset = damaged(tmp_path, items=items)
    finding = found(dataset)["wrong type"]
    assert finding.severity == "error"
    assert f"column {column!r} of items.parquet is" in finding.message
    with pytest.raises(DataError):
        dataset.catalog()


def test_a_split_of_a_wrong_type_is_an_error(tmp_path):
    dataset = damaged(tmp_path, log=LOG.with_columns(split=pl.lit(0)))
    assert {"wrong type", "unknown split"} <= set(found(dataset))
    with pytest.raises(DataError):
        dataset.interactions()
