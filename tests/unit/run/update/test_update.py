"""A shop goes on: new, changed and removed items, new users and interactions."""

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from describers import LoggingDescriber, draw
from encoders import BagOfWords, Colours
from viral.base.errors import DataError, UsageError
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset, Source, image_name, write_tables
from viral.encode import encode_dataset
from viral.enrich import (
    Ledger,
    all_descriptions,
    edit,
    enrich,
    load_descriptions,
    load_edits,
    load_prompt,
    save_descriptions,
)
from viral.models.scorers import MemoryScorer
from viral.run.bundle import Bundle
from viral.run.configuration import configured
from viral.run.pipeline import evaluate_run, load_inputs, load_split, train
from viral.run.retrieval import Retriever
from viral.run.summary import keep_summary, read_summary
from viral.run.update import update
from viral.run.update.new_features import FeatureMakers
from viral.run.update.warm_start import LEAST
from viral.training.item_memory import memory_of

RECIPE = Recipe(
    model="viral",
    config={"embedding_dim": 8, "hidden_dim": 8, "crossmodal_dim": 8, "num_neighbors": 3},
    train=TrainConfig(max_epochs=12, learning_rate=0.01, batch_size=64, patience=8),
)
OLD = [f"i{n}" for n in range(20)]
KEPT = [item for item in OLD if item != "i9"]
Log = list[tuple[str, str, str]]


def log_of(users: range, items: list[str]) -> Log:
    """Even users take even items; of each user's one goes to validation and one to the test."""
    rows = []
    for user in users:
        liked = [item for item in items if (user - int(item[1:])) % 2 == 0 and (user * 7 + int(item[1:])) % 5]
        rows += [(f"u{user}", item, ("valid", "test")[n] if n < 2 else "train") for n, item in enumerate(liked)]
    return rows


def shop(folder: Path, items: list[str], log: Log, titles: dict[str, str] | None = None) -> Dataset:
    for item in items:
        file = folder / image_name(item, ".png")
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            draw(file, int(item[1:]) * 97)
    kinds = ("red mug", "blue lamp")
    table = pl.DataFrame(
        {
            "item_id": items,
            "title": [(titles or {}).get(item, f"{kinds[int(item[1:]) % 2]} {item}") for item in items],
            "text": "from Japan",
            "image": [image_name(item, ".png") for item in items],
        }
    )
    frame = pl.DataFrame(log, schema=["user_id", "item_id", "split"], orient="row")
    return write_tables(folder, table, frame, Source(layout="test"))


def makers(log: Path) -> FeatureMakers:
    return FeatureMakers(LoggingDescriber(log), load_prompt("title"), BagOfWords(), Colours())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on 16 users and 20 items, described and encoded; its data set is beside it."""
    tmp_path = tmp_path_factory.mktemp("update")
    dataset = shop(tmp_path / "old", OLD, log_of(range(16), OLD))
    made = makers(tmp_path / "first.txt")
    with Ledger(dataset.path / "ledger.sqlite") as ledger:
        descriptions = enrich(dataset.catalog(), made.describer, made.prompt, ledger)
    save_descriptions(descriptions, dataset.path)
    encode_dataset(dataset, descriptions=descriptions, encoder=made.words, vision=made.vision)
    train(dataset, RECIPE, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be written over."""
    shutil.copytree(trained, tmp_path / "run")
    shutil.copytree(trained.parent / "old", tmp_path / "old")
    return tmp_path / "run"


def grown(tmp_path: Path) -> Dataset:
    """i9 has gone, i20 and i21 have come, i3 has another title and i5 another picture; two users are new."""
    items = [*KEPT, "i20", "i21"]
    folder = tmp_path / "new"
    shutil.copytree(tmp_path / "old" / "images", folder / "images")
    draw(folder / "images" / "i5.png", 5000)
    log = [row for row in log_of(range(16), OLD) if row[1] != "i9"] + log_of(range(16, 18), KEPT)
    log += [("u2", "i20", "train"), ("u4", "i20", "train"), ("u3", "i21", "train")]
    return shop(folder, items, log, {"i3": "green vase"})


def test_only_what_has_changed_is_described_and_encoded(run: Path, tmp_path: Path) -> None:
    new = makers(tmp_path / "second.txt")
    summary = update(run, grown(tmp_path), tmp_path / "updated", makers=new)
    assert sorted(new.describer.calls) == ["i20", "i21", "i3", "i5"]  # i3: the prompt has the title in it
    counts, changes = summary["update"]["counts"], summary["update"]["changes"]
    assert counts["described"] == 4 and counts["pictures"] == new.vision.seen == 3
    # Text and title of i3, i20 and i21, and the descriptions of these and of i5.
    assert counts["texts"] == len(new.words.texts) == 3 + 3 + 4
    new_rows = 3 + sum(part == "train" for _, _, part in log_of(range(16, 18), KEPT))
    old_rows = sum(item == "i9" and part == "train" for _, item, part in log_of(range(16), OLD))
    assert changes == {
        "new_items": 2, "changed_items": 2, "removed_items": 1, "new_users": 2, "removed_users": 0,
        "new_interactions": new_rows, "removed_interactions": old_rows,
    }  # fmt: skip
    assert old_rows > 2
    assert summary["update"]["carried_over"] > 500


def test_the_new_run_is_a_run(run: Path, tmp_path: Path) -> None:
    dataset = grown(tmp_path)
    summary = update(run, dataset, tmp_path / "updated", makers=makers(tmp_path / "second.txt"))
    retriever = Retriever.load(tmp_path / "updated")
    assert set(retriever.bundle.items.ids) == {*KEPT, "i20", "i21"} and "u17" in retriever.bundle.users
    assert retriever.recommend("u0", 3) and retriever.recommend("u17", 3)
    assert evaluate_run(tmp_path / "updated")["metrics"] == summary["metrics"]
    assert Recipe.read(tmp_path / "updated" / "recipe.toml") == configured(RECIPE).recipe
    old = Bundle.load(run / "bundle")
    assert "i9" in old.items and "i20" not in old.items  # the run that it came from is as it was
    again = update(tmp_path / "updated", dataset, tmp_path / "again", makers=makers(tmp_path / "third.txt"))
    assert again["update"]["counts"] == {"described": 0, "texts": 0, "pictures": 0}
    assert not any(again["update"]["changes"].values())


def test_training_goes_on_from_where_it_was(run: Path, tmp_path: Path) -> None:
    old = json.loads((run / "run.json").read_text())
    new = update(run, grown(tmp_path), tmp_path / "updated", makers=makers(tmp_path / "second.txt"))
    assert new["history"][0]["losses"]["softmax"] < old["history"][0]["losses"]["softmax"] - 0.05
    assert new["epochs"] == LEAST and new["valid"]["best_epoch"] == LEAST - 1  # the last one, whatever validation says
    assert new["update"]["scratch_epochs"] == old["epochs"] > LEAST
    words = makers(tmp_path / "third.txt")
    quick = update(tmp_path / "updated", Dataset.open(tmp_path / "new"), tmp_path / "quick", makers=words, epochs=2)
    assert quick["epochs"] == 2 and quick["update"]["scratch_epochs"] == old["epochs"]


def test_the_memory_is_made_of_the_data_as_they_are_and_not_chosen_again(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its weight was chosen when the run began; validation, which is almost the same, does not choose once more."""
    old = Bundle.load(run / "bundle")
    told = {"kind": "ease", "features": ["text", "image"], "weight": 0.25, "feature_weight": 30.0}
    summary = json.loads((run / "bundle" / "bundle.json").read_text())
    del summary["sha256"]  # as of before there was one
    assert old.about["memory"].keys() == {*told, "valid_without"}
    summary["about"]["memory"] |= told
    (run / "bundle" / "bundle.json").write_text(json.dumps(summary))
    dataset = grown(tmp_path)
    made = update(run, dataset, tmp_path / "updated", makers=makers(tmp_path / "second.txt"))
    read = {"features": made["reads"]}
    assert made["memory"] == told | read | {"valid_without": made["memory"]["valid_without"]}
    new = Bundle.load(tmp_path / "updated" / "bundle")
    assert isinstance(new.scorer, MemoryScorer) and new.about["reads"] == made["reads"] == old.about["reads"]
    assert new.scorer.memory.num_items == 21 and new.scorer.split(0, 20).keys() >= {"memory"}
    config = replace(configured(RECIPE).recipe.memory, feature_weight=30.0)
    inputs = load_inputs(dataset, load_split(dataset), RECIPE)
    assert torch.equal(new.scorer.memory.weights, memory_of(inputs, config, made["reads"]).weights)


def test_the_old_bundle_serves_until_the_new_one_is_there(run: Path, tmp_path: Path) -> None:
    """Updated in place, while somebody looks: a bundle is there at every moment, the old one or the new."""
    dataset, done, sizes, gone = grown(tmp_path), threading.Event(), set(), []

    def look() -> None:
        while not done.is_set():
            try:
                sizes.add(len(json.loads((run / "bundle" / "users.json").read_text())))
            except FileNotFoundError:
                if not (run / "bundle").is_dir():
                    gone.append(1)

    reader = threading.Thread(target=look)
    reader.start()
    update(run, dataset, run, makers=makers(tmp_path / "second.txt"))
    done.set()
    reader.join()
    sizes.add(len(Bundle.load(run / "bundle").users))
    assert sizes == {16, 18} and not gone
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_what_the_run_was_trained_on_must_not_be_held_out(run: Path, tmp_path: Path) -> None:
    dataset = grown(tmp_path)
    frame = pl.read_parquet(dataset.path / "interactions.parquet")
    first = int((frame["split"] == "train").arg_max())
    moved = frame.with_row_index().with_columns(
        split=pl.when(pl.col("index") == first).then(pl.lit("test")).otherwise("split")
    )
    write_tables(
        dataset.path, pl.read_parquet(dataset.path / "items.parquet"), moved.drop("index"), Source(layout="test")
    )
    with pytest.raises(DataError, match="1 interactions that the run was trained on are held out now"):
        update(run, Dataset.open(dataset.path), tmp_path / "updated", makers=makers(tmp_path / "second.txt"))
    assert not (tmp_path / "updated").exists() and not (tmp_path / "second.txt").exists()


def test_a_folder_of_something_else_is_not_replaced(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="holds no run"):
        update(run, grown(tmp_path), tmp_path / "mine", makers=makers(tmp_path / "second.txt"))
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_what_a_human_wrote_is_read_and_not_asked_for(run: Path, tmp_path: Path) -> None:
    edit(Dataset.open(tmp_path / "old"), "i3", "Written by hand.")
    summary = read_summary(run)
    keep_summary(run, summary | {"dataset": str(tmp_path / "old")})
    dataset, new = grown(tmp_path), makers(tmp_path / "second.txt")
    update(run, dataset, tmp_path / "updated", makers=new)
    assert sorted(new.describer.calls) == ["i20", "i21", "i5"]  # i3 has another title, and is a human's
    assert "green vase. Written by hand." in new.words.texts
    bundle = Bundle.load(tmp_path / "updated" / "bundle")
    assert bundle.material.columns["description"][bundle.items.index("i3")] == "Written by hand."
    (kept,) = all_descriptions(dataset)
    assert "i3" not in kept.texts and load_edits(dataset) == {"i3": "Written by hand."}


def test_a_run_described_by_hand_alone_goes_on(tmp_path: Path) -> None:
    dataset, new = shop(tmp_path / "old", OLD, log_of(range(16), OLD)), makers(tmp_path / "log.txt")
    edit(dataset, "i3", "Written by hand.")
    encode_dataset(dataset, descriptions=load_descriptions(dataset), encoder=new.words, vision=new.vision)
    train(dataset, RECIPE, tmp_path / "run")
    edit(dataset, "i4", "Written later.")
    summary = update(tmp_path / "run", dataset, tmp_path / "updated", makers=new)
    assert summary["update"]["counts"]["described"] == 0 and summary["update"]["counts"]["texts"] == 1
    bundle = Bundle.load(tmp_path / "updated" / "bundle")
    assert [text for text in bundle.material.columns["description"] if text] == ["Written by hand.", "Written later."]
    assert new.describer.calls == []


@pytest.mark.parametrize("name", ["ease", "bpr"])
def test_other_models_go_on_too(name: str, run: Path, tmp_path: Path) -> None:
    old = Recipe(model=name, config={"embedding_dim": 8} if name == "bpr" else {}, train=RECIPE.train)
    train(Dataset.open(tmp_path / "old"), old, tmp_path / name)
    summary = update(tmp_path / name, grown(tmp_path), tmp_path / "updated", makers=makers(tmp_path / "second.txt"))
    assert (summary["update"]["carried_over"] > 0) == (name == "bpr")
    assert Retriever.load(tmp_path / "updated").recommend("u17", 3)


def test_an_update_in_place_of_what_has_not_changed_trains_once(run: Path, tmp_path: Path) -> None:
    """A command that was killed between the exchange and its end is given again."""
    dataset, made = grown(tmp_path), makers(tmp_path / "second.txt")
    once = update(run, dataset, run, makers=made)
    again = update(run, dataset, run, makers=made)
    assert again == read_summary(run) | {"unchanged": True} and again["identity"] == once["identity"]
    assert update(run, dataset, run, makers=made, epochs=1)["epochs"] == 1, "asked for, it trains"
    items = pl.read_parquet(dataset.path / "items.parquet").with_columns(price=pl.lit("9.99"))
    items.write_parquet(dataset.path / "items.parquet")
    update(run, dataset, run, makers=made)
    assert set(Bundle.load(run / "bundle").material.columns["price"]) == {"9.99"}, "what is shown is taken over"
