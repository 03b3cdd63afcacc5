"""A cut in time for all users, everything for training, and what other splits the log would allow."""

import polars as pl
import pytest
from typer.testing import CliRunner

from makers import rejected, write
from viral.apps.cli import app
from viral.base.errors import DataError
from viral.data.importers import import_table

DAY = 86_400
START = 1_700_000_000  # 2023-11-14


def source(tmp_path, rows):
    text = "user,item,timestamp\n" + "".join(f"{user},{item},{time}\n" for user, item, time in rows)
    write(tmp_path / "source" / "interactions.csv", text)
    return tmp_path / "source"


def days(tmp_path, new_users=0):
    """Five users of twenty interactions, one a day for each; and new users on the last day."""
    rows = [(f"u{user}", f"i{item}", START + item * DAY + user) for user in range(5) for item in range(20)]
    return source(tmp_path, rows + [(f"new{n}", "i0", START + 19 * DAY + n) for n in range(new_users)])


def test_a_global_cut_trains_on_nothing_that_is_later_than_what_is_held_out(tmp_path):
    dataset = import_table(days(tmp_path), tmp_path / "data", split="global")
    log = dataset.interactions()
    ends = {name: (part["timestamp"].min(), part["timestamp"].max()) for (name,), part in log.group_by("split")}
    assert ends["train"][1] < ends["valid"][0] and ends["valid"][1] < ends["test"][0]
    counts = dict(log["split"].value_counts().iter_rows())
    assert counts == {"train": 80, "valid": 10, "test": 10}
    told = dataset.manifest["source"]["split"]
    assert told == "cut in time for all users: validation from 2023-11-30 22:13 on, test from 2023-12-02 22:13 on"


def test_users_who_begin_after_the_cut_are_counted_and_named(tmp_path):
    dataset = import_table(days(tmp_path, new_users=3), tmp_path / "data", split="global")
    assert "left out: 3 interactions of 3 users who have none before" in dataset.manifest["source"]["split"]
    assert dataset.manifest["counts"]["rejected"] == {"no earlier interaction of the user": 3}
    assert {value for *_, value in rejected(dataset)} == {"new0", "new1", "new2"}
    log = dataset.interactions()
    early = set(log.filter(pl.col("split") == "train")["user_id"])
    assert set(log["user_id"]) == early


def test_equal_times_stay_together_or_cannot_be_cut(tmp_path):
    rows = [(f"u{user}", f"i{item}", START + (item // 4) * DAY) for user in range(5) for item in range(40)]
    log = import_table(source(tmp_path, rows), tmp_path / "data", split="global").interactions()
    assert (log.group_by("timestamp").agg(pl.col("split").n_unique())["split"] == 1).all()
    with pytest.raises(DataError, match="of one time") as caught:
        import_table(source(tmp_path, [("u", f"i{n}", 5) for n in range(9)]), tmp_path / "one", split="global")
    assert "--split random" in caught.value.hint


@pytest.mark.parametrize("rule", ["global", "temporal"])
def test_a_split_by_time_needs_times(tmp_path, rule):
    write(tmp_path / "source" / "interactions.csv", "user,item\nu,a\nu,b\n")
    with pytest.raises(DataError, match="timestamp"):
        import_table(tmp_path / "source", tmp_path / "data", split=rule)


def test_none_holds_nothing_out(tmp_path):
    dataset = import_table(days(tmp_path), tmp_path / "data", split="none")
    assert set(dataset.interactions()["split"]) == {"train"}
    assert dataset.manifest["source"]["split"].startswith("none: every interaction is for training")


def told(*words):
    done = CliRunner().invoke(app, ["import", "table", *map(str, words)])
    assert done.exit_code == 0, done.output
    return next(line for line in done.output.splitlines() if line.startswith("  split: "))


def test_the_command_tells_the_split_and_offers_those_by_time(tmp_path):
    folder = days(tmp_path)
    assert told(folder, tmp_path / "a") == (
        "  split: random 80/10/10 per user (seed 0); the log has times: --split temporal holds out each user's latest, "
        "--split global cuts at two dates"
    )
    assert "the log has times" not in told(folder, tmp_path / "b", "--split", "temporal")
    write(tmp_path / "plain" / "interactions.csv", "user,item\nu,a\nu,b\nu,c\n")
    assert told(tmp_path / "plain", tmp_path / "c") == "  split: random 80/10/10 per user (seed 0)"
