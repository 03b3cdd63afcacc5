"""Feedback: durable, whole lines, and added to the log without learning what is held out."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from makers import damaged
from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset
from viral.data.feedback import Event, Full, append, default_file, is_id, merge, read
from viral.run.pipeline import load_split

EVENTS = [Event(f"u{n}", f"i{n}", 1_700_000_000 + n, "click") for n in range(5)]
WRITER = """
import sys
from pathlib import Path
from viral.data.feedback import Event, append
for n in range(10**6):
    append(Path(sys.argv[1]), [Event(f"{sys.argv[2]}-{n}", "i" * 300, n, "like")] * 200, max_bytes=10**9)
    print(n, flush=True)
"""


def test_what_was_appended_is_read(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    append(file, EVENTS[:2], max_bytes=10_000)
    append(file, EVENTS[2:], max_bytes=10_000)
    assert read(file) == (EVENTS, [])
    assert file.stat().st_mode & 0o077 == 0  # who did what is nobody else's business
    with pytest.raises(DataError, match="no feedback"):
        read(tmp_path / "none")


def test_a_full_file_takes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    append(file, EVENTS, max_bytes=500)
    with pytest.raises(Full):
        append(file, EVENTS, max_bytes=500)
    assert read(file) == (EVENTS, [])


@pytest.mark.parametrize("left", [b'{"user_id": "u9", "it', b"x" * 200_000])
def test_a_line_without_an_end_is_left_out_and_taken_away(tmp_path: Path, left: bytes) -> None:
    file = tmp_path / "feedback.jsonl"
    append(file, EVENTS[:1], max_bytes=10**6)
    whole = file.read_bytes()
    file.write_bytes(whole + left)
    events, refused = read(file)
    assert events == EVENTS[:1] and [one.reason for one in refused] == ["line without an end"]
    append(file, EVENTS[1:], max_bytes=10**6)
    assert read(file) == (EVENTS, []) and file.read_bytes().startswith(whole)


def test_several_writers_are_killed_and_what_they_told_is_there(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    words = [sys.executable, "-c", WRITER, str(file)]
    writers = [subprocess.Popen([*words, name], stdout=subprocess.PIPE, text=True) for name in "ab"]
    for writer in writers:
        for _ in range(3):
            assert writer.stdout is not None and writer.stdout.readline()
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
    told = {name: 3 + len(w.communicate()[0].split()) for name, w in zip("ab", writers, strict=True)}
    append(file, EVENTS, max_bytes=10**9)
    events, refused = read(file)
    assert refused == [] and file.read_bytes().endswith(b"\n") and events[-5:] == EVENTS
    for name, count in told.items():
        kept = [event.user_id for event in events if event.user_id.startswith(f"{name}-")]
        assert all(kept.count(f"{name}-{n}") == 200 for n in range(count)), name


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not an object"),
        ('{"user_id": 5, "item_id": "a", "timestamp": 1, "kind": "like"}', "not an id"),
        ('{"user_id": "u", "item_id": "a\\u0000", "timestamp": 1, "kind": "like"}', "not an id"),
        ('{"user_id": "u", "item_id": "a", "timestamp": "1", "kind": "like"}', "not a number of seconds"),
        ('{"user_id": "u", "item_id": "a", "timestamp": 1, "kind": "The theft"}', "not a kind"),
        ('{"user_id": "u", "item_id": "a", "timestamp": 1, "kind": 5}', "not a kind"),
        ('{"user_id": "u", "item_id": "a", "timestamp": 1, "kind": "like", "variant": "a b"}', "not a variant"),
        ("\udcff\udcfe", "not JSON"),
    ],
)
def test_lines_that_are_no_events_are_reported(tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "feedback.jsonl"
    append(file, EVENTS, max_bytes=10**6)
    with file.open("ab") as end:
        end.write(line.encode("utf-8", "surrogateescape") + b"\n")
    events, refused = read(file)
    assert events == EVENTS and [(one.row, one.reason) for one in refused] == [(6, reason)]


def test_ids() -> None:
    assert all(map(is_id, ("a", "ی <b>", "x" * 512, "\u202e\xa0")))
    assert not any(map(is_id, ("", "x" * 513, "a\nb", "\ud800", 5, None)))


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Users u and v, items a to d: u chose a in train, b in valid and c in test; v chose b, c and d."""
    return damaged(tmp_path / "data")


def feedback(folder: Path, *events: tuple[str, str, str]) -> Path:
    file = folder / "feedback.jsonl"
    append(file, [Event(user, item, 1_700_000_000, kind) for user, item, kind in events], max_bytes=10**6)
    return file


TOLD = [
    ("u", "d", "purchase"),
    ("u", "d", "click"),  # again
    ("u", "a", "like"),  # known from training
    ("u", "c", "like"),  # held out: must not be learnt
    ("new", "a", "cart"),
    ("v", "zzz", "click"),
    ("v", "a", "view"),
    ("v", "a", "dislike"),
]


def test_feedback_becomes_training_rows(dataset: Dataset, tmp_path: Path) -> None:
    report = merge(dataset, feedback(tmp_path, *TOLD), tmp_path / "out")
    counts = {"events": 8, "added": 2, "new_users": 1, "duplicates": 3, "unknown_items": 1}
    assert counts.items() <= report.items()
    assert report["other_kinds"] == {"dislike": 1, "view": 1} and report["refused_lines"] == {}
    out = Dataset.open(tmp_path / "out")
    rows = set(out.interactions().rows())
    assert rows - set(dataset.interactions().rows()) == {("u", "d", "train"), ("new", "a", "train")}
    assert set(dataset.interactions().rows()) <= rows
    before, after = load_split(dataset), load_split(out)
    assert len(after.train) == len(before.train) + 2 and len(after.test) == len(before.test)
    assert out.fingerprint != dataset.fingerprint and out.manifest["counts"]["users"] == 3
    assert (out.path / "images" / "p.png").read_bytes() == (dataset.path / "images" / "p.png").read_bytes()
    lines = (out.path / "feedback-rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["value"] for line in lines] == ["zzz"]
    assert json.loads((out.path / "feedback.json").read_text()) == report


def test_the_data_set_itself_is_replaced_and_once_more_nothing_is_new(dataset: Dataset, tmp_path: Path) -> None:
    file = feedback(tmp_path, *TOLD)
    merge(dataset, file, dataset.path)
    again = merge(Dataset.open(dataset.path), file, dataset.path)
    assert again["added"] == 0 and again["duplicates"] == 5
    assert Dataset.open(dataset.path).interactions().height == 8
    with pytest.raises(UsageError, match="already exists"):
        merge(dataset, file, tmp_path)


def test_a_log_without_split_keeps_the_one_it_is_trained_by(tmp_path: Path) -> None:
    pairs = [(f"u{u}", "abcd"[i]) for u in range(30) for i in range(4) if (u + i) % 4]
    log = pl.DataFrame(
        {"user_id": [u for u, _ in pairs], "item_id": [i for _, i in pairs], "timestamp": 1_600_000_000_000}
    )
    dataset = damaged(tmp_path / "data", log=log)
    before = load_split(dataset)
    file = feedback(tmp_path, *((f"u{u}", "abcd"[(4 - u) % 4], "like") for u in range(10)))
    merge(dataset, file, tmp_path / "out")
    out = Dataset.open(tmp_path / "out")
    after = load_split(out)

    def pairs_of(part: str, split: object) -> set[tuple[str, str]]:
        found = split.part(part)
        rows = zip(found.users.tolist(), found.items.tolist(), strict=True)
        return {(split.users.ids[u], split.items.ids[i]) for u, i in rows}

    for part in ("valid", "test"):
        assert pairs_of(part, after) == pairs_of(part, before) != set()
    assert len(after.train) == len(before.train) + 10
    assert out.interactions()["timestamp"].to_list()[-1] == 1_700_000_000_000  # in the log's milliseconds


def test_kinds_are_chosen(dataset: Dataset, tmp_path: Path) -> None:
    file = feedback(tmp_path, *TOLD)
    assert merge(dataset, file, tmp_path / "out", kinds=["view"])["added"] == 1
    with pytest.raises(UsageError, match="unknown kind"):
        merge(dataset, file, tmp_path / "other", kinds=["veiw"])


def test_feedback_lies_beside_the_run(tmp_path: Path) -> None:
    assert default_file(tmp_path / "runs" / "mine") == tmp_path / "runs" / "mine.feedback.jsonl"


def test_kinds_and_variants_of_a_shops_own(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    events = [
        Event("u0", "i0", 1, "wishlist", "blue"), Event("u1", "i0", 2, "view", "blue"), Event("u2", "i1", 3, "like")
    ]  # fmt: skip
    append(file, events, max_bytes=10**6)
    assert read(file) == (events, [])
    assert "variant" not in file.read_text().splitlines()[2]


def test_events_of_a_test_are_counted_by_variant(dataset: Dataset, tmp_path: Path) -> None:
    told = [
        Event("u0", "i3", 1, "wishlist", "blue"), Event("u1", "i3", 1, "view", "blue"),
        Event("u1", "i0", 1, "view", "control"), Event("u1", "i1", 1, "view"),
    ]  # fmt: skip
    append(tmp_path / "feedback.jsonl", told, max_bytes=10**6)
    report = merge(dataset, tmp_path / "feedback.jsonl", tmp_path / "out", kinds=["wishlist"])
    assert report["variants"] == {"blue": {"view": 1, "wishlist": 1}, "control": {"view": 1}}
    assert report["events"] == 4 and report["other_kinds"] == {"view": 3}
