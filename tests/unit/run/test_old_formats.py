"""What was written before is read: a run and a data set by the code of commit 2167554, kept as they are."""

import json
import shutil
from pathlib import Path

import pytest
from torch.testing import assert_close

import viral
from viral.data.edits import load_edits
from viral.enrich import LEDGER_FILE, Ledger, load_descriptions

OLD = Path(__file__).parents[2] / "old_formats"
EXPECTED = json.loads((OLD / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy: reading must not need to write, but a ledger is a database."""
    return Path(shutil.copytree(OLD, tmp_path / "old"))


def test_an_old_run_recommends_and_explains(old: Path) -> None:
    run = viral.Run.open(old / "run")
    found = run.recommend(EXPECTED["user"], k=3)
    assert found["item_id"].to_list() == [one["item_id"] for one in EXPECTED["recommend"]]
    assert found["score"].to_list() == pytest.approx([one["score"] for one in EXPECTED["recommend"]], rel=1e-5)
    told, wanted = run.explain(EXPECTED["user"], EXPECTED["explain"]["item_id"]), EXPECTED["explain"]
    assert dict(told.parts) == pytest.approx(wanted["parts"], abs=1e-5) and told.rank == wanted["rank"]
    assert [one.item_id for one in told.evidence] == [one["item_id"] for one in wanted["evidence"]]
    assert "recall@20" in run.metrics and run.recipe.config == {"embedding_dim": 4}
    assert run.similar("A-0").height == 10 and run.recommend_for(["A-0"], k=2).height == 2


def test_an_old_run_is_measured_as_it_was(old: Path) -> None:
    run = viral.Run.open(old / "run")
    assert run.evaluate(dataset=old / "dataset")["metrics"] == pytest.approx(run.metrics)


def test_an_old_run_is_found_again_and_goes_on(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(old)
    run = viral.Run.open("run")
    assert (
        viral.train("dataset", "viral", "run", embedding_dim=4, max_epochs=3, learning_rate=0.02).summary == run.summary
    )
    assert run.update(viral.Dataset.open("dataset"), "next", epochs=1).summary["update"]["carried_over"] > 0


def test_an_old_training_that_was_stopped_goes_on(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends where the one ended that was never stopped; another processor may round otherwise."""
    monkeypatch.chdir(old)
    run = viral.train("dataset", "viral", "stopped", embedding_dim=4, max_epochs=3, learning_rate=0.02)
    scorers = [viral.Run.open(name).bundle.scorer.tensors() for name in ("run", "stopped")]
    for name, stored in scorers[0].items():
        assert_close(scorers[1][name], stored, rtol=1e-3, atol=1e-4)
    assert len(run.summary["history"]) == 3 and not Path("stopped/checkpoint.safetensors").exists()


def test_an_old_data_set_is_trained_on(old: Path, tmp_path: Path) -> None:
    shop = viral.Dataset.open(old / "dataset")
    assert shop.manifest["counts"] == {**shop.manifest["counts"], "users": 16, "items": 12, "images": 12}
    assert shop.manifest["counts"]["rejected"] == {"empty item id": 1} and shop.doctor().trainable
    run = viral.train(shop, viral.Run.open(old / "run").recipe, tmp_path / "run")
    assert run.metrics == pytest.approx(viral.Run.open(old / "run").metrics)


def test_an_old_ledger_and_its_descriptions_are_not_asked_again(old: Path) -> None:
    shop = viral.Dataset.open(old / "dataset")
    before = load_descriptions(shop, "pixel", "title")
    assert before.counts["done"] == 12 and load_edits(shop) == {"A-3": "A red lamp with a shade."}
    with Ledger(shop.path / LEDGER_FILE):
        pass
    found = shop.enrich("pixel", "title")
    if found.describer == before.describer:
        assert found.spent.asked == 0
    assert found.texts["A-3"] == "A red lamp with a shade."
