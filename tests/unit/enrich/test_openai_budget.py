"""What a run may spend, and that the key goes to the server and nowhere else."""

import contextlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from describers import draw
from makers import picture
from openai_server import Behaviour, serving
from viral.base.errors import UsageError, ViralError
from viral.data.catalog import Catalog, Item
from viral.enrich import Ledger, Picture, enrich, load_prompt
from viral.enrich.openai import OpenAIConfig, OpenAIDescriber
from viral.enrich.openai.client import read_error
from viral.enrich.openai.limits import CallBudget
from viral.enrich.protocol import Answer, BudgetSpent

PLAIN = load_prompt("plain")
KEY = "sk-Zq81aPkk2Wn5tTr0Xy7"


def describer(server, **config):
    return OpenAIDescriber(OpenAIConfig(**{"url": server.url, "model": "tiny", "backoff": 0.01, **config}))


def shown(number):
    return Picture(f"i{number}", "", picture(colour=(number % 256, number // 256, 7)))


def shop(folder, count):
    return Catalog(tuple(Item(f"i{n:03}", "", "", draw(folder / "images" / f"{n}.png", n + 1)) for n in range(count)))


@pytest.mark.parametrize(
    ("budget", "answers"),
    [
        ({"budget_tokens": 600}, 5),
        ({"budget_tokens": 719}, 5),
        ({"budget_tokens": 1}, 1),
        ({"budget_money": 0.00072, "price_in": 1.0, "price_out": 4.0}, 4),  # 100 · 1 + 20 · 4 = 180 millionths each
        ({}, 9),
    ],
)
def test_a_budget_ends_the_run_before_it_is_overrun(budget, answers):
    with serving() as server:
        outcomes = describer(server, **budget).describe([shown(n) for n in range(9)], PLAIN)
        assert [type(outcome) for outcome in outcomes] == [Answer] * answers + [BudgetSpent] * (9 - answers)
        assert len(server.calls) == answers
    if budget and answers < 9:
        assert "spent" in outcomes[-1].what and "kept" in outcomes[-1].hint


def test_an_answer_says_what_it_took_with_its_vain_attempts():
    empty = ("message", {"content": ""})
    with serving(Behaviour(faults=lambda call, n: empty if n < 3 else None)) as server:
        one = describer(server, price_in=1.0, price_out=4.0)
        (answer,) = one.describe([shown(0)], PLAIN)
    assert (answer.tokens_in, answer.tokens_out) == (300, 60)
    assert answer.cost == pytest.approx(3 * 180e-6)


def test_threads_together_stay_within_a_budget_once_they_know_what_a_call_costs():
    with serving(Behaviour(faults=lambda call, n: ("slow", 0.03))) as server:
        one = describer(server, budget_tokens=2400, concurrency=4)
        one.describe([shown(99)], PLAIN)
        with ThreadPoolExecutor(4) as pool:
            outcomes = [*pool.map(lambda n: one.describe([shown(n)], PLAIN)[0], range(40))]
        assert len(server.calls) == 20  # 2400 tokens to the last one, by four threads
    assert sum(isinstance(outcome, Answer) for outcome in outcomes) == 19


def test_without_a_first_answer_no_more_than_what_is_under_way_is_overrun():
    budget = CallBudget(tokens=100)
    with budget.call(), budget.call():
        budget.add(200, 0)
        with pytest.raises(BudgetSpent), budget.call():
            pass


def test_a_server_that_does_not_tell_tokens_cannot_be_held_to_a_budget():
    with serving(Behaviour(faults=lambda call, n: ("usage",))) as server:
        assert isinstance(describer(server).describe([shown(0)], PLAIN)[0], Answer)
        one = describer(server, budget_tokens=1000)
        assert isinstance(one.describe([shown(0)], PLAIN)[0], Answer)  # it is paid for: it is kept
        with pytest.raises(ViralError, match="does not tell tokens"):
            one.describe([shown(1)], PLAIN)
        assert len(server.calls) == 2


def test_a_run_that_spent_its_budget_goes_on_with_the_next(tmp_path):
    catalog = shop(tmp_path, 30)
    with serving() as server, Ledger(tmp_path / "ledger.sqlite") as ledger:
        for expected in (10, 20, 30):
            one = describer(server, budget_tokens=1200, concurrency=1)
            described = enrich(catalog, one, PLAIN, ledger)
            assert described.counts["done"] == len(server.calls) == expected
        assert set(server.counts.values()) == {1}


def test_answers_of_other_threads_are_kept_when_the_budget_is_spent(tmp_path):
    catalog = shop(tmp_path, 60)
    with serving(Behaviour(faults=lambda call, n: ("slow", 0.02 * (int(call.sha256[0], 16) % 3)))) as server:
        with Ledger(tmp_path / "ledger.sqlite") as ledger:
            described = enrich(catalog, describer(server, budget_tokens=3000, concurrency=8), PLAIN, ledger)
            assert described.counts["done"] == len(server.calls) >= 25 - 8
            assert enrich(catalog, describer(server), PLAIN, ledger).counts["done"] == 60
        assert set(server.counts.values()) == {1}


def everything(folder):
    """All bytes below a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_the_key_goes_to_the_server_and_nowhere_else(tmp_path, monkeypatch, capfd, caplog):
    caplog.set_level("DEBUG")
    monkeypatch.setenv("VIRAL_API_KEY", KEY + "\n")
    with serving(Behaviour(key=KEY)) as server, Ledger(tmp_path / "ledger.sqlite") as ledger:
        one = describer(server)
        described = enrich(shop(tmp_path, 3), one, PLAIN, ledger)
        assert described.counts["done"] == 3
        assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"
        shown_to_users = repr(one) + repr(vars(one)) + str(one.parameters) + "".join(capfd.readouterr()) + caplog.text
        assert KEY not in shown_to_users
    assert KEY.encode() not in everything(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as book:
        assert book.execute("SELECT count(*) FROM entries").fetchone() == (3,)


def test_a_server_that_quotes_the_key_is_not_quoted(monkeypatch):
    wrong = "sk-WRONGWRONG0123456789"
    monkeypatch.setenv("MY_KEY", wrong)
    with serving(Behaviour(key=KEY)) as server, pytest.raises(ViralError, match="Incorrect API key provided") as caught:
        describer(server, api_key_env="MY_KEY").describe([shown(0)], PLAIN)
    told = str(caught.value)
    assert wrong not in told and wrong[:8] not in told and wrong[-8:] not in told
    assert "MY_KEY" in caught.value.hint and caught.value.__cause__ is None


@pytest.mark.parametrize("key", ["sk-1\r\nX-Evil: 1", "sk-ключ", "a\0b"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(monkeypatch, key):
    monkeypatch.setattr("os.environ", {"VIRAL_API_KEY": key})
    with pytest.raises(UsageError, match="VIRAL_API_KEY") as caught:
        OpenAIDescriber(OpenAIConfig(url="http://localhost:1/v1", model="tiny"))
    assert key not in str(caught.value) and "Evil" not in str(caught.value)


@pytest.mark.usefixtures("uncollected")
def test_what_a_server_says_of_an_error_is_short_and_printable():
    body = json.dumps({"error": {"code": "x", "message": "a\x1b[31m\r\nb \u202e c " + "z" * 999}}).encode()
    code, message = read_error(body, "")
    assert code == "x" and message.startswith("a [31m b c zzz") and len(message) == 200 and message.isprintable()
    for odd in (b"", b"[]", b'"text"', b"\xff\xfe", b'{"error": "no"}', b"[" * 100_000):
        assert isinstance(read_error(odd, KEY)[1], str)
