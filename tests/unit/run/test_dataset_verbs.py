"""The verbs of a data set in Python do what the command line's do, in the same folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import viral
from encoders import BagOfWords
from makers import write
from shop_folder import make_folder
from viral.apps.cli import app
from viral.base.errors import UsageError
from viral.data.edits import edit
from viral.enrich import load_descriptions
from viral.run import dataset as verbs


@pytest.fixture
def shop(tmp_path: Path) -> viral.Dataset:
    source = make_folder(tmp_path / "shop")
    return viral.import_table(source, tmp_path / "data", images=source / "pictures")


def command(*words: str) -> Any:
    """The JSON document of a command."""
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_pictures_are_described_once(shop: viral.Dataset) -> None:
    edit(shop, "A-1", "A mug by hand.")
    found = shop.enrich()
    assert found.counts["done"] == 24 and found.texts["A-1"] == "A mug by hand."
    told = command("enrich", str(shop.path))
    assert told["spent"]["asked"] == 0, "the ledger knows what Python asked"
    assert told["counts"] == dict(found.counts) and told["edited"] == 1
    assert shop.enrich("pixel", "plain").prompt == "plain"
    assert load_descriptions(shop, "pixel", "title").texts == found.texts


def test_wishes_reach_the_describer_and_the_ledger(shop: viral.Dataset, tmp_path: Path) -> None:
    shop.enrich(ledger=tmp_path / "elsewhere.sqlite", max_attempts=1, fetch=False)
    assert (tmp_path / "elsewhere.sqlite").is_file() and not (shop.path / "ledger.sqlite").exists()
    with pytest.raises(UsageError, match="unknown key 'colour'"):
        shop.enrich(colour=1)


def test_descriptions_made_elsewhere_are_taken_in(shop: viral.Dataset, tmp_path: Path) -> None:
    words = write(tmp_path / "words.csv", "item_id,description\nA-0,A red mug.\nA-1,A blue mug.\nnowhere,A ghost.\n")
    found = shop.import_descriptions(words, describer="people", prompt="plain")
    assert found.sets[0].added == 2 and len(found.file.rejections) == 1
    assert load_descriptions(shop, "people").texts["A-0"] == "A red mug."


def test_what_is_encoded_is_chosen(shop: viral.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viral.encode.feature_tables.encoder_of", lambda *rest: BagOfWords())
    tables = shop.encode("text", "title")
    assert set(tables) == {"text", "title"} and (shop.features_folder / "text.parquet").is_file()
    stamp = (shop.features_folder / "text.parquet").stat().st_mtime_ns
    told = command("encode", str(shop.path), "--modality", "text")
    assert told == {"text": {"shape": [24, 24], "encoder": "bag/1"}}
    assert (shop.features_folder / "text.parquet").stat().st_mtime_ns == stamp, "unchanged, by either way"
    shop.enrich()
    assert set(shop.encode("description", describer="pixel", prompt="title")) == {"description"}
    with pytest.raises(UsageError):
        shop.encode("description", describer="nobody")


def test_the_doctor_is_that_of_the_command(shop: viral.Dataset) -> None:
    report = shop.doctor()
    assert report.to_json() == command("doctor", str(shop.path)) and report.trainable


def test_a_data_set_is_what_the_core_takes(shop: viral.Dataset) -> None:
    assert isinstance(shop, verbs.folders.Dataset) and shop.catalog().ids[0] == "A-0"
