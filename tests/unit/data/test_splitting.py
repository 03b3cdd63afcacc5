"""Splits: the rule, its seed, and a log that brings its own."""

import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from viral.base.errors import DataError, UnknownIdError, UsageError
from viral.data.split_rules import random_split
from viral.data.splitting import sample_users, split

BABY = Path(__file__).parents[4] / "shared" / "data" / "amazon-baby" / "baby.inter"


def log(counts: dict[str, int]) -> pl.DataFrame:
    """A user with so many interactions, the users' rows mixed."""
    rows = [(user, f"i{n}") for n in range(max(counts.values())) for user, count in counts.items() if n < count]
    return pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row")


def counts(frame: pl.DataFrame, user: str) -> tuple[int, int, int]:
    parts = frame.filter(pl.col("user_id") == user)["split"].to_list()
    return parts.count("train"), parts.count("valid"), parts.count("test")


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, (1, 0, 0)),
        (2, (2, 0, 0)),
        (3, (1, 1, 1)),
        (9, (7, 1, 1)),
        (10, (8, 1, 1)),
        (14, (12, 1, 1)),
        (15, (12, 1, 2)),
        (20, (16, 2, 2)),
        (25, (20, 2, 3)),
        (100, (80, 10, 10)),
    ],
)
def test_the_rule(n, expected):
    assert counts(random_split(log({"a": n, "b": 7, "c": 2}), seed=1), "a") == expected


def test_the_seed_decides_and_rows_keep_their_order():
    frame = log({"a": 30, "b": 12, "c": 5})
    one = random_split(frame, seed=4)
    assert one.equals(random_split(frame, seed=4))
    assert not one.equals(random_split(frame, seed=5))
    assert one.drop("split").equals(frame)


def test_what_is_held_out_is_drawn_evenly():
    """Each of ten interactions is the test one a tenth of the time."""
    frame = log({"a": 10})
    hits = [0] * 10
    for seed in range(500):
        hits[random_split(frame, seed=seed)["split"].to_list().index("test")] += 1
    assert max(abs(hit - 50) for hit in hits) < 4 * (500 * 0.1 * 0.9) ** 0.5


def test_the_published_split_obeys_the_rule():
    if not BABY.exists():
        pytest.skip("the real data are not here")
    frame = pl.read_csv(BABY, separator="\t").rename({"userID": "user_id", "itemID": "item_id"})
    sizes = random_split(frame, seed=0)["split"].value_counts()
    assert dict(sizes.iter_rows()) == {"train": 118_551, "valid": 20_559, "test": 21_682}


def test_a_split_of_its_own_is_obeyed():
    frame = pl.DataFrame(
        {
            "user_id": ["b", "a", "b", "a", "c"],
            "item_id": ["x", "y", "y", "x", "z"],
            "split": ["train", "test", "valid", "train", "test"],
        }
    )
    parts = split(frame, ["z", "y", "x", "w"])
    assert parts.users.ids == ("b", "a", "c")  # by first appearance
    assert parts.items.ids == ("z", "y", "x", "w")  # the catalogue's order
    pairs = {
        name: list(zip(parts.part(name).users.tolist(), parts.part(name).items.tolist(), strict=True))
        for name in ("train", "valid", "test")
    }
    assert pairs == {"train": [(0, 2), (1, 2)], "valid": [(0, 1)], "test": [(1, 1), (2, 0)]}
    assert (parts.train.num_users, parts.train.num_items) == (3, 4)


def test_an_absent_part_is_empty():
    frame = log({"a": 2}).with_columns(split=pl.lit("train"))
    parts = split(frame, ["i0", "i1"])
    assert (len(parts.train), len(parts.valid), len(parts.test)) == (2, 0, 0)


def test_a_log_without_a_split_is_split_at_random():
    frame = log({"a": 30})
    items = [f"i{n}" for n in range(30)]
    expected = random_split(frame, seed=8).filter(pl.col("split") == "test")["item_id"].to_list()
    assert [items[i] for i in split(frame, items, seed=8).test.items.tolist()] == expected


@pytest.mark.parametrize("value", ["Train", None, "", 0])
def test_another_split_name_is_refused(value):
    frame = log({"a": 2}).with_columns(split=pl.Series(["train", value], strict=False) if value != 0 else pl.lit(0))
    with pytest.raises(DataError, match="a split other than train, valid, test"):
        split(frame, ["i0", "i1"])


def test_an_item_that_is_not_in_the_catalogue_is_named():
    with pytest.raises(UnknownIdError, match="unknown item 'i1'"):
        split(log({"a": 2}), ["i0"])


def calls_of(rows: int) -> int:
    """Calls from and to Python while a log of so many interactions of 50 users with 40 items is split."""
    frame = pl.DataFrame(
        {
            "user_id": [f"u{n % 50}" for n in range(rows)],
            "item_id": [f"i{n % 40}" for n in range(rows)],
            "split": [("train", "valid", "test")[n // 4 % 3] for n in range(rows)],
        }
    ).unique(["user_id", "item_id"], maintain_order=True)
    seen = Counter()
    sys.setprofile(lambda _, event, __: seen.update([event]))
    try:
        split(frame, [f"i{n}" for n in range(40)])
    finally:
        sys.setprofile(None)
    return seen["call"] + seen["c_call"]


def test_no_call_per_interaction():
    calls_of(60)  # imports
    assert calls_of(60) == calls_of(200)


def test_an_unknown_part_is_refused():
    with pytest.raises(UsageError, match="unknown split 'tset'") as caught:
        split(log({"a": 3}), ["i0", "i1", "i2"]).part("tset")
    assert "test" in caught.value.hint


def test_a_sample_of_users_keeps_all_of_theirs_and_nobody_elses():
    part = split(random_split(log({f"u{n}": 12 for n in range(30)}), seed=0), [f"i{n}" for n in range(12)]).test
    few = sample_users(part, 7, seed=1)
    drawn = few.users.unique().tolist()
    assert len(drawn) == 7 and (few.num_users, few.num_items) == (30, 12)
    assert few.keys().tolist() == [key for key in part.keys().tolist() if key // 12 in drawn]
    assert sample_users(part, 7, seed=1).keys().tolist() == few.keys().tolist() != sample_users(part, 7).keys().tolist()
    assert sample_users(part, 99).keys().tolist() == part.keys().tolist()
    with pytest.raises(UsageError, match="less than 1"):
        sample_users(part, 0)
