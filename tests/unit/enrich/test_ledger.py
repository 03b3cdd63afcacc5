"""The ledger: keys, first answer stays, transactions, versions, damage, two processes."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import fields, replace

import pytest
from hardening.damage import flips

from viral.base.errors import DataError
from viral.enrich.ledger import VERSION, Entry, Ledger, RequestKey

KEY = RequestKey("i1", "aa", "bb", "pixel", "1", "title", "cc", '{"a": 1}')


def rows_of(ledger, keys):
    """The rows of those keys that have one."""
    return {entry.key: entry for entry in ledger.find(key.digest for key in keys).values()}


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield ledger


def test_what_is_put_is_there_after_reopening(tmp_path):
    path = tmp_path / "new" / "ledger.sqlite"
    entry = Entry(KEY, "done", "words\nwith „quotes' and 汉字", seconds=0.25)
    with Ledger(path) as ledger:
        ledger.put([entry])
    with Ledger(path) as ledger:
        (found,) = rows_of(ledger, [KEY]).values()
    assert replace(found, created="") == entry
    assert found.created


@pytest.mark.parametrize("name", [field.name for field in fields(RequestKey)])
def test_every_part_of_the_key_counts(ledger, name):
    ledger.put([Entry(KEY, "done", "words")])
    other = replace(KEY, **{name: "another"})
    assert rows_of(ledger, [other]) == {}
    assert (ledger.same(other) is not None) == (name == "item_id")


def test_parts_of_a_key_do_not_run_together():
    a, b = replace(KEY, prompt="x", prompt_sha256="y"), replace(KEY, prompt="x\x00", prompt_sha256="")
    assert len({KEY.digest, a.digest, b.digest}) == 3
    assert replace(KEY, item_id="2").request == KEY.request != a.request


def test_more_keys_than_a_query_takes(ledger):
    keys = [replace(KEY, item_id=str(number)) for number in range(2500)]
    ledger.put(Entry(key, "done", key.item_id) for key in keys[::2])
    found = rows_of(ledger, keys)
    assert set(found) == set(keys[::2])
    assert all(entry.key == key and entry.text == key.item_id for key, entry in found.items())


def test_done_stays_and_failures_count_up(ledger):
    for attempt in (1, 2, 3):
        ledger.put([Entry(KEY, "failed", error=f"no. {attempt}")])
        found = rows_of(ledger, [KEY])[KEY]
        assert (found.attempts, found.error) == (attempt, f"no. {attempt}")
    ledger.put([Entry(KEY, "done", "first")])
    ledger.put([Entry(KEY, "done", "second")])
    ledger.put([Entry(KEY, "failed", error="late")])
    found = rows_of(ledger, [KEY])[KEY]
    assert (found.status, found.text, found.error, found.attempts) == ("done", "first", "", 4)


def test_the_same_request_is_found_for_another_item_only_when_answered(ledger):
    other = replace(KEY, item_id="i2")
    ledger.put([Entry(KEY, "failed", error="no")])
    assert ledger.same(other) is None
    ledger.put([Entry(replace(KEY, item_id="i3"), "done", "words")])
    ledger.put([Entry(replace(KEY, item_id="i0"), "done", "later words")])
    assert ledger.same(other).text == "words"


def test_a_batch_is_whole_or_absent(ledger):
    good, bad = Entry(KEY, "done", "words"), Entry(replace(KEY, item_id="i2"), "done", None)
    with pytest.raises(DataError):
        ledger.put([good, bad])
    assert rows_of(ledger, [KEY]) == {}
    ledger.put([good])
    assert rows_of(ledger, [KEY])[KEY].text == "words"


def test_rows_by_describer_and_prompt(ledger):
    keys = [replace(KEY, item_id=item, revision=revision) for item in "ba" for revision in "12"]
    elsewhere = [replace(KEY, prompt="plain"), replace(KEY, describer="other")]
    ledger.put(Entry(key, "done", "words") for key in [*keys, *elsewhere])
    assert [entry.key.item_id for entry in ledger.rows("pixel", "title")] == ["a", "a", "b", "b"]
    assert [entry.key for entry in ledger.rows("pixel", "plain")] == elsewhere[:1]
    assert list(ledger.rows("pixel", "none")) == []


def test_what_was_paid_adds_up_over_attempts(ledger):
    for status in ("failed", "done"):
        ledger.put([Entry(KEY, status, tokens_in=10, tokens_out=3, cost=0.5, seconds=2.0)])
    found = rows_of(ledger, [KEY])[KEY]
    assert (found.tokens_in, found.tokens_out, found.cost, found.attempts, found.seconds) == (20, 6, 1.0, 2, 2.0)


def test_after_so_many_failures_a_row_is_quarantined_and_can_still_be_answered(ledger):
    statuses = []
    for _ in range(4):
        ledger.put([Entry(KEY, "failed", error="no")], quarantine_after=3)
        statuses.append(rows_of(ledger, [KEY])[KEY].status)
    assert statuses == ["failed", "failed", "quarantined", "quarantined"]
    ledger.put([Entry(KEY, "done", "words")], quarantine_after=3)
    assert rows_of(ledger, [KEY])[KEY].status == "done"
    one = replace(KEY, item_id="i2")
    ledger.put([Entry(one, "failed")], quarantine_after=1)
    assert rows_of(ledger, [one])[one].status == "quarantined"


def test_only_failures_are_quarantined(ledger):
    for status in ("unreadable", "refused"):
        ledger.put([Entry(KEY, status, attempts=5)], quarantine_after=3)
        assert rows_of(ledger, [KEY])[KEY].status == status


def test_items_are_known_by_describer_and_prompt(ledger):
    ledger.put([Entry(KEY, "failed"), Entry(replace(KEY, item_id="i2", prompt="plain"), "done", "words")])
    items = [f"i{n}" for n in range(1200)]
    assert ledger.known("pixel", "title", items) == {"i1"}
    assert ledger.known("pixel", "plain", items) == {"i2"}
    assert ledger.known("qwen", "title", items) == set()


def test_a_flipped_bit_gives_no_other_description(tmp_path, capsys):
    path = tmp_path / "ledger.sqlite"
    keys = [replace(KEY, item_id=f"i{n}", image_sha256=f"{n:064}") for n in range(40)]
    said = {key: f"A thing of its own, number {n}, with a handle and a lid." for n, key in enumerate(keys)}
    with Ledger(path) as ledger:
        ledger.put(Entry(key, "done", text) for key, text in said.items())
    noticed = 0
    for _ in flips(path, 150):
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        try:
            with Ledger(path) as ledger:
                found = ledger.find(key.digest for key in keys)
                same = [ledger.same(key) for key in keys[:5]]
        except DataError:
            noticed += 1
            continue
        described = {entry.key: entry.text for entry in found.values() if entry.status == "done"}
        assert described.items() <= said.items()
        assert {entry.text for entry in same if entry} <= set(said.values())
        noticed += len(described) < len(keys)
    assert noticed > 20 and "asked for again" in capsys.readouterr().err


def test_a_damaged_description_is_forgotten_and_may_be_written_anew(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.put([Entry(KEY, "done", "A red mug.")])
        with ledger.transaction() as connection:
            connection.execute("UPDATE entries SET text = 'A bed mug.'")
        assert ledger.same(KEY) is None
        assert (rows_of(ledger, [KEY])[KEY].status, rows_of(ledger, [KEY])[KEY].attempts) == ("failed", 0)
        ledger.put([Entry(KEY, "done", "A red mug.")])
        assert rows_of(ledger, [KEY])[KEY].text == "A red mug."


VERSION_1 = """
CREATE TABLE entries (
    key BLOB PRIMARY KEY, request BLOB NOT NULL, item_id TEXT NOT NULL, image_sha256 TEXT NOT NULL,
    rendered_sha256 TEXT NOT NULL, describer TEXT NOT NULL, revision TEXT NOT NULL, prompt TEXT NOT NULL,
    prompt_sha256 TEXT NOT NULL, parameters TEXT NOT NULL, status TEXT NOT NULL, text TEXT NOT NULL,
    error TEXT NOT NULL, attempts INTEGER NOT NULL, seconds REAL NOT NULL, created TEXT NOT NULL
);
CREATE INDEX entries_request ON entries (request, status);
CREATE INDEX entries_describer ON entries (describer, prompt, item_id);
PRAGMA user_version = 1;
"""


def version_1(path, rows):
    """A ledger as version 1 wrote it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
        for key, status, text in rows:
            values = (key.digest, key.request, *(getattr(key, field.name) for field in fields(RequestKey)))
            rest = (status, text, "", 1, 0.5, "2026-01-01T00:00:00.000+00:00")
            connection.execute(f"INSERT INTO entries VALUES ({', '.join('?' * 16)})", (*values, *rest))
        connection.commit()


def test_a_ledger_of_version_1_is_brought_up_to_date_and_keeps_every_answer(tmp_path):
    path, failed = tmp_path / "ledger.sqlite", replace(KEY, item_id="i2", image_sha256="dd")
    version_1(path, [(KEY, "done", "old words"), (failed, "failed", "")])
    for _ in range(2):  # once to migrate, once to find it migrated
        with Ledger(path) as ledger:
            found = rows_of(ledger, [KEY, failed])
            assert found[KEY] == Entry(KEY, "done", "old words", seconds=0.5, created="2026-01-01T00:00:00.000+00:00")
            assert found[failed].status == "failed" and ledger.same(failed) is None
    with Ledger(path) as ledger:
        ledger.put([Entry(failed, "done", "new words", tokens_in=7, cost=0.25)])
        assert (rows_of(ledger, [failed])[failed].attempts, rows_of(ledger, [failed])[failed].tokens_in) == (2, 7)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_migration_that_cannot_be_finished_leaves_the_old_ledger(tmp_path):
    path = tmp_path / "ledger.sqlite"
    version_1(path, [(KEY, "done", "old words")])
    with closing(sqlite3.connect(path)) as connection:  # stands in the way of the last step
        connection.execute("ALTER TABLE entries ADD COLUMN cost REAL")
    with pytest.raises(DataError, match="duplicate column"):
        Ledger(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        columns = {row[1] for row in connection.execute("PRAGMA table_info(entries)")}
    assert "tokens_in" not in columns


def test_a_migration_waits_for_another_process_that_does_the_same(tmp_path):
    path = tmp_path / "ledger.sqlite"
    version_1(path, [(KEY, "done", "old words")])
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    for column in ("tokens_in INTEGER", "tokens_out INTEGER", "cost REAL"):
        other.execute(f"ALTER TABLE entries ADD COLUMN {column} NOT NULL DEFAULT 0")
    other.execute("PRAGMA user_version = 2")
    finish = threading.Timer(0.3, other.execute, ["COMMIT"])
    started = time.monotonic()
    finish.start()
    with Ledger(path) as ledger:
        assert time.monotonic() - started > 0.25
        assert rows_of(ledger, [KEY])[KEY].text == "old words"
    finish.join()
    other.close()


def test_a_newer_ledger_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(DataError, match="upgrade viral") as caught:
        Ledger(path)
    assert str(path) in str(caught.value)


def test_another_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(DataError, match="not a ledger"):
        Ledger(path)
    assert path.read_bytes() == before


def test_a_damaged_ledger_says_what_to_do(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(DataError, match=r"damaged[\s\S]*move the file away[\s\S]*viral enrich"):
        Ledger(path)


def test_damage_in_the_middle_is_reported_too(tmp_path):
    path = tmp_path / "ledger.sqlite"
    keys = [replace(KEY, item_id=str(number)) for number in range(300)]
    with Ledger(path) as ledger:
        ledger.put(Entry(key, "done", "words " * 50) for key in keys)
    data = bytearray(path.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match="damaged"), Ledger(path) as ledger:
        rows_of(ledger, keys)


def test_a_folder_is_not_a_ledger(tmp_path):
    with pytest.raises(DataError, match="cannot be used"):
        Ledger(tmp_path)


def test_a_new_ledger_waits_for_whoever_writes_to_the_file(tmp_path):
    path = tmp_path / "ledger.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # SQLite itself refuses to switch to WAL at once, without waiting
    release = threading.Timer(0.3, other.execute, ["COMMIT"])
    started = time.monotonic()
    release.start()
    with Ledger(path) as ledger:
        assert time.monotonic() - started > 0.25
        ledger.put([Entry(KEY, "done", "words")])
    release.join()
    other.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from viral.enrich.ledger import Entry, RequestKey, Ledger

path, name = Path(sys.argv[1]), sys.argv[2]
key = RequestKey("", "aa", "bb", "pixel", "1", "title", "cc", "{}")
sys.stdin.readline()
with Ledger(path) as ledger:
    for batch in range(50):
        mine = [Entry(replace(key, item_id=f"{name}-{batch}-{n}"), "done", name) for n in range(4)]
        shared = [Entry(replace(key, item_id=f"shared-{batch}"), "done", name)]
        ledger.put(mine + shared)
        (found,) = ledger.find([shared[0].key.digest]).values()
        print(found.text)
"""


def test_processes_write_at_the_same_time(tmp_path):
    path = tmp_path / "ledger.sqlite"  # they race to create it, too
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in "abc"
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    seen = []
    for writer in writers:
        with writer:
            output, _ = writer.communicate(timeout=60)
        assert writer.returncode == 0
        seen.append(output.split())
    assert seen[0] == seen[1] == seen[2]  # whoever came first, all of them read the same
    with Ledger(path) as ledger:
        assert len(list(ledger.rows("pixel", "title"))) == 3 * 50 * 4 + 50
