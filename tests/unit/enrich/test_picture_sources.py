"""What a run asks for and what it leaves: failures, refusals, budgets, faults, threads, pictures by URL."""

import json
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest

from describers import LoggingDescriber, draw, said
from picture_server import serving
from viral.base.errors import UsageError, ViralError
from viral.base.parallel import SerialExecutor, ThreadExecutor
from viral.data.catalog import Catalog, Item
from viral.data.fetch import FetchConfig, Fetcher
from viral.data.pictures import PictureError
from viral.enrich import Answer, BudgetSpent, EnrichOptions, Ledger, Picture, Refused, enrich, load_prompt

PLAIN, TITLE, ATTRIBUTES = (load_prompt(name) for name in ("plain", "title", "attributes"))


def shop(folder, count):
    return Catalog(
        tuple(Item(f"i{n:03}", f"thing {n}", "", draw(folder / "images" / f"{n}.png", n + 1)) for n in range(count))
    )


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield ledger


@pytest.fixture
def describer(tmp_path):
    return LoggingDescriber(tmp_path / "calls.log")


def raises(error):
    def answer():
        raise error

    return answer


def statuses(described):
    return [row.status for row in described.rows]


def test_after_three_failures_an_item_is_left_alone_until_it_is_asked_for_again(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 3)
    broken = replace(describer, answers={"i001": TimeoutError("60 s")})
    found = [enrich(catalog, broken, PLAIN, ledger).rows[1] for _ in range(5)]
    assert [row.status for row in found] == ["failed", "failed", *["quarantined"] * 3]
    assert describer.calls.count("i001") == 3
    assert found[-1].error == "TimeoutError: 60 s"
    again = enrich(catalog, broken, PLAIN, ledger, options=EnrichOptions(retry_failed=True))
    assert (again.rows[1].status, describer.calls.count("i001")) == ("quarantined", 4)
    assert enrich(catalog, describer, PLAIN, ledger, options=EnrichOptions(retry_failed=True)).counts["done"] == 3
    assert describer.calls.count("i000") == 1, "what is done is never asked for again"


@pytest.mark.parametrize("limit", [1, 2])
def test_the_number_of_attempts_is_a_choice_of_the_run(tmp_path, ledger, describer, limit):
    catalog = shop(tmp_path, 1)
    broken = replace(describer, answers={"i000": TimeoutError("60 s")})
    for _ in range(3):
        found = enrich(catalog, broken, PLAIN, ledger, options=EnrichOptions(max_attempts=limit))
    assert statuses(found) == ["quarantined"] and len(describer.calls) == limit
    assert statuses(enrich(catalog, broken, PLAIN, ledger, options=EnrichOptions(max_attempts=9))) == ["failed"]
    assert statuses(enrich(catalog, broken, PLAIN, ledger, options=EnrichOptions(max_attempts=limit))) == [
        "quarantined"
    ]
    assert len(describer.calls) == limit + 1


@pytest.mark.parametrize(
    "answer",
    [Refused("the filter"), raises(Refused("the filter")), "I'm sorry, but I can't help.", "抱歉，我无法描述。"],
)
def test_a_refusal_is_no_description_and_is_not_paid_for_again(tmp_path, ledger, describer, answer):
    catalog = shop(tmp_path, 6)
    refusing = replace(describer, answers={"i002": answer})
    for run in range(2):
        found = enrich(catalog, refusing, PLAIN, ledger)
        assert statuses(found)[2] == "refused" and found.counts["done"] == 5
        assert found.rows[2].text == "" and found.rows[2].error
        assert (found.spent.asked > 0) == (run == 0)
    before = len(describer.calls)
    assert enrich(catalog, describer, PLAIN, ledger, options=EnrichOptions(retry_failed=True)).counts["done"] == 6
    assert describer.calls[before:] == ["i002"]


def test_a_describer_that_finds_a_picture_unreadable_is_not_asked_for_ever(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 1)
    broken = replace(describer, answers={"i000": PictureError("truncated or damaged", None)})
    for _ in range(5):
        assert statuses(enrich(catalog, broken, PLAIN, ledger)) == ["unreadable"]
    assert len(describer.calls) == 3


def test_a_broken_picture_costs_no_attempt(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 1)
    whole = catalog.items[0].image.read_bytes()
    catalog.items[0].image.write_bytes(whole[:50])
    for _ in range(4):
        assert statuses(enrich(catalog, describer, PLAIN, ledger)) == ["unreadable"]
    (entry,) = ledger.rows("logging", "plain")
    assert (entry.attempts, describer.calls) == (0, [])


def test_equal_pictures_are_quarantined_together(tmp_path, ledger, describer):
    path = draw(tmp_path / "same.png", 5)
    catalog = Catalog(tuple(Item(str(n), "", "", path) for n in range(5)))
    broken = replace(describer, answers={str(n): TimeoutError("60 s") for n in range(5)})
    for _ in range(5):
        found = enrich(catalog, broken, PLAIN, ledger)
    assert statuses(found) == ["quarantined"] * 5 and describer.calls == ["0"] * 3


def test_tokens_and_cost_are_in_the_ledger_and_in_what_the_run_took(tmp_path, ledger, describer):
    path = draw(tmp_path / "same.png", 5)
    catalog = Catalog((*shop(tmp_path, 3), Item("x", "", "", path), Item("y", "", "", path)))
    answers = {item.id: Answer(f"says of {item.id}", 100, 20, 0.5) for item in catalog}
    paid = enrich(catalog, replace(describer, answers=answers), PLAIN, ledger)
    assert (paid.spent.asked, paid.spent.tokens_in, paid.spent.tokens_out, paid.spent.cost) == (4, 400, 80, 2.0)
    assert sum(entry.cost for entry in ledger.rows("logging", "plain")) == 2.0, "the copy for y costs nothing"
    assert enrich(catalog, describer, PLAIN, ledger).spent.asked == 0


@pytest.mark.parametrize("executor", [SerialExecutor(), ThreadExecutor(3)])
@pytest.mark.parametrize("wrap", [lambda error: error, raises], ids=["in the list", "raised"])
def test_a_spent_budget_ends_the_run_in_order(tmp_path, ledger, describer, capsys, executor, wrap):
    catalog = shop(tmp_path, 40)
    broke = replace(
        describer, batch_size=1, answers={"i012": wrap(BudgetSpent("10 of 10 money are spent", hint="raise it"))}
    )
    found = enrich(catalog, broke, PLAIN, ledger, executor=executor)
    assert "10 of 10" in capsys.readouterr().err
    assert found.counts["done"] >= 12 and found.counts["pending"] == 40 - found.counts["done"] > 10
    assert found.rows[12].status == "pending" and found.rows[0].status == "done"
    before = describer.calls
    assert enrich(catalog, describer, PLAIN, ledger).counts["done"] == 40
    assert not set(describer.calls[len(before) :]) & set(found.texts), "nothing is paid for twice"
    assert all(entry.attempts == 1 for entry in ledger.rows("logging", "plain"))


def test_what_a_batch_was_answered_before_the_budget_was_spent_is_kept(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 12)
    spent = BudgetSpent("spent")
    found = enrich(catalog, replace(describer, answers={"i006": spent, "i007": spent}), PLAIN, ledger)
    assert statuses(found) == ["done"] * 6 + ["pending"] * 6


def test_a_fault_of_the_run_waits_for_what_is_under_way_and_keeps_it(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 6)
    asked = threading.Event()

    def late():
        assert asked.wait(10)
        return "late but paid for"

    def broke():
        asked.set()
        raise ViralError("the server is gone")

    slow = replace(describer, batch_size=1, answers={"i000": late, "i001": broke})
    with pytest.raises(ViralError, match="the server is gone"):
        enrich(catalog, slow, PLAIN, ledger, executor=ThreadExecutor(2), in_flight=2)
    kept = {entry.key.item_id: entry for entry in ledger.rows("logging", "plain")}
    assert kept["i000"].text == "late but paid for" and "i001" not in kept and "i005" not in kept


@pytest.mark.parametrize("first", ["the budget", "the fault"])
def test_a_fault_that_needs_mending_is_raised_though_the_budget_is_spent_too(tmp_path, ledger, describer, first):
    """Both are under way before either ends: of what was not asked yet nothing is known."""
    both = threading.Barrier(2)

    def ends(error, name):
        def answer():
            both.wait(10)
            time.sleep(0.1 * (name != first))
            raise error

        return answer

    answers = {"i000": ends(BudgetSpent("spent"), "the budget"), "i001": ends(UsageError("no key"), "the fault")}
    broke = replace(describer, batch_size=1, answers=answers)
    with pytest.raises(UsageError, match="no key"):
        enrich(shop(tmp_path, 8), broke, PLAIN, ledger, executor=ThreadExecutor(2), in_flight=8)
    assert {"i000", "i001"} <= set(describer.calls)


def test_one_answer_that_came_alone_is_kept_when_the_next_one_ends_the_run(tmp_path, ledger, describer):
    """After a fault of the batch pictures are asked for alone, and the run may end in the midst of that."""
    catalog, asked = shop(tmp_path, 4), []

    def describe_all(pictures, prompt):
        asked.append(len(pictures))
        if len(pictures) > 1:
            raise RuntimeError("too many")
        if len(asked) == 4:
            raise UsageError("no key")
        return [Answer("words")]

    class Alone(LoggingDescriber):
        describe = staticmethod(describe_all)

    with pytest.raises(UsageError):
        enrich(catalog, Alone(tmp_path / "calls.log"), PLAIN, ledger)
    assert [entry.key.item_id for entry in ledger.rows("logging", "plain")] == ["i000", "i001"]
    assert asked == [4, 1, 1, 1]


def test_describers_that_wait_get_threads(tmp_path, ledger, describer):
    barrier = threading.Barrier(3, timeout=10)  # broken unless three are under way at once

    def together():
        barrier.wait()
        return "words"

    catalog = shop(tmp_path, 6)
    waiting = replace(describer, batch_size=1, in_flight=3, answers={item.id: together for item in catalog})
    assert enrich(catalog, waiting, PLAIN, ledger).counts["done"] == 6


def test_every_answer_is_in_the_ledger_before_a_slow_one_is_there(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 20)

    def slow():
        for _ in range(500):
            with closing(sqlite3.connect(ledger.path)) as other:
                if other.execute("SELECT count(*) FROM entries").fetchone() == (19,):
                    return "all others were there first"
            threading.Event().wait(0.01)
        return "too late"

    waiting = replace(describer, batch_size=1, in_flight=2, answers={"i000": slow})
    found = enrich(catalog, waiting, PLAIN, ledger, in_flight=4)
    assert found.texts["i000"] == "all others were there first"


def test_what_is_new_is_asked_for_before_old_pictures_are_looked_at(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 70)
    enrich(Catalog(catalog.items[:60]), describer, PLAIN, ledger)
    draw(catalog["i003"].image, 5000)
    described = enrich(catalog, describer, PLAIN, ledger)
    assert describer.calls[60:] == [*(f"i{n:03}" for n in range(60, 70)), "i003"]
    assert [row.item_id for row in described.rows] == list(catalog.ids)


def test_one_ledger_serves_several_data_sets(tmp_path, ledger, describer):
    mine, theirs = shop(tmp_path / "mine", 5), shop(tmp_path / "theirs", 8)
    enrich(mine, describer, PLAIN, ledger)
    renamed = Catalog(tuple(replace(item, id=f"other-{item.id}") for item in theirs))
    assert enrich(renamed, describer, PLAIN, ledger).counts["done"] == 8
    assert describer.calls[5:] == ["other-i005", "other-i006", "other-i007"]


GOOD = {"category": "mug", "colours": ["red"], "material": "", "pattern": "plain", "shape": "", "text": []}


def test_attributes_are_kept_as_json_and_described_as_text(tmp_path, ledger, describer):
    catalog = shop(tmp_path, 3)
    answers = {"i000": f"```json\n{json.dumps(GOOD)}\n```", "i001": "A red mug.", "i002": Answer("{", 9, 9, 0.1)}
    found = enrich(catalog, replace(describer, answers=answers), ATTRIBUTES, ledger)
    assert statuses(found) == ["done", "failed", "failed"]
    assert found.texts == {"i000": "Category: mug. Colours: red. Pattern: plain."}
    assert "not what was asked for" in found.rows[1].error and "A red mug." in found.rows[1].error
    rows = {entry.key.item_id: entry for entry in ledger.rows("logging", "attributes")}
    assert json.loads(rows["i000"].text) == GOOD
    assert (rows["i002"].tokens_in, rows["i002"].cost) == (9, 0.1), "a useless answer is paid for, too"


def test_conspicuous_descriptions_are_done_and_counted(tmp_path, ledger, describer):
    answers = {"i000": "Red.", "i001": " ".join(f"word{n}" for n in range(151)), "i002": "A very red mug with thing 2."}
    found = enrich(shop(tmp_path, 4), replace(describer, answers=answers), TITLE, ledger)
    assert found.counts["done"] == 4
    assert found.rows[0].flags == ("too short",) and found.rows[1].flags == ("too long",)
    assert found.flags["too short"] == 1 and found.flags["title copied"] == 0


def test_pictures_by_url_are_fetched_once_and_described_once(tmp_path, ledger, describer):
    data = draw(tmp_path / "a.png", 77).read_bytes()
    other = draw(tmp_path / "b.png", 78).read_bytes()
    with serving({"/a.png": data, "/copy.png": data, "/b.png": other}) as server:
        local = draw(tmp_path / "local.png", 79)
        items = [Item(name, "", "", None, None, server.url(f"/{name}.png")) for name in ("a", "copy", "b", "gone")]
        both = Item("both", "", "", local, None, server.url("/never.png"))
        lost = Item("lost", "", "", tmp_path / "lost.png", None, server.url("/b.png"))
        catalog = Catalog((*items, both, lost, Item("none", "", "", None)))
        fetcher = Fetcher(tmp_path / "cache", FetchConfig(allow_private=True, wait=0.0))
        found = enrich(catalog, describer, PLAIN, ledger, options=EnrichOptions(fetcher=fetcher))
        assert statuses(found) == ["done", "done", "done", "unreadable", "done", "done", "missing picture"]
        assert "dead link" in found.rows[3].error
        assert sorted(describer.calls) == ["a", "b", "both"]
        assert found.texts["a"] == said(Picture("a", "", data), PLAIN) == found.texts["copy"]
        requests = [path for _, path in server.requests]
        assert sorted(requests) == ["/a.png", "/b.png", "/copy.png", "/gone.png"]
        again = enrich(catalog, describer, PLAIN, ledger, options=EnrichOptions(fetcher=fetcher))
        assert again == found and len(server.requests) == 4
    assert enrich(catalog, describer, PLAIN, ledger).counts["missing picture"] == 6, "without a fetcher"


def test_a_dead_link_is_followed_in_three_runs_and_no_more_until_it_is_asked_for(tmp_path, ledger, describer):
    config = FetchConfig(allow_private=True, wait=0.0)

    def run(catalog, **options):
        fetcher = Fetcher(tmp_path / "cache", config)  # a new one, as each run has: it remembers no failure
        return enrich(catalog, describer, PLAIN, ledger, options=EnrichOptions(fetcher=fetcher, **options)).rows[0]

    with serving({}) as server:
        catalog = Catalog((Item("a", "", "", None, None, server.url("/a.png")),))
        found = [run(catalog) for _ in range(5)]
        assert found == [found[0]] * 5 and (found[0].status, len(server.requests)) == ("unreadable", 3)
        assert "dead link" in found[0].error
        moved = Catalog((replace(catalog.items[0], image_url=server.url("/moved.png")),))
        assert run(moved).status == "unreadable" and len(server.requests) == 4, "another address is another matter"
        server.pages["/a.png"] = draw(tmp_path / "a.png", 3).read_bytes()
        assert run(catalog).status == "unreadable"
        assert run(catalog, retry_failed=True).status == "done"
        assert run(catalog).status == "done" and describer.calls == ["a"]
