"""Files that are whole or absent."""

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hardening.damage import flips
from safetensors.torch import save_file

from viral.base import files
from viral.base.errors import DataError, UsageError
from viral.base.files import (
    atomic_write,
    fingerprint,
    read_json,
    read_sealed,
    remove_abandoned,
    require_space,
    sha256_file,
    staged_folder,
    write_json,
    write_sealed,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path):
    with atomic_write(tmp_path / "new" / "a.txt") as temporary:
        temporary.write_text("half")
        assert not (tmp_path / "new" / "a.txt").exists()
        assert temporary.suffix == ".txt"
        temporary.write_text("whole")
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"
    assert names(tmp_path / "new") == ["a.txt"]
    assert (tmp_path / "new" / "a.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(error), atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_the_bytes_are_on_the_disk_before_the_name(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: order.append("sync") or fsync(fd))
    monkeypatch.setattr(Path, "replace", lambda self, target: order.append("rename") or replace(self, target))
    write_json(tmp_path / "a.json", 1)
    assert order == ["sync", "rename", "sync"]


def test_a_folder_appears_when_it_is_whole(tmp_path):
    with staged_folder(tmp_path / "new" / "set") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "a").write_text("x")
        assert not (tmp_path / "new" / "set").exists()
    assert names(tmp_path / "new") == ["set"]
    assert (tmp_path / "new" / "set" / "inner" / "a").read_text() == "x"
    assert (tmp_path / "new" / "set").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_folder_leaves_the_old_one_and_nothing_else(tmp_path, error):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "old").write_text("old")
    with pytest.raises(error), staged_folder(tmp_path / "set", overwrite=True) as folder:
        (folder / "half").write_text("half")
        raise error
    assert names(tmp_path) == ["set"]
    assert names(tmp_path / "set") == ["old"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "old").write_text("old")
    with staged_folder(tmp_path / "set", overwrite=True) as folder:
        (folder / "new").write_text("new")
        assert names(tmp_path / "set") == ["old"]
    assert names(tmp_path / "set") == ["new"]
    assert names(tmp_path) == ["set"]


@pytest.mark.parametrize(("limit", "expected"), [(3, {"fsync": 3, "sync": 0}), (2, {"fsync": 0, "sync": 1})])
def test_every_file_of_a_folder_is_flushed(tmp_path, monkeypatch, limit, expected):
    calls = {"fsync": 0, "sync": 0}
    monkeypatch.setattr(files, "MANY_FILES", limit)
    monkeypatch.setattr(files, "sync_folder", lambda folder: None)
    for name in calls:
        monkeypatch.setattr(os, name, lambda *args, name=name: calls.update({name: calls[name] + 1}))
    with staged_folder(tmp_path / "set") as folder:
        for name in "abc":
            (folder / name).write_text(name)
    assert calls == expected


def test_what_is_there_is_not_overwritten_unasked(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("mine")
    for name in ("file", "full"):
        with pytest.raises(UsageError, match="already exists"), staged_folder(tmp_path / name):
            raise AssertionError("the block must not run")
    with staged_folder(tmp_path / "empty") as folder:
        (folder / "a").write_text("x")
    assert names(tmp_path) == ["empty", "file", "full"]
    assert (tmp_path / "file").read_text() == (tmp_path / "full" / "a").read_text() == "mine"


def test_json_there_and_back(tmp_path):
    value = {"b": [1, 2.5, None, "ü → 漢"], "a": {"x": True}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert "漢" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_json_that_cannot_be_written_leaves_the_old_one(tmp_path):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", object())
    assert read_json(tmp_path / "a.json") == 1 and names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"", b"[" * 100_000])
def test_broken_json_is_named(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError, match="not valid JSON") as caught:
        read_json(tmp_path / "a.json")
    assert caught.value.where.endswith("a.json")


def test_half_characters_in_json_come_back(tmp_path):
    write_json(tmp_path / "f.json", {"a\ud83d": ["\udc80", "ü"]})
    assert read_json(tmp_path / "f.json") == {"a\ud83d": ["\udc80", "ü"]}
    assert fingerprint("\ud83d") != fingerprint("\ud83c")


def test_a_sealed_object_is_what_was_written_or_refused(tmp_path):
    file, values = tmp_path / "f.json", {"b": [1, 0.1 + 0.2, None, "ü"], "a": {3: float("nan"), "x": (1, 2)}}
    write_sealed(file, values)
    assert read_sealed(file, hint="h")["b"] == values["b"] and "seal" not in read_sealed(file, hint="h")
    noticed = 0
    for _ in flips(file, 100):
        try:
            assert read_sealed(file, hint="h")["b"] == values["b"]
        except DataError:
            noticed += 1
    assert noticed > 80
    write_json(file, {"old": 1})
    assert read_sealed(file, hint="h") == {"old": 1}
    write_json(file, [])
    with pytest.raises(DataError, match="not a JSON object"):
        read_sealed(file, hint="h")


def test_absent_json_is_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_json(tmp_path / "a.json")


def test_hashes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert len({fingerprint(*parts) for parts in (("ab",), ("a", "b"), (["a", "b"],), ("ab", None))}) == 4


def test_a_reader_finds_either_the_old_or_the_new_folder(tmp_path):
    """A folder that is replaced again and again is never absent."""
    target, absent, done = tmp_path / "kept", [], threading.Event()
    with staged_folder(target) as folder:
        (folder / "file").write_text("0")

    def look():
        while not done.is_set():
            if not target.exists():
                absent.append(1)

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(60):
        with staged_folder(target, overwrite=True) as folder:
            (folder / "file").write_text(str(number))
    done.set()
    reader.join()
    assert (target / "file").read_text() == "59" and [p.name for p in tmp_path.iterdir()] == ["kept"]
    assert sys.platform != "linux" or not absent


def left_behind(tmp_path: Path) -> None:
    """Have a process that writes a file and a folder killed in the middle of both."""
    code = (
        "import sys, time; from pathlib import Path; from viral.base.files import atomic_write, staged_folder\n"
        "root = Path(sys.argv[1])\n"
        "with atomic_write(root / 'f.json') as one, staged_folder(root / 'folder') as two:\n"
        "    one.write_text('half'); (two / 'half').write_text('x'); print('now', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"now\n"
        assert len(list(tmp_path.iterdir())) == 2 and remove_abandoned(tmp_path) == [], "it is still writing"
        process.kill()


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes_there(tmp_path):
    left_behind(tmp_path)
    (tmp_path / ".f.json.12345678.json").write_text("of somebody else")
    (tmp_path / ".hidden").mkdir()
    write_json(tmp_path / "other.json", 1)
    assert names(tmp_path) == [".f.json.12345678.json", ".hidden", "other.json"]


def test_what_was_abandoned_can_be_removed_by_name(tmp_path):
    left_behind(tmp_path)
    assert len(remove_abandoned(tmp_path)) == 2 and names(tmp_path) == []
    assert remove_abandoned(tmp_path / "absent") == []


def test_long_names_can_be_written(tmp_path):
    write_json(tmp_path / ("ü" * 120 + ".json"), 1)
    assert len(names(tmp_path)) == 1


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True)
    if made.returncode:
        pytest.skip("a file system cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_told_and_leaves_what_was_there(small_disk):
    write_json(small_disk / "f.json", 1)
    with pytest.raises(DataError, match="no space left") as caught:
        write_json(small_disk / "f.json", "x" * 2_000_000)
    assert caught.value.where == str(small_disk / "f.json") and "make room" in caught.value.hint
    with pytest.raises(DataError, match="no space left"), staged_folder(small_disk / "folder") as staging:
        save_file({"x": torch.zeros(1_000_000)}, staging / "x.safetensors")
    with pytest.raises(DataError, match="no space left"), staged_folder(small_disk / "folder") as staging:
        pl.DataFrame({"x": np.random.default_rng(0).random(1_000_000)}).write_parquet(staging / "x.parquet")
    assert names(small_disk) == ["f.json"] and read_json(small_disk / "f.json") == 1


def test_space_is_asked_for_before_the_work(tmp_path):
    require_space(tmp_path / "new" / "deep" / "file", 1000)
    with pytest.raises(DataError, match="MB are free, and about 1,000,000,000 MB are needed"):
        require_space(tmp_path / "new" / "file", 10**15)


def test_no_flipped_bit_changes_what_a_sealed_file_says(tmp_path):
    file = tmp_path / "run.json"
    write_sealed(file, {"recall": 0.25, "model": "x"})
    whole, said = file.read_bytes(), read_sealed(file, hint="")
    assert said == {"recall": 0.25, "model": "x"}
    for place in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        file.write_bytes(damaged)
        try:
            assert read_sealed(file, hint="") == said, f"bit {place}"
        except DataError:
            continue


def test_a_sealed_file_of_before_the_mark_is_read(tmp_path):
    write_json(tmp_path / "old.json", {"a": 1, "seal": fingerprint({"a": 1})})
    assert read_sealed(tmp_path / "old.json", hint="") == {"a": 1}
    write_json(tmp_path / "old.json", {"a": 2, "seal": fingerprint({"a": 1})})
    with pytest.raises(DataError, match="checksum"):
        read_sealed(tmp_path / "old.json", hint="")
