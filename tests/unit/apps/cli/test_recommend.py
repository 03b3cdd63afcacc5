"""`viral recommend` and `viral explain` as typed: many users, sentences, titles that would steer a terminal."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from serving import save_run
from viral.apps.cli import app

HOSTILE = "\x1b[31mred\x07 \u202eylf\nsecond line \x9b1m"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_run(tmp_path_factory.mktemp("run"), titles={n: f"{HOSTILE} {n}" for n in range(0, 30, 2)})


def viral(*words: Any, code: int = 0, **given: Any) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], **given)
    assert done.exit_code == code, done.output
    return done.output


def test_no_title_steers_the_terminal(run: Path) -> None:
    told = [
        viral("recommend", run, "--user", "u2", "-k", "20", "--why"), viral("recommend", run, "--item", "i4"),
        viral("recommend", run, "--user", "u2", "-k", "20", "--why", "--json"),
        viral("similar", run, "--item", "i4", "-k", "20"), viral("explain", run, "--user", "u2", "--item", "i9"),
        viral("explain", run, "--user", "u2", "--item", "i8", "--json"),
    ]  # fmt: skip
    for text in told:
        assert not set(text) & set("\x1b\x07\u202e\x9b")
        assert not any(line.startswith("second line") for line in text.splitlines())
    assert r"\x1b[31mred\x07 \u202eylf\nsecond line \x9b1m" in told[0]
    assert json.loads(told[2])["recommendations"][0]["title"].startswith((HOSTILE, "mug", "lamp", "vase"))


def test_the_sentence_comes_first_and_in_the_language_asked_for(run: Path) -> None:
    lines = viral("explain", run, "--user", "u1", "--item", "i9").splitlines()
    assert lines[0].startswith(("Because ", "Of what ", "Nothing ")) and lines[0].endswith(".")
    assert "score" in lines[1] and "rank" in lines[1]
    assert json.loads(viral("explain", run, "--user", "u1", "--item", "i9", "--json"))["because"] == lines[0]
    assert viral("explain", run, "--user", "u1", "--item", "i9", "--lang", "zh").splitlines()[0].endswith("。")
    assert "--lang en or zh" in viral("explain", run, "--user", "u1", "--item", "i9", "--lang", "xx", code=2)


def test_each_recommendation_can_say_why(run: Path) -> None:
    found = json.loads(viral("recommend", run, "--user", "u1", "-k", "3", "--why", "--json"))["recommendations"]
    lines = viral("recommend", run, "--user", "u1", "-k", "3", "--why").splitlines()
    for one in found:
        told = json.loads(viral("explain", run, "--user", "u1", "--item", one["item_id"], "--json"))
        assert told["because"] == one["because"] and told["rank"] == one["rank"]
        assert f"     {one['because']}" in lines
    assert "because" not in viral("recommend", run, "--user", "u1", "--json")


def test_many_users_by_one_reading(run: Path, tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text("u1\nu2\nstranger\n")
    told = viral("recommend", run, "--users", tmp_path / "users.txt", "--out", tmp_path / "recs.parquet", "-k", "4")
    assert "12 recommendations to 3 users" in told
    assert "1 of them is not in the run and gets what is popular (source: popular): 'stranger'" in told
    found = pl.read_parquet(tmp_path / "recs.parquet")
    alone = json.loads(viral("recommend", run, "--user", "u2", "-k", "4", "--json"))["recommendations"]
    assert found.filter(pl.col("user_id") == "u2")["item_id"].to_list() == [one["item_id"] for one in alone]
    done = CliRunner().invoke(
        app, ["recommend", str(run), "--users", "-", "--out", str(tmp_path / "r.csv"), "--json"], input="u1\nx\n"
    )
    assert json.loads(done.stdout) == {
        "path": str(tmp_path / "r.csv"), "users": 2, "unknown_users": 1, "unknown": ["x"], "k": 10, "rows": 20,
    }  # fmt: skip
    assert "120 recommendations to 12 users" in viral("recommend", run, "--all", "--out", tmp_path / "all.jsonl")
    told = viral("recommend", run, "--users", "-", "--out", tmp_path / "r.csv", input="1\n2\n")
    assert "no id is known: the run's are written like 'u0'" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--users FILE --out recs.parquet"),
        (("--users", "u.txt"), "--out recs.parquet"),
        (("--users", "u.txt", "--all", "--out", "r.csv"), "give one of"),
        (("--user", "u1", "--all", "--out", "r.csv"), "give one of"),
        (("--user", "u1", "--out", "r.csv"), "--out is for many users"),
        (("--all", "--out", "r.xlsx"), ".parquet, .csv or .jsonl"),
        (("--user", "u1", "--less-popular", "3"), "less-popular"),
    ],
)
def test_words_that_do_not_fit_together(run: Path, words: tuple[str, ...], said: str) -> None:
    assert said in viral("recommend", run, *words, code=2)


def test_an_empty_file_of_users_is_no_work_done(run: Path, tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("\n")
    assert "no users in it" in viral(
        "recommend", run, "--users", tmp_path / "none.txt", "--out", tmp_path / "r.csv", code=1
    )
    assert not (tmp_path / "r.csv").exists()


def test_popular_items_can_be_made_to_pay(run: Path, tmp_path: Path) -> None:
    """Items 2 to 11 were taken by three users each, 12 and 13 by fewer, the others by none."""
    plain, less = (
        json.loads(viral("recommend", run, "--user", "u0", "-k", "27", "--less-popular", weight, "--json"))
        for weight in ("0", "2")
    )
    ranks = [{one["item_id"]: one for one in found["recommendations"]} for found in (plain, less)]
    assert all("rules" not in one["parts"] for one in ranks[0].values())
    paid = {item_id for item_id, one in ranks[1].items() if "rules" in one["parts"]}
    assert {"i5", "i9"} <= paid and not {"i20", "i29"} & paid
    for item_id in paid:
        assert ranks[1][item_id]["score"] < ranks[0][item_id]["score"]
    (tmp_path / "rules.toml").write_text("[popularity]\npenalty = 2\n")
    by_file = viral("recommend", run, "--user", "u0", "-k", "27", "--rules", tmp_path / "rules.toml", "--json")
    assert json.loads(by_file) == less
