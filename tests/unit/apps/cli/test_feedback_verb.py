"""From what users did while a run was served to an updated run, by two commands."""

from pathlib import Path

import pytest

from command_line import viral, viral_json
from viral.data.feedback import Event, append, default_file

FEW = ["--set", "max_epochs=1", "--set", "batch_size=256", "--set", "embedding_dim=8"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LightGCN after an epoch; the shop is beside it."""
    folder = tmp_path_factory.mktemp("feedback")
    viral("shop", str(folder / "shop"), "--users", "20", "--items", "20", "--no-pictures")
    viral("train", str(folder / "shop"), "--model", "lightgcn", *FEW, "--out", str(folder / "run"))
    return folder / "run"


def test_feedback_reaches_the_next_bundle(run: Path) -> None:
    shop = str(run.parent / "shop")
    assert "no feedback" in viral_json("feedback", str(run), shop, "--out", shop, code=1)["error"]["what"]
    told = ("newcomer p0001 like", "newcomer p0002 cart", "newcomer nothing like", "x p0001 view")
    events = [Event(user, item, 1_700_000_000, kind) for user, item, kind in map(str.split, told)]
    append(default_file(run), events, max_bytes=10**6)
    report = viral_json("feedback", str(run), shop, "--out", str(run.parent / "more"))
    assert (report["added"], report["new_users"], report["unknown_items"]) == (2, 1, 1)
    shown = viral("feedback", str(run), shop, "--out", shop)
    assert "2 new interactions, 1 new users" in shown and "1 of unknown items; 1 of kind view" in shown
    summary = viral_json("update", str(run), shop, "--out", str(run))
    assert summary["update"]["changes"]["new_users"] == 1 and summary["update"]["changes"]["new_interactions"] == 2
    found = viral_json("recommend", str(run), "--user", "newcomer", "-k", "20")["recommendations"]
    assert len(found) == 18 and not {"p0001", "p0002"} & {one["item_id"] for one in found}
    assert default_file(run).is_file()  # an update replaces the run's folder, and leaves what lies beside it
    again = viral_json("feedback", str(run), shop, "--out", shop)
    assert again["added"] == 0 and again["duplicates"] == 2


def test_kinds_are_checked(run: Path) -> None:
    append(default_file(run), [], max_bytes=10**6)
    words = ["feedback", str(run), str(run.parent / "shop"), "--out", str(run.parent / "other"), "--kind", "lke"]
    assert "like" in viral_json(*words, code=2)["error"]["hint"]


def test_what_each_variant_brought_is_shown(run: Path, tmp_path: Path) -> None:
    told = (("cart", "blue"), ("wishlist", "blue"), ("cart", "control"), ("view", ""))
    events = [Event(f"y{row}", "p0003", 1_700_000_000, kind, variant) for row, (kind, variant) in enumerate(told)]
    append(tmp_path / "told.jsonl", events, max_bytes=10**6)
    words = ["feedback", str(run), str(run.parent / "shop"), "--out", str(tmp_path / "out")]
    shown = viral(*words, "--file", str(tmp_path / "told.jsonl"), "--kind", "wishlist")
    assert "variant blue: 1 cart, 1 wishlist\nvariant control: 1 cart\n" in shown and "1 new interactions" in shown
