"""Descriptions by hand: kept, locked, used by encode, taken away again."""

import json

import polars as pl
import pytest

from describers import LoggingDescriber, draw
from viral.base.errors import DataError, UnknownIdError, UsageError
from viral.data.dataset import Dataset
from viral.data.edits import EDITS_FILE
from viral.enrich import (
    EnrichOptions,
    Ledger,
    edit,
    enrich,
    load_descriptions,
    load_edits,
    load_prompt,
    save_descriptions,
    unlock,
)

PLAIN = load_prompt("plain")


@pytest.fixture
def dataset(tmp_path):
    items = [{"item_id": f"i{n}", "title": f"thing {n}", "text": "", "image": f"images/{n}.png"} for n in range(4)]
    pl.DataFrame(items).write_parquet(tmp_path / "items.parquet")
    for n in range(4):
        draw(tmp_path / "images" / f"{n}.png", n + 1)
    return Dataset(tmp_path, {})


def described(dataset, describer):
    with Ledger(dataset.path / "ledger.sqlite") as ledger:
        found = enrich(dataset.catalog(), describer, PLAIN, ledger, options=EnrichOptions(locked=load_edits(dataset)))
    save_descriptions(found, dataset.path)
    return found


def test_a_human_text_is_kept_through_runs_and_used_in_the_place_of_the_describers(dataset, tmp_path):
    describer = LoggingDescriber(tmp_path / "calls.log")
    said = described(dataset, describer).texts
    assert edit(dataset, "i1", "  A red\n mug\x00. ") == "A red mug."
    described(dataset, LoggingDescriber(tmp_path / "calls.log", revision="2"))
    loaded = load_descriptions(dataset)
    assert loaded.texts["i1"] == "A red mug."
    assert {row.item_id for row in loaded.rows if row.edited} == {"i1"}
    assert loaded.texts["i2"] == said["i2"]


def test_a_locked_item_is_not_asked_for_and_is_after_it_was_unlocked(dataset, tmp_path):
    describer = LoggingDescriber(tmp_path / "calls.log")
    edit(dataset, "i1", "A red mug.")
    found = described(dataset, describer)
    assert sorted(describer.calls) == ["i0", "i2", "i3"]
    assert found.rows[1].status == "pending"
    assert load_descriptions(dataset).counts["done"] == 4
    assert unlock(dataset, "i1") == "A red mug."
    assert load_descriptions(dataset).counts["pending"] == 1
    described(dataset, describer)
    assert describer.calls[3:] == ["i1"] and load_descriptions(dataset).counts["done"] == 4


def test_without_a_describer_human_texts_stand_alone(dataset):
    assert load_descriptions(dataset) is None
    edit(dataset, "i1", "A red mug.")
    edit(dataset, "i3", "A lamp.")
    edit(dataset, "i3", "A tall lamp.")
    found = load_descriptions(dataset)
    assert found.texts == {"i1": "A red mug.", "i3": "A tall lamp."}
    assert (found.describer, found.counts["pending"]) == ("human/1", 2)


def test_wrong_words(dataset):
    with pytest.raises(UnknownIdError, match="i9"):
        edit(dataset, "i9", "text")
    for text in ("", " \n", "x" * 5001):
        with pytest.raises(UsageError, match="characters"):
            edit(dataset, "i1", text)
    with pytest.raises(UnknownIdError, match="not edited"):
        unlock(dataset, "i1")
    assert load_edits(dataset) == {}


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 2, "edits": {}}', '{"format": 1, "edits": {"i1": {"text": 3}}}']
)
def test_a_damaged_file_is_named_and_not_overwritten(dataset, content):
    file = dataset.path / EDITS_FILE
    file.parent.mkdir()
    file.write_text(content)
    for attempt in (lambda: load_edits(dataset), lambda: edit(dataset, "i1", "A mug.")):
        with pytest.raises(DataError) as caught:
            attempt()
        assert str(file) in str(caught.value)
    assert file.read_text() == content


def test_the_file_can_be_read_by_people(dataset):
    edit(dataset, "i1", "红色杯子 “SUN”")
    stored = json.loads((dataset.path / EDITS_FILE).read_text(encoding="utf-8"))
    assert stored["edits"]["i1"]["text"] == "红色杯子 “SUN”" and stored["edits"]["i1"]["written"]
