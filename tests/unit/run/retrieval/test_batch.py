"""Many users at once: the same lists as one by one, whoever is unknown, in every format, whole or not at all."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from serving import bundle
from viral.base.errors import DataError, UsageError
from viral.run.retrieval import Filters, Retriever, batch
from viral.run.retrieval.batch import check_out, read_users, recommend_many, write_blocks
from viral.run.retrieval.ranking import RankingRequest
from viral.run.retrieval.rules import Pin, Rules


@pytest.fixture
def retriever() -> Retriever:
    return Retriever(bundle(titles={3: 'A "quoted", \x1b[31mlong\ntitle'}))


def rows(retriever: Retriever, users: list[str], ask: RankingRequest, **given: bool) -> pl.DataFrame:
    return pl.concat(list(recommend_many(retriever, users, ask, **given)))


@pytest.mark.parametrize(
    ("ask", "given"),
    [
        (RankingRequest(k=4), {}),
        (RankingRequest(k=40), {"exclude_seen": False}),
        (RankingRequest(k=3, filters=Filters(categories=["mug"]), diversity=0.5), {}),
        (RankingRequest(k=3, rules=Rules(pins=(Pin("i20"),), less_popular=0.5)), {}),
    ],
)
def test_every_user_has_the_list_that_they_have_alone(
    retriever: Retriever, ask: RankingRequest, given: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BLOCK", 5)
    users = list(retriever.bundle.users.ids)
    found = rows(retriever, users, ask, **given)
    assert found["user_id"].unique(maintain_order=True).to_list() == users and set(found["source"]) == {"model"}
    for user in users:
        asked = {"filters": ask.filters, "diversity": ask.diversity, "rules": ask.rules}
        alone = retriever.rank(retriever.profile(user), ask.k, **given, **asked)
        mine = found.filter(pl.col("user_id") == user)
        assert mine["item_id"].to_list() == [one.item_id for one in alone]
        assert mine["rank"].to_list() == [one.rank for one in alone]
        assert mine["score"].to_list() == [one.score for one in alone]


def test_unknown_users_get_what_is_popular(retriever: Retriever) -> None:
    found = rows(retriever, ["u1", "stranger", ""], RankingRequest(k=2, filters=Filters(categories=["lamp"])))
    assert found["source"].to_list() == ["model"] * 2 + ["popular"] * 4
    popular = retriever.popular(2, filters=Filters(categories=["lamp"]))
    assert found["item_id"][2:4].to_list() == [one.item_id for one in popular]
    assert found["score"][2:4].to_list() == [one.score for one in popular]


def test_every_format_has_the_same_rows(retriever: Retriever, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "BLOCK", 2)
    users, ask = ["u1", "u2", "x", "u4", "u5"], RankingRequest(k=30)
    wanted = rows(retriever, users, ask)
    for suffix in (".parquet", ".csv", ".jsonl"):
        out = tmp_path / f"recs{suffix}"
        out.write_text("older")
        assert write_blocks(recommend_many(retriever, users, ask), out) == wanted.height
    assert pl.read_parquet(tmp_path / "recs.parquet").equals(wanted)
    assert pl.read_csv(tmp_path / "recs.csv", schema=wanted.schema).equals(wanted)
    lines = (tmp_path / "recs.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == wanted.to_dicts() and "\x1b" not in "".join(lines)


def test_a_file_is_whole_or_as_it_was(retriever: Retriever, tmp_path: Path) -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield from recommend_many(retriever, ["u1"], RankingRequest(k=1))
        raise DataError("stopped")

    for suffix in (".parquet", ".csv", ".jsonl"):
        out = tmp_path / f"recs{suffix}"
        out.write_text("older")
        with pytest.raises(DataError, match="stopped"):
            write_blocks(broken(), out)
        assert out.read_text() == "older"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("users.txt", "007\n8,5\n\n007\r\n Ü\n"), ("users", "\ufeff007\n8,5\n007\n Ü"),
        ("users.csv", 'x,customer_id\n1,007\n2,"8,5"\n3,\n4, Ü\n4,007\n'),
        ("users.tsv", "user_id\tn\n007\t1\n8,5\t2\n Ü\t2\n"),
        ("users.jsonl", '{"user_id": "007"}\n{"user_id": "8,5"}\n{"user_id": " Ü"}\n'),
    ],
)  # fmt: skip
def test_users_are_read_in_their_order_once(tmp_path: Path, name: str, content: str) -> None:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    assert [one.strip() for one in read_users(str(file))] == ["007", "8,5", "Ü"]


def test_users_of_a_compressed_table(tmp_path: Path) -> None:
    (tmp_path / "u.csv.gz").write_bytes(gzip.compress(b"user_id\n007\n8\n", mtime=0))
    assert read_users(str(tmp_path / "u.csv.gz")) == ["007", "8"]


def test_users_of_numbers_in_a_parquet_file_are_text(tmp_path: Path) -> None:
    pl.DataFrame({"n": [0.5, 0.5], "UserId": [42, 7]}).write_parquet(tmp_path / "u.parquet")
    assert read_users(str(tmp_path / "u.parquet")) == ["42", "7"]


def test_files_that_cannot_be_used_say_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_users(str(tmp_path / "none.txt"))
    (tmp_path / "u.csv").write_text("u1,u2\nu3,u4\n")
    with pytest.raises(DataError, match=r"no column of users; the columns are: u1, u2") as caught:
        read_users(str(tmp_path / "u.csv"))
    assert "user_id" in caught.value.hint
    (tmp_path / "u.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not text in UTF-8"):
        read_users(str(tmp_path / "u.txt"))
    for name, what in (("recs.xlsx", "no format to write"), ("recs", "does not say the format"), (".", "a folder")):
        with pytest.raises(UsageError, match=what):
            check_out(tmp_path / name)
