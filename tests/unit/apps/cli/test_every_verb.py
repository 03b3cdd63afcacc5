"""The whole way on the command line, as a user goes it, on a small shop: every verb, text and JSON."""

import json
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest

from command_line import viral, viral_json

FEW = ["--set", "max_epochs=2", "--set", "batch_size=128"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop, enriched and encoded by the command line."""
    dataset = tmp_path_factory.mktemp("way") / "shop"
    viral("shop", str(dataset), "--users", "40", "--items", "24", "--interactions-per-user", "6")
    viral("enrich", str(dataset))
    viral("encode", str(dataset), "--modality", "text", "--modality", "description")
    return dataset


@pytest.fixture(scope="module")
def run(shop: Path) -> Path:
    """VIRAL, trained for two epochs."""
    out = shop.parent / "runs" / "viral"
    viral("train", str(shop), "--model", "viral", *FEW, "--set", "crossmodal_dim=16", "--out", str(out))
    return out


def test_a_healthy_shop_passes_the_doctor(shop: Path) -> None:
    report = viral_json("doctor", str(shop))
    assert report["trainable"] is True
    assert not [finding for finding in report["findings"] if finding["severity"] == "error"]


def test_the_data_set_is_the_folder_of_the_design(shop: Path) -> None:
    names = {path.name for path in shop.iterdir()}
    assert {"manifest.json", "items.parquet", "interactions.parquet", "images", "features"} <= names


def test_training_reports_metrics_seconds_and_memory(run: Path) -> None:
    report = json.loads((run / "run.json").read_text())
    assert {"recall@10", "recall@20", "ndcg@10", "ndcg@20"} <= set(report["metrics"])
    assert report["split"] == "test" and report["users"] == 40
    assert len(report["epoch_seconds"]) == 2 and report["peak_memory_bytes"] > 1_000_000
    assert set(report["protocols"]) == {"train", "train+valid"}


def test_evaluate_gives_the_same_numbers_as_training_did(run: Path) -> None:
    report = json.loads((run / "run.json").read_text())
    again = viral_json("evaluate", str(run))
    assert again["metrics"] == report["metrics"] and again["masked"] == "train"
    other = viral_json("evaluate", str(run), "--mask", "train+valid")
    assert other["metrics"] == report["protocols"]["train+valid"] and other["masked"] == "train+valid"
    assert viral_json("evaluate", str(run), "--split", "valid")["split"] == "valid"


def test_recommendations_have_raw_ids_and_parts_that_add_up(run: Path) -> None:
    found = viral_json("recommend", str(run), "--user", "u0001", "-k", "5")
    assert found["user_id"] == "u0001" and len(found["recommendations"]) == 5
    for place, row in enumerate(found["recommendations"], start=1):
        assert row["rank"] == place and row["item_id"].startswith("p")
        assert set(row["parts"]) - {"memory"} == {"text", "unique_description", "synergy", "taste"}
        assert sum(row["parts"].values()) == pytest.approx(row["score"], abs=1e-5)


def test_explain_splits_the_score_that_recommend_gives(run: Path) -> None:
    best = viral_json("recommend", str(run), "--user", "u0002", "-k", "1")["recommendations"][0]
    split = viral_json("explain", str(run), "--user", "u0002", "--item", best["item_id"])
    assert split["score"] == pytest.approx(best["score"], abs=1e-5)
    assert split["parts"] == pytest.approx(best["parts"], abs=1e-6)
    assert best["title"] in viral("explain", str(run), "--user", "u0002", "--item", best["item_id"])


def test_a_run_recommends_without_its_data_set(run: Path, tmp_path: Path) -> None:
    alone = tmp_path / "run"
    shutil.copytree(run / "bundle", alone)
    assert viral_json("recommend", str(alone), "--user", "u0001") == viral_json(
        "recommend", str(run), "--user", "u0001"
    )


def test_a_finished_run_is_not_trained_again(shop: Path, run: Path) -> None:
    before = (run / "run.json").read_bytes()
    words = ["train", str(shop), "--model", "viral", *FEW, "--set", "crossmodal_dim=16", "--out", str(run)]
    assert viral_json(*words) == {k: v for k, v in json.loads(before).items() if k not in ("seal", "sealed")}
    assert (run / "run.json").read_bytes() == before


def test_another_recipe_into_the_same_folder_is_refused(shop: Path, run: Path) -> None:
    error = viral_json("train", str(shop), "--model", "lightgcn", "--out", str(run), code=2)["error"]
    assert "another recipe" in error["what"] and "--out" in error["hint"]


def test_a_recipe_file_is_the_same_as_its_words(shop: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('model = "bpr"\n[config]\nembedding_dim = 8\n[train]\nmax_epochs = 2\nbatch_size = 128\n')
    from_file = viral_json("train", str(shop), "--recipe", str(recipe), "--out", str(tmp_path / "a"))
    words = ["--model", "bpr", "--set", "embedding_dim=8", *FEW]
    from_words = viral_json("train", str(shop), *words, "--out", str(tmp_path / "b"))
    assert from_file["metrics"] == from_words["metrics"]


def test_a_seed_repeats_a_run_and_another_does_not(shop: Path, tmp_path: Path) -> None:
    words = ["train", str(shop), "--model", "lightgcn", *FEW, "--seed"]
    runs = [
        viral_json(*words, seed, "--out", str(tmp_path / name)) for seed, name in (("3", "a"), ("3", "b"), ("4", "c"))
    ]
    losses = [[record["losses"] for record in run["history"]] for run in runs]
    assert losses[0] == losses[1] != losses[2]


def test_an_out_of_tree_model_needs_no_registration(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text("from viral.models import BPR\n\n\nclass Mine(BPR):\n    pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    out = viral_json("train", str(shop), "--model", "mine:Mine", *FEW, "--out", str(tmp_path / "run"))
    assert out["model"] == "mine:Mine" and out["epochs"] == 2


def test_a_changed_split_is_not_measured_as_if_it_were_the_same(shop: Path, run: Path, tmp_path: Path) -> None:
    other = tmp_path / "shop"
    shutil.copytree(shop, other)
    frame = pl.read_parquet(other / "interactions.parquet")
    frame.with_columns(split=pl.col("split").reverse()).write_parquet(other / "interactions.parquet")
    error = viral_json("evaluate", str(run), "--dataset", str(other), code=1)["error"]
    assert "training interactions" in error["what"]
