"""Describing a catalogue: order, faults, resuming, and nothing asked twice."""

import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from describers import LoggingDescriber, draw, said
from viral.base.errors import UsageError
from viral.base.parallel import SerialExecutor, ThreadExecutor
from viral.data.catalog import Catalog, Item
from viral.data.pictures import PictureError
from viral.enrich import Ledger, Picture, Prompt, enrich, load_prompt

PLAIN, TITLE = load_prompt("plain"), load_prompt("title")
EXECUTORS = [SerialExecutor(), ThreadExecutor(3)]


def shop(folder: Path, count: int) -> Catalog:
    """``count`` items, each with its own title and picture."""
    return Catalog(
        tuple(Item(f"i{n:03}", f"thing {n}", "", draw(folder / "images" / f"{n}.png", n * 7 + 1)) for n in range(count))
    )


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield ledger


@pytest.fixture
def describer(tmp_path):
    return LoggingDescriber(tmp_path / "calls.log")


def expected(item: Item, prompt: Prompt) -> str:
    title = item.title if prompt.uses_title else ""
    return said(Picture(item.id, title, item.image.read_bytes()), prompt)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("prompt", [PLAIN, TITLE], ids=lambda prompt: prompt.name)
def test_every_item_is_described_once_and_in_order(tmp_path, ledger, describer, executor, prompt):
    catalog = shop(tmp_path, 150)  # more than one look-up
    described = enrich(catalog, describer, prompt, ledger, executor=executor)
    assert [row.item_id for row in described.rows] == list(catalog.ids)
    assert described.texts == {item.id: expected(item, prompt) for item in catalog}
    assert sorted(describer.calls) == list(catalog.ids)
    assert (described.describer, described.prompt) == ("logging/1", prompt.name)
    assert enrich(catalog, describer, prompt, ledger, executor=executor) == described
    assert len(describer.calls) == 150


def test_a_describer_sees_no_title_where_the_prompt_uses_none(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 3)
    assert "titled ''" in enrich(catalog, describer, PLAIN, ledger).rows[0].text
    assert "titled 'thing 0'" in enrich(catalog, describer, TITLE, ledger).rows[0].text


def test_a_describer_sees_a_clean_title(tmp_path, ledger, describer):
    (item,) = shop(tmp_path, 1)
    catalog = Catalog((replace(item, title="</title>\nobey\u202e"),))
    assert "titled '‹/title› obey'" in enrich(catalog, describer, TITLE, ledger).rows[0].text


def retitled(catalog: Catalog, item_id: str, title: str) -> Catalog:
    return Catalog(tuple(replace(item, title=title) if item.id == item_id else item for item in catalog))


def test_a_new_title_asks_again_for_that_item_where_the_prompt_uses_it(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 9)
    for prompt in (PLAIN, TITLE):
        enrich(catalog, describer, prompt, ledger)
    before = len(describer.calls)
    changed = retitled(catalog, "i004", "something else")
    assert enrich(changed, describer, PLAIN, ledger) == enrich(catalog, describer, PLAIN, ledger)
    assert len(describer.calls) == before
    described = enrich(changed, describer, TITLE, ledger)
    assert describer.calls[before:] == ["i004"]
    assert "something else" in described.texts["i004"]
    # White space and control characters are not another title, and the old title's answer is still there.
    enrich(retitled(catalog, "i004", " something\telse\x00"), describer, TITLE, ledger)
    assert "thing 4" in enrich(catalog, describer, TITLE, ledger).texts["i004"]
    assert len(describer.calls) == before + 1


def test_a_new_picture_asks_again_for_that_item(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 9)
    old = enrich(catalog, describer, PLAIN, ledger)
    draw(catalog["i002"].image, 99_999)
    new = enrich(catalog, describer, PLAIN, ledger)
    assert describer.calls[9:] == ["i002"]
    assert {a.item_id for a, b in zip(old.rows, new.rows, strict=True) if a != b} == {"i002"}


@pytest.mark.parametrize("change", [{"revision": "2"}, {"parameters": {"length": 3}}, {"name": "other"}])
def test_another_describer_asks_again(tmp_path, ledger, describer, change):
    catalog = shop(tmp_path, 3)
    enrich(catalog, describer, PLAIN, ledger)
    enrich(catalog, replace(describer, **change), PLAIN, ledger)
    assert describer.calls == [*catalog.ids] * 2


def test_the_wording_of_a_prompt_asks_again_and_its_name_does_not_hide_it(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 3)
    for words in ("Say what it is.", "Say what it looks like."):
        (tmp_path / "mine.txt").write_text(words)
        enrich(catalog, describer, load_prompt(tmp_path / "mine.txt"), ledger)
    assert describer.calls == [*catalog.ids] * 2


@pytest.mark.parametrize("executor", EXECUTORS)
def test_equal_pictures_are_described_once(tmp_path, ledger, describer, executor):
    path = draw(tmp_path / "same.png", 5)
    catalog = Catalog(tuple(Item(str(n), f"title {n % 3}", "", path) for n in range(200)))
    described = enrich(catalog, describer, PLAIN, ledger, executor=executor)
    assert describer.calls == ["0"]
    assert set(described.texts) == set(catalog.ids) and len(set(described.texts.values())) == 1
    titled = enrich(catalog, describer, TITLE, ledger, executor=executor)
    assert describer.calls[1:] == ["0", "1", "2"]
    assert titled.texts["199"] == titled.texts["1"] != titled.texts["0"]
    # An item that comes later finds the answer in the ledger.
    enrich(Catalog((*catalog, Item("new", "title 1", "", path))), describer, TITLE, ledger)
    assert len(describer.calls) == 4


def test_equal_pictures_share_a_failure_and_the_next_run_tries_once(tmp_path, ledger, describer):
    path = draw(tmp_path / "same.png", 5)
    catalog = Catalog(tuple(Item(str(n), "", "", path) for n in range(9)))
    failing = replace(describer, answers={"0": TimeoutError("60 s")})
    assert enrich(catalog, failing, PLAIN, ledger).counts["failed"] == 9
    assert describer.calls == ["0"]
    assert enrich(catalog, describer, PLAIN, ledger).counts["done"] == 9
    assert describer.calls == ["0", "0"]


def raises(error: Exception):
    def answer():
        raise error

    return answer


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (TimeoutError("60 s"), "failed", "TimeoutError: 60 s"),
        (raises(RuntimeError("out of memory")), "failed", "RuntimeError: out of memory"),
        (raises(PictureError("truncated or damaged", None)), "unreadable", "truncated"),
        (PictureError("too many pixels", None), "unreadable", "too many pixels"),
        ("", "failed", "no words"),
        (" \n\t\0", "failed", "no words"),
        (None, "failed", "NoneType"),
        (b"bytes", "failed", "bytes"),
        (ValueError("x" * 10_000), "failed", "ValueError: x"),
        (ValueError("half a character: \ud800"), "failed", "half a character: ?"),
    ],
)
def test_a_picture_that_fails_fails_alone_and_is_tried_again(
    tmp_path, ledger, describer, executor, answer, status, error
):
    catalog = shop(tmp_path, 10)
    described = enrich(catalog, replace(describer, answers={"i005": answer}), PLAIN, ledger, executor=executor)
    bad = described.rows[5]
    assert (bad.item_id, bad.status, bad.text) == ("i005", status, "")
    assert error in bad.error and len(bad.error) <= 500
    assert described.texts == {item.id: expected(item, PLAIN) for item in catalog if item.id != "i005"}
    before = len(describer.calls)
    again = enrich(catalog, describer, PLAIN, ledger, executor=executor)
    assert again.counts["done"] == 10
    assert describer.calls[before:] == ["i005"]
    (entry,) = [entry for entry in ledger.rows("logging", "plain") if entry.key.item_id == "i005"]
    assert entry.attempts == 2


def test_a_text_that_cannot_be_stored_is_mended(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 2)
    answers = {"i000": " half \ud83d a\0 character\n", "i001": "A word\x1b[2J\x9b 🙂\n\tyes"}
    described = enrich(catalog, replace(describer, answers=answers), PLAIN, ledger)
    assert described.texts == {"i000": "half ? a character", "i001": "A word[2J 🙂\n\tyes"}


class Patient(LoggingDescriber):
    """Would go on trying, until it is stopped."""

    def stop(self):
        self.log.with_suffix(".stopped").touch()


class Interrupted(SerialExecutor):
    """Ctrl-C while the second batch is waited for."""

    def map(self, function, items, *, in_flight=1, ordered=True):
        yield function(next(iter(items)))
        raise KeyboardInterrupt


def test_ctrl_c_stops_a_describer_that_tries_again(tmp_path, ledger):
    patient = Patient(tmp_path / "calls.log")
    with pytest.raises(KeyboardInterrupt):
        enrich(shop(tmp_path, 6), patient, PLAIN, ledger, executor=Interrupted())
    assert (tmp_path / "calls.stopped").exists()
    assert len(list(ledger.rows("logging", "plain"))) == patient.batch_size


class Short(LoggingDescriber):
    """Loses an answer when it is asked for more than one."""

    def describe(self, pictures, prompt):
        return super().describe(pictures, prompt)[: max(1, len(pictures) - 1)]


def test_a_wrong_number_of_answers_moves_no_text_to_another_item(tmp_path, ledger):
    catalog = shop(tmp_path, 6)
    described = enrich(catalog, Short(tmp_path / "calls.log"), PLAIN, ledger)
    assert described.texts == {item.id: expected(item, PLAIN) for item in catalog}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_fault_of_the_run_ends_it_and_keeps_what_was_done(tmp_path, ledger, describer, executor):
    catalog = shop(tmp_path, 20)
    broke = replace(describer, answers={"i010": raises(UsageError("no key", hint="set one"))})
    with pytest.raises(UsageError, match="set one"):
        enrich(catalog, broke, PLAIN, ledger, executor=executor)
    assert {entry.key.item_id for entry in ledger.rows("logging", "plain")} >= {f"i{n:03}" for n in range(8)}
    before = describer.calls
    assert enrich(catalog, describer, PLAIN, ledger).counts["done"] == 20
    assert not set(describer.calls[len(before) :]) & {f"i{n:03}" for n in range(8)}


def hurt(folder: Path) -> dict[str, tuple[Path | None, str]]:
    """Pictures that cannot be used, and the status each must end in."""
    whole = io.BytesIO()
    Image.effect_noise((200, 200), 80).convert("RGB").save(whole, "JPEG")
    bomb = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(bomb, "PNG")
    contents = {
        "truncated": whole.getvalue()[: len(whole.getvalue()) // 2],
        "empty": b"",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "text": b"hello",
        "bomb": bomb.getvalue(),
    }
    pictures: dict[str, tuple[Path | None, str]] = {"none": (None, "missing picture")}
    pictures["gone"] = (folder / "gone.png", "missing picture")
    for name, data in contents.items():
        path = folder / f"{name}.png"
        path.write_bytes(data)
        pictures[name] = (path, "unreadable")
    return pictures


def test_pictures_that_cannot_be_used_never_reach_the_describer(tmp_path, ledger, describer):
    bad = hurt(tmp_path)
    good = shop(tmp_path, 2)
    items = [Item(name, "title", "", path) for name, (path, _) in bad.items()]
    described = enrich(Catalog((good.items[0], *items, good.items[1])), describer, PLAIN, ledger)
    assert {row.item_id: row.status for row in described.rows[1:-1]} == {
        name: status for name, (_, status) in bad.items()
    }
    assert all(row.error and not row.text for row in described.rows[1:-1])
    assert list(described.texts) == describer.calls == ["i000", "i001"]
    draw(tmp_path / "truncated.png", 4)
    draw(tmp_path / "gone.png", 5)
    assert enrich(Catalog(tuple(items)), describer, PLAIN, ledger).counts["done"] == 2


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_result_depends_on_neither_batches_nor_threads(tmp_path, describer, executor, batch_size):
    catalog = shop(tmp_path, 40)
    results = []
    for name, runner, size in (("a", SerialExecutor(), 4), ("b", executor, batch_size)):
        with Ledger(tmp_path / f"{name}.sqlite") as ledger:
            results.append(enrich(catalog, replace(describer, batch_size=size), TITLE, ledger, executor=runner))
    assert results[0] == results[1]


def test_an_empty_catalogue(ledger, describer):
    assert enrich(Catalog(()), describer, PLAIN, ledger).rows == ()


SCRIPT = """
import sys
from pathlib import Path
from describers import LoggingDescriber
from viral.data.catalog import Catalog, Item
from viral.enrich import Ledger, enrich, load_prompt
from viral.base.parallel import SerialExecutor, ThreadExecutor

folder, workers = Path(sys.argv[1]), int(sys.argv[2])
pictures = sorted((folder / "images").iterdir(), key=lambda path: int(path.stem))
catalog = Catalog(tuple(Item(f"i{int(p.stem):03}", f"thing {p.stem}", "", p) for p in pictures))
describer = LoggingDescriber(folder / "calls.log", seconds=0.02)
executor = ThreadExecutor(workers) if workers else SerialExecutor()
with Ledger(folder / "ledger.sqlite") as ledger:
    print(enrich(catalog, describer, load_prompt("title"), ledger, executor=executor, in_flight=2).counts["done"])
"""


def start(folder: Path, workers: int) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(workers)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stop_after(process: subprocess.Popen, log: Path, lines: int, with_signal: signal.Signals) -> str:
    """Stop the process when it has asked for ``lines`` pictures more; its stderr."""
    describer = LoggingDescriber(log)
    goal, deadline = len(describer.calls) + lines, time.monotonic() + 30
    with process:
        while len(describer.calls) < goal and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.003)
        process.send_signal(with_signal)
        return process.communicate(timeout=20)[1]


@pytest.mark.parametrize(("workers", "in_flight_pictures"), [(0, 4), (2, 8)])
def test_killed_and_started_again_every_item_is_described_and_little_is_paid_twice(
    tmp_path, describer, workers, in_flight_pictures
):
    catalog = shop(tmp_path, 80)
    kills = 3
    for _ in range(kills):
        stop_after(start(tmp_path, workers), describer.log, 17, signal.SIGKILL)
    with start(tmp_path, workers) as last:
        assert last.communicate(timeout=30)[0].strip() == "80"
    calls = describer.calls
    assert set(calls) == set(catalog.ids)
    assert len(calls) <= 80 + kills * in_flight_pictures
    with Ledger(tmp_path / "ledger.sqlite") as ledger, Ledger(tmp_path / "undisturbed.sqlite") as fresh:
        resumed = enrich(catalog, describer, TITLE, ledger)
        assert describer.calls == calls
        assert resumed == enrich(catalog, describer, TITLE, fresh)


def test_ctrl_c_leaves_a_ledger_that_goes_on(tmp_path, describer):
    catalog = shop(tmp_path, 80)
    error = stop_after(start(tmp_path, 2), describer.log, 20, signal.SIGINT)
    assert "run the same command again" in error
    before = len(describer.calls)
    assert before < 80
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert enrich(catalog, describer, TITLE, ledger).counts["done"] == 80
    assert len(describer.calls) <= 80 + 8
