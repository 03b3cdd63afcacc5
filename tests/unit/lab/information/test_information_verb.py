"""`viral information`: a run of a planted shop without pictures, in text and JSON, and its faults."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from viral.apps.cli import app
from viral.apps.cli.information import render
from viral.data.dataset import Dataset
from viral.data.features import FeatureTable
from viral.data.splitting import split
from viral.lab.information.decomposition import PARTS
from viral.lab.information.estimator_limits import LIMITS
from viral.lab.information.predicted_choices import log_factors
from viral.lab.information.run_information import _modalities
from viral.lab.information.validate import word_features
from viral.lab.shop import ShopConfig, make_shop, make_world
from viral.models import EmbeddingScorer, HistoryScorer
from viral.models.scorers import MemoryScorer, scales_of
from viral.run.bundle import Bundle, make_bundle
from viral.run.explain.information import FILE, load

ITEMS = 200


def viral(*words, code=0):
    done = CliRunner().invoke(app, ["information", *map(str, words)])
    assert done.exit_code == code, done.output
    return done


def leave(path, dataset, scorer):
    parts = split(dataset.interactions(), dataset.catalog().ids)
    about = {"model": "viral", "dataset": str(dataset.path), "recipe": {"config": {}}}
    made = make_bundle(scorer, dataset.catalog(), parts.users, parts.items, parts.train, about)
    made.save(path / "bundle")
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop where the synergy counts most, with exact features of its words."""
    config = ShopConfig(
        users=500, items=ITEMS, interactions_per_user=16.0, unique_picture=0.0, synergistic=3.0, pictures=False
    )
    dataset = make_shop(tmp_path_factory.mktemp("information") / "shop", config)
    dataset.features_folder.mkdir()
    for modality, values in zip(("text", "description"), word_features(make_world(config), 0.02, 0), strict=True):
        FeatureTable(dataset.catalog().ids, modality, values.astype(np.float32), "words").save(dataset.features_folder)
    return dataset


@pytest.fixture(scope="module")
def run(shop):
    """A model whose users are the factors of the log, and whose synergy branch is the exclusive-or."""
    world = make_world(ShopConfig(**shop.manifest["source"]["options"]))
    users = torch.tensor(log_factors(split(shop.interactions(), shop.catalog().ids).train)).float()
    items = torch.randn(ITEMS, users.shape[1], generator=torch.Generator().manual_seed(0))
    items[:, 8:] = torch.tensor(world.xor)[:, None] + 0.1 * items[:, 8:]
    parts = {"text": (0, 8), "synergy": (8, users.shape[1])}
    return leave(shop.path.parent / "run", shop, EmbeddingScorer(users, items, parts))


@pytest.fixture(scope="module")
def document(run):
    return json.loads(viral(run, "--json", "--clusters", "8", "--bootstrap", "10").stdout)


def test_what_was_planted_is_reported_beside_the_truth(document):
    for negatives in ("uniform", "popularity"):
        found = document["estimates"][f"scores/{negatives}"]["8"]
        for definition in ("broja", "common"):
            shares = found["shares"][definition]
            truth = document["planted"]["truth"][definition]
            assert max(shares, key=shares.get) == max(truth, key=truth.get) == "synergistic"
        assert found["broja"]["synergistic"]["low"] < found["broja"]["synergistic"]["bits"]
    assert document["planted"]["weights"]["unique_visual"] == 0.0
    assert document["sources"] == {"text": "text", "visual": "description"}


def test_the_models_parts_and_what_they_hold(document):
    parts = document["model"]["parts"]
    assert set(parts) == {"text", "synergy"} and sum(p["share"] for p in parts.values()) == pytest.approx(1.0)
    assert document["model"]["branches"]["synergy"]["interaction"] > 0.5
    assert document["model"]["branches"]["text"]["products"] < 0.1
    read = document["planted"]["probes"]["synergy"]
    assert read["xor"]["linear"] > 0.95 and read["colour"]["linear"] < 0.3
    assert read["colour"]["chance"] == pytest.approx(1 / 8, abs=0.01)


def test_every_item_is_there_and_limits_are_said(document):
    assert len(document["items"]) == ITEMS == len({row["item_id"] for row in document["items"]})
    assert set(document["items"][0]["common"]) == set(PARTS)
    assert document["limits"] == dict(LIMITS)


def test_the_document_is_kept_for_explanations(run, document):
    assert json.loads((run / FILE).read_text()) == document
    kept = load(run)
    assert len(kept) == ITEMS
    for row in document["items"]:
        assert kept[row["item_id"]] == {name: bits for name, bits in row["broja"].items() if bits is not None}
    assert not [path for path in run.iterdir() if path.name.startswith(".")], "nothing half written is left"


def test_the_text_says_the_same(document):
    text = render(document)
    bits = document["estimates"]["scores/uniform"]["8"]["broja"]["synergistic"]["bits"]
    assert f"{bits:.4f} [" in text
    for words in ("The planted truth", "The model's own parts", "What is read from each branch", *LIMITS):
        assert words in text
    assert all(limit in text for limit in LIMITS.values())


def test_the_help_tells_the_limits():
    shown = " ".join(CliRunner().invoke(app, ["information", "--help"], env={"COLUMNS": "200"}).stdout.split())
    assert all(limit.split(":")[0].split(",")[0] in shown for limit in LIMITS.values())


def test_a_model_without_vectors_and_data_without_truth(run, shop, tmp_path):
    plain = tmp_path / "plain"
    shutil.copytree(shop.path, plain)
    (plain / "truth.parquet").unlink()
    empty = torch.zeros(501, dtype=torch.int64)
    other = leave(tmp_path / "other", Dataset.open(plain), HistoryScorer(empty, empty[:0], torch.eye(ITEMS)))
    text = viral(other, "--clusters", "2,40", "--groups", "2", "--bootstrap", "0").stdout
    assert "The model's own parts" not in text and "planted truth" not in text
    assert "2 cells, broja" in text and "40 cells: refused" in text and f"kept in {other / FILE}" in text


def test_a_memory_is_a_part_without_a_branch(run, shop, tmp_path):
    vectors = Bundle.load(run / "bundle").scorer
    log = split(shop.interactions(), shop.catalog().ids).train
    memory = HistoryScorer(*log.rows(), torch.randn(ITEMS, ITEMS, generator=torch.Generator().manual_seed(0)))
    scorer = MemoryScorer(vectors, memory, scales_of(memory(torch.arange(500)), 1.0), 1.0)
    both = leave(tmp_path / "both", shop, scorer)
    found = json.loads(viral(both, "--json", "--clusters", "4", "--bootstrap", "0").stdout)
    assert list(found["model"]["parts"]) == ["text", "synergy", "memory"]
    assert list(found["model"]["branches"]) == list(found["planted"]["probes"]) == ["text", "synergy"]
    assert "memory" in render(found)


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["--clusters", "four"], "--clusters 'four'", 2),
        (["--clusters", "1"], "clusters (1,)", 2),
        (["--correction", "some"], "unknown correction", 2),
        (["--groups", "0"], "groups at least 1", 2),
        (["--visual", "audio"], "no 'audio' features", 1),
        (["--visual", "text"], "both 'text'", 2),
        (["--dataset", "nowhere"], "not a data set folder", 1),
    ],
)
def test_faults_are_told(run, words, message, code):
    assert message in viral(run, *words, "--bootstrap", "0", code=code).stderr


@pytest.mark.parametrize(
    ("about", "pair"),
    [
        ({"recipe": {"config": {"text": "title", "visual": "image"}}}, ("title", "image")),
        ({"recipe": {"config": {"text": None, "visual": None}}, "reads": []}, ("text", "description")),
        ({"recipe": {"config": {"sources": ["auto"]}}, "reads": ["title", "image"]}, ("title", "image")),
        ({"recipe": {"config": {}}, "reads": ["text", "audio"]}, ("text", "description")),
        ({}, ("text", "description")),
    ],
)
def test_by_default_it_is_about_what_the_model_reads(about, pair, run, shop, tmp_path):
    for name in ("text", "description", "title", "image"):
        FeatureTable(shop.catalog().ids, name, np.ones((ITEMS, 2), np.float32), "t").save(tmp_path)
    there = SimpleNamespace(features_folder=tmp_path)
    bundle = replace(Bundle.load(run / "bundle"), about=about)
    assert _modalities(bundle, there, None, None) == pair
    assert _modalities(bundle, there, "description", "text") == ("description", "text")


def test_another_data_set_is_refused(run, shop, tmp_path):
    other = make_shop(tmp_path / "shop", ShopConfig(users=50, items=50, pictures=False))
    assert "not the run's" in viral(run, "--dataset", other.path, code=1).stderr
