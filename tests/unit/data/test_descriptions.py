"""Descriptions: their file, and finding the right one."""

from dataclasses import replace

import polars as pl
import pyarrow.parquet as pq
import pytest
from hardening.damage import flips

from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset
from viral.enrich import (
    Description,
    Descriptions,
    all_descriptions,
    describer_named,
    load_descriptions,
    save_descriptions,
)

ROWS = (
    Description("a", "a red mug", "pixel/1", "title", "ff", "done"),
    Description("b", "", "pixel/1", "title", "", "missing picture", "picture is missing"),
    Description("c", "", "pixel/1", "title", "ee", "failed", "Timeout: 60 s"),
)
SAID = Descriptions(ROWS, "pixel/1", "title")


@pytest.fixture
def dataset(tmp_path):
    return Dataset(tmp_path, {})


def test_texts_and_counts():
    assert SAID.texts == {"a": "a red mug"}
    assert SAID.counts == {
        "done": 1,
        "missing picture": 1,
        "unreadable": 0,
        "refused": 0,
        "failed": 1,
        "quarantined": 0,
        "pending": 0,
    }


def test_round_trip(dataset):
    path = save_descriptions(SAID, dataset.path)
    assert path == dataset.path / "descriptions" / "pixel-title.parquet"
    assert load_descriptions(dataset) == SAID
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_flags_are_in_the_file_and_a_file_without_them_can_still_be_read(dataset):
    rows = (replace(ROWS[0], flags=("too short", "title copied")), *ROWS[1:])
    path = save_descriptions(Descriptions(rows, "pixel/1", "title"), dataset.path)
    loaded = load_descriptions(dataset)
    assert loaded.rows == rows and loaded.flags["too short"] == 1
    table = pq.read_table(path)  # an earlier version wrote neither flags nor a checksum
    origin = {"viral": '{"describer": "pixel/1", "prompt": "title"}'}
    pq.write_table(table.drop_columns(["flags"]).replace_schema_metadata(origin), path)
    assert load_descriptions(dataset) == SAID


def test_a_new_revision_takes_the_old_ones_place(dataset):
    save_descriptions(SAID, dataset.path)
    newer = Descriptions(tuple(replace(row, describer="pixel/2") for row in ROWS), "pixel/2", "title")
    save_descriptions(newer, dataset.path)
    assert load_descriptions(dataset) == newer


def test_nothing_described(dataset):
    assert load_descriptions(dataset) is None
    with pytest.raises(UsageError, match="viral enrich"):
        load_descriptions(dataset, prompt="title")


def test_several_must_be_chosen_from(dataset):
    for describer, prompt in (("pixel/1", "title"), ("pixel/1", "plain"), ("qwen/7b", "title")):
        rows = tuple(replace(row, describer=describer, prompt=prompt) for row in ROWS)
        save_descriptions(Descriptions(rows, describer, prompt), dataset.path)
    assert load_descriptions(dataset, "pixel", "plain").prompt == "plain"
    assert load_descriptions(dataset, describer="qwen").describer == "qwen/7b"
    for wrong in ({}, {"describer": "pixel"}, {"prompt": "title"}):
        with pytest.raises(UsageError, match=r"several[\s\S]*pixel-title"):
            load_descriptions(dataset, **wrong)
    with pytest.raises(UsageError, match="qwen-title"):
        load_descriptions(dataset, "qwen", "plain")


@pytest.mark.parametrize("content", [b"", b"no parquet", None])
def test_another_file_is_refused(dataset, content):
    path = save_descriptions(SAID, dataset.path)
    if content is None:
        pl.DataFrame({"item_id": ["a"], "text": ["b"]}).write_parquet(path)
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match="not a file of descriptions") as caught:
        load_descriptions(dataset)
    assert str(path) in str(caught.value)


def test_an_unknown_describer_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean pixel"):
        describer_named("pixels")


def test_settings_are_fields_of_the_describers_configuration():
    assert describer_named("pixel", ["batch_size=8", "threads=1"]).batch_size == 8
    for words, what in (
        (["batchsize=8"], r"unknown key 'batchsize'[\s\S]*batch_size"),
        (["batch_size=many"], "not int"),
        (["batch_size=0"], "less than 1"),
        (["batch_size"], "not KEY=VALUE"),
        (["api_key=secret"], "unknown key 'api_key'"),
    ):
        with pytest.raises(UsageError, match=what):
            describer_named("pixel", words)


def test_a_flipped_bit_is_noticed_or_harmless(tmp_path):
    rows = tuple(
        Description(f"i{n}", f"A mug, number {n}.", "pixel/1", "title", f"{n:064}", "done", "", ("too short",))
        for n in range(30)
    )
    path = save_descriptions(Descriptions(rows, "pixel/1", "title"), tmp_path)
    dataset, noticed = Dataset(tmp_path, {}), 0
    for _ in flips(path, 150):
        try:
            (found,) = all_descriptions(dataset)
        except DataError as error:
            assert error.where == str(path)
            noticed += 1
        else:
            assert found.rows == rows and (found.describer, found.prompt) == ("pixel/1", "title")
    assert noticed > 75
