"""A run whose items' words came from a file is updated, and nobody is asked."""

from dataclasses import replace
from pathlib import Path

import pytest

from makers import write
from unit.run.update.test_update import OLD, RECIPE, log_of, makers, shop
from viral.encode import encode_dataset
from viral.enrich import LEDGER_FILE, Ledger, load_descriptions
from viral.enrich.import_descriptions import ImportConfig, import_words
from viral.run.bundle import Bundle
from viral.run.pipeline import train
from viral.run.retrieval import NoDescriber
from viral.run.retrieval.item_encoders import ItemEncoders
from viral.run.update import update
from viral.run.update.new_features import refresh

WORDS = "id,text\n" + "".join(f"{item},A red thing of metal with {item} on it\n" for item in OLD[:18])


def take(dataset, content):
    file = write(dataset.path.parent / "words.csv", content)
    with Ledger(dataset.path / LEDGER_FILE) as ledger:
        import_words(dataset, ImportConfig(file=str(file), describer="Qwen", prompt="plain"), ledger)
    return load_descriptions(dataset)


def test_words_from_a_file_go_on_into_a_new_data_set(tmp_path: Path) -> None:
    dataset, new = shop(tmp_path / "old", OLD, log_of(range(16), OLD)), makers(tmp_path / "log.txt")
    descriptions = take(dataset, WORDS)
    names = ["text", "description", "words", "image"]
    encode_dataset(dataset, descriptions=descriptions, encoder=new.words, vision=new.vision, modalities=names)
    train(dataset, replace(RECIPE, config={**RECIPE.config, "variant": "light"}), tmp_path / "run")
    bundle = Bundle.load(tmp_path / "run" / "bundle")
    assert bundle.material.columns["description"][3] == "A red thing of metal with i3 on it"
    encoders = ItemEncoders(bundle.material, words=new.words, vision=new.vision)
    picture = (dataset.path / "images" / "i3.png").read_bytes()
    features, said = encoders.encode("Red mug", picture)
    assert (set(features), said) == ({"text", "description", "image"}, "")  # nobody to ask: no words alone
    grown = shop(tmp_path / "new", [*OLD, "i20"], log_of(range(16), OLD))
    summary = update(tmp_path / "run", grown, tmp_path / "updated", makers=new)
    assert summary["update"]["counts"]["described"] == 0 and new.describer.calls == []
    assert load_descriptions(grown).texts == descriptions.texts
    assert "words" in Bundle.load(tmp_path / "updated" / "bundle").material.features
    for file in (grown.path / "descriptions").glob("*.parquet"):
        file.unlink()
    with pytest.raises(NoDescriber, match=r"Qwen with prompt plain, out of a file\n.*--describer import"):
        refresh(grown, bundle.material, new)
