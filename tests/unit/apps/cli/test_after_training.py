"""After training, on the command line: ask a run, go on from it, take it elsewhere."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from command_line import viral, viral_json
from viral.data.dataset import Source, write_tables

FEW = ["--set", "max_epochs=2", "--set", "batch_size=128"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VIRAL as published on text and title, two epochs; the shop is beside it."""
    folder = tmp_path_factory.mktemp("life")
    viral("shop", str(folder / "shop"), "--users", "40", "--items", "24", "--no-pictures")
    viral("encode", str(folder / "shop"), "--modality", "text", "--modality", "title")
    small = ["--set", "variant=light", "--set", "visual=title", "--set", "crossmodal_dim=16"]
    viral("train", str(folder / "shop"), "--model", "viral", *FEW, *small, "--out", str(folder / "run"))
    return folder / "run"


def test_a_new_user_is_recommended_by_the_items_they_chose(run: Path) -> None:
    found = viral_json("recommend", str(run), "--item", "p0001", "--item", "p0002", "-k", "4")
    assert found["item_ids"] == ["p0001", "p0002"] and len(found["recommendations"]) == 4
    assert not {"p0001", "p0002"} & {row["item_id"] for row in found["recommendations"]}
    assert viral("recommend", str(run), "--item", "p0001").startswith("history: ")
    for words in ([], ["--user", "u0001", "--item", "p0001"]):
        assert "either --user" in viral_json("recommend", str(run), *words, code=2)["error"]["what"]


def test_filters_and_variety(run: Path) -> None:
    category = pl.read_parquet(run.parent / "shop" / "items.parquet")
    wanted = category["category"][0]
    allowed = set(category.filter(pl.col("category") == wanted)["item_id"])
    words = ["recommend", str(run), "--user", "u0001", "--seen"]
    only = {row["item_id"] for row in viral_json(*words, "--category", wanted)["recommendations"]}
    assert only == allowed
    less = {row["item_id"] for row in viral_json(*words, "--category", wanted, "--deny", min(only))["recommendations"]}
    assert less == allowed - {min(only)}
    plain, varied = (viral_json(*words, "-k", "5", "--diversity", share)["recommendations"] for share in ("0", "0.9"))
    assert plain[0] == varied[0] and plain != varied
    assert "no item is in category" in viral_json(*words, "--category", "spaceship", code=2)["error"]["what"]


def test_files_of_ids_limit_what_is_answered(run: Path, tmp_path: Path) -> None:
    allowed, stock, wrong = tmp_path / "allowed.txt", tmp_path / "stock.txt", tmp_path / "items.csv"
    allowed.write_text("p0002\np0005\np0009\n")
    stock.write_text("p0009\r\np0005\r\np0011\r\nsold elsewhere\r\n")
    wrong.write_text("item_id,title\np0002,Mug\n")
    for words, name in ((["recommend", str(run), "--user", "u0001", "--seen"], "recommendations"),
                        (["similar", str(run), "--item", "p0003"], "similar")):  # fmt: skip
        found = [
            {row["item_id"] for row in viral_json(*words, *map(str, files))[name]}
            for files in (["--allow", allowed], ["--in-stock", stock], ["--allow", allowed, "--in-stock", stock])
        ]
        assert found == [{"p0002", "p0005", "p0009"}, {"p0005", "p0009", "p0011"}, {"p0005", "p0009"}]
        assert "none of its 2 ids" in viral_json(*words, "--allow", str(wrong), code=1)["error"]["what"]
        assert "no such file" in viral_json(*words, "--in-stock", str(tmp_path / "x"), code=1)["error"]["what"]
    category = pl.read_parquet(run.parent / "shop" / "items.parquet").filter(pl.col("item_id") != "p0003")
    wanted = category["category"][0]
    only = {row["item_id"] for row in viral_json(*words, "-k", "24", "--category", wanted)["similar"]}
    assert only == set(category.filter(pl.col("category") == wanted)["item_id"])


def test_similar_items(run: Path) -> None:
    by_text = viral_json("similar", str(run), "--item", "p0003", "--by", "text", "-k", "3")
    assert len(by_text["similar"]) == 3 and by_text["by"] == "text"
    best = by_text["similar"][0]
    assert best["item_id"] in viral("similar", str(run), "--item", "p0003", "--by", "text", "-k", "1")
    assert viral_json("similar", str(run), "--item", "p0003")["similar"] != by_text["similar"]
    assert "picture" in viral_json("similar", str(run), "--item", "p0003", "--by", "picture", code=2)["error"]["what"]


def test_a_new_item(run: Path) -> None:
    item = pl.read_parquet(run.parent / "shop" / "items.parquet").row(4, named=True)
    found = viral_json("cold", str(run), "--title", item["title"], "--text", item["text"], "-k", "2")
    assert found["way"] == "own" and found["description"] == "" and len(found["vector"]) == 3 * 64
    assert set(found["similar"]) == {"fused", "text", "title"} and len(found["fans"]) == 2
    assert found["similar"]["text"][0]["item_id"] == "p0005"
    assert found["similar"]["text"][0]["similarity"] == pytest.approx(1, abs=1e-5)
    assert "by the model itself" in viral("cold", str(run), "--title", item["title"])
    assert "not a file" in viral_json("cold", str(run), "--title", "x", "--picture", str(run), code=1)["error"]["what"]


def test_an_explanation_has_origins_history_and_words(run: Path) -> None:
    words = ["explain", str(run), "--user", "u0002", "--item", "p0007"]
    found = viral_json(*words, "--words")
    assert sum(found["origins"].values()) == pytest.approx(found["score"], abs=1e-6)
    assert list(found["origins"]) == ["text", "synergy", "unique_visual", "neighbours"]
    assert found["history"] + found["beyond"] == pytest.approx(found["score"])
    text = pl.read_parquet(run.parent / "shop" / "items.parquet")["text"][6]
    assert {row["word"].lower() for row in found["words"]} <= set(
        text.lower().replace(".", " ").replace(",", " ").split()
    )
    shown = viral(*words, "--words")
    assert "  from: text" in shown and "  words: " in shown
    assert "words" not in viral_json(*words)
    (run / "information.json").write_text(json.dumps({"items": [{"item_id": "p0007", "broja": {"redundant": 0.25}}]}))
    try:
        assert viral_json(*words)["information"] == {"redundant": 0.25}
        assert "bits" in viral(*words)
    finally:
        (run / "information.json").unlink()


def test_a_run_goes_on_from_changed_data(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run.parent / "shop", tmp_path / "shop")
    items = pl.read_parquet(tmp_path / "shop" / "items.parquet")
    log = pl.read_parquet(tmp_path / "shop" / "interactions.parquet")
    new = items.head(1).with_columns(item_id=pl.lit("new"), title=pl.lit("Teal umbrella"))
    taken = pl.DataFrame({"user_id": ["u0001"], "item_id": ["new"], "split": ["train"]})
    write_tables(tmp_path / "shop", pl.concat([items, new]), pl.concat([log, taken]), Source(layout="shop"))
    words = ["update", str(run), str(tmp_path / "shop"), "--out", str(tmp_path / "updated")]
    summary = viral_json(*words)
    assert summary["update"]["changes"]["new_items"] == summary["update"]["changes"]["new_interactions"] == 1
    assert summary["update"]["counts"] == {"described": 0, "texts": 2, "pictures": 0}  # its text and its title
    assert "new" in viral("recommend", str(tmp_path / "updated"), "--user", "u0009", "-k", "25")
    again = viral("update", str(tmp_path / "updated"), str(tmp_path / "shop"), "--out", str(tmp_path / "updated"))
    assert again.startswith("changed: nothing")


def test_a_run_leaves_for_other_programs(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    manifest = viral_json("export", str(run), "--out", str(tmp_path / "out"))
    assert manifest["users"] == 40 and manifest["dimensions"] == 192
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "export.json", "items.parquet", "scorer.onnx", "users.parquet",
    ]  # fmt: skip
    assert "already exists" in viral_json("export", str(run), "--out", str(tmp_path / "out"), code=2)["error"]["what"]
    assert "24 items" in viral("export", str(run), "--out", str(tmp_path / "out"), "--overwrite")


def test_models_are_compared_on_items_that_came_later(run: Path, tmp_path: Path) -> None:
    words = ["compare", str(run.parent / "shop"), "--models", "popularity,lightgcn", "--cold", "--seeds", "2", *FEW]
    found = viral_json(*words, "--out", str(tmp_path / "cold"))
    assert found == json.loads((tmp_path / "cold" / "cold.json").read_text())
    assert [(row["name"], row["way"]) for row in found["rows"]] == [
        ("random", ""), ("content neighbours", ""), ("popularity", "neighbors"), ("lightgcn", "neighbors"),
    ]  # fmt: skip
    assert found["command"].endswith("--cold") and found["share"] == 0.1 and found["seeds"] == [0, 1]
    for row in found["rows"]:
        assert row["places"]["withheld"]["recall"]["mean"] == 1.0  # two of two
        assert 0 <= row["places"]["all"]["recall"]["low"] <= row["places"]["all"]["recall"]["high"] <= 1
    text = viral(*words, "--out", str(tmp_path / "cold"), "--workers", "2")
    assert "10% of the items withheld" in text and "The other items" in text
    assert (
        "unknown model"
        in viral_json(*words, "--models", "nobody", "--out", str(tmp_path / "x"), code=2)["error"]["what"]
    )
