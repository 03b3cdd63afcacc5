"""Feature tables: aligned by id, refused where they cannot be right."""

import numpy as np
import polars as pl
import pytest
from hardening.damage import flips

from viral.base.errors import DataError
from viral.encode import FeatureTable, load_features


def table(ids=("a", "b", "c"), dimensions=4, modality="text", **more):
    values = np.random.default_rng(3).standard_normal((len(ids), dimensions)).astype(np.float32)
    return FeatureTable(tuple(ids), modality, values, "encoder/1", **more)


def test_round_trip(tmp_path):
    before = table(fingerprint="ab")
    path = before.save(tmp_path / "features")
    after = FeatureTable.load(path)
    np.testing.assert_array_equal(after.values, before.values)
    assert after.values.dtype == np.float32
    assert (after.item_ids, after.modality, after.encoder, after.fingerprint) == (
        before.item_ids,
        "text",
        "encoder/1",
        "ab",
    )
    assert [file.name for file in path.parent.iterdir()] == ["text.parquet"]


def test_a_part_of_an_array_is_saved_as_it_is_seen(tmp_path):
    values = np.arange(24, dtype=np.float32).reshape(4, 6)[::2, ::3]
    path = FeatureTable(("a", "b"), "image", values, "e").save(tmp_path)
    np.testing.assert_array_equal(FeatureTable.load(path).values, [[0, 3], [12, 15]])


def test_rows_follow_the_ids_asked_for():
    given = table()
    values, present = given.aligned(["c", "new", "a"])
    np.testing.assert_array_equal(values, [given.values[2], np.zeros(4), given.values[0]])
    assert present.tolist() == [True, False, True]


def test_all_tables_of_a_folder_by_modality(tmp_path):
    for modality in ("text", "image"):
        table(modality=modality).save(tmp_path)
    (tmp_path / ".cache").mkdir()
    assert {name: one.modality for name, one in load_features(tmp_path).items()} == {"image": "image", "text": "text"}
    assert load_features(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("ids", "values", "what"),
    [
        (("a",), np.zeros((2, 3)), "2 rows of features for 1 items"),
        (("a", "b"), np.zeros(2), "shape"),
        (("a", "a"), np.zeros((2, 3)), "twice"),
        (("a", "b"), np.array([[0.0, 1.0], [np.nan, 1.0]]), "first: item 'b'"),
        (("a", "b"), np.array([[np.inf, 1.0], [0.0, 1.0]]), "first: item 'a'"),
    ],
)
def test_what_cannot_be_right_is_refused(ids, values, what):
    with pytest.raises(DataError, match=what) as caught:
        FeatureTable(ids, "image", values.astype(np.float32), "e")
    assert "'image'" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more", "frame", "columns", "ragged"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "text.parquet"
    if content == "frame":
        pl.DataFrame({"item_id": ["a"], "vector": [[1.0]]}).write_parquet(path)
    elif content == "columns":
        pl.DataFrame({"id": ["a"]}).write_parquet(path, metadata={"viral": "{}"})
    elif content == "ragged":
        frame = pl.DataFrame({"item_id": ["a", "b"], "vector": [[1.0, 2.0, 3.0], [1.0]]})
        frame.write_parquet(path, metadata={"viral": '{"modality": "text", "encoder": "e", "fingerprint": ""}'})
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match="not a feature table") as caught:
        FeatureTable.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="viral encode"):
        FeatureTable.load(tmp_path / "text.parquet")


def test_a_flipped_bit_is_noticed_or_harmless(tmp_path):
    before = table(ids=[f"item {n}" for n in range(40)], fingerprint="ab")
    path = before.save(tmp_path)
    noticed = 0
    for _ in flips(path, 200):
        try:
            after = FeatureTable.load(path)
        except DataError as error:
            assert error.where == str(path)
            noticed += 1
        else:
            np.testing.assert_array_equal(after.values, before.values)
            assert (after.item_ids, after.modality, after.encoder, after.fingerprint) == (
                before.item_ids, "text", "encoder/1", "ab"
            )  # fmt: skip
    assert noticed > 100


def test_values_that_no_encoder_gives_are_refused():
    with pytest.raises(DataError, match=r"first: item 'b'\), or beyond 1e\+12"):
        FeatureTable(("a", "b"), "text", np.array([[1.0], [1e37]], dtype=np.float32), "e")


def test_a_table_of_before_there_were_checksums_is_read(tmp_path):
    import json

    import pyarrow.parquet as pq

    path = table().save(tmp_path)
    old = pq.read_table(path)
    origin = json.loads(old.schema.metadata[b"viral"])
    del origin["sha256"]
    pq.write_table(old.replace_schema_metadata({"viral": json.dumps(origin)}), path)
    np.testing.assert_array_equal(FeatureTable.load(path).values, table().values)
