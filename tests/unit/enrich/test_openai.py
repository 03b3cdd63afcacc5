"""The describer for OpenAI-compatible servers, over real HTTP: what goes over the wire, and every way it can fail."""

import dataclasses
import itertools
import json
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from makers import noise, picture
from openai_server import Behaviour, said, serving
from viral.base.errors import UsageError, ViralError
from viral.data.pictures import PictureError
from viral.enrich import Picture, load_prompt
from viral.enrich.openai import OpenAIConfig, OpenAIDescriber
from viral.enrich.prompts import render
from viral.enrich.protocol import Answer, Refused

PLAIN, TITLE = load_prompt("plain"), load_prompt("title")
KEY = "sk-Zq81aPkk2Wn5tTr0Xy7"


def describer(server, **config):
    given = {"url": server.url, "model": "tiny", "backoff": 0.01, "timeout": 20.0, **config}
    return OpenAIDescriber(OpenAIConfig(**given), jitter=lambda: 0.5)


def shown(number=0, title=""):
    return Picture(f"i{number}", title, picture(colour=(number % 256, number // 256, 7)))


def ask(server, *numbers, prompt=PLAIN, **config):
    one = describer(server, **config)
    try:
        return one.describe([shown(number) for number in numbers or (0,)], prompt)
    finally:
        one.close()


def once(*fault, times=1):
    """A fault of the first calls for each picture."""
    return Behaviour(faults=lambda call, n: fault if n <= times else None)


def test_a_picture_goes_as_its_bytes_with_the_rendered_prompt():
    one = Picture("i", "Red </title> mug", picture("JPEG"))
    with serving() as server:
        (answer,) = describer(server, detail="low", max_tokens=77).describe([one], TITLE)
        (call,) = server.calls
    assert answer == Answer(said(one.data, render(TITLE, one.title)), 100, 20, 0.0)
    assert (call.picture, call.media, call.text) == (one.data, "image/jpeg", render(TITLE, one.title))
    assert call.body["model"] == "tiny" and call.body["temperature"] == 0 and call.body["max_tokens"] == 77
    assert call.body["messages"][0]["content"][0]["image_url"]["detail"] == "low"
    assert "response_format" not in call.body
    assert "http" not in json.dumps(call.body)
    assert "authorization" not in {name.lower() for name in call.headers}


def test_fields_that_a_model_refuses_can_be_left_out_or_renamed():
    with serving() as server:
        ask(server, temperature=None, max_tokens_field="max_completion_tokens", max_tokens=9)
        body = server.calls[0].body
    assert "temperature" not in body and "max_tokens" not in body and body["max_completion_tokens"] == 9


def test_a_picture_that_servers_would_see_otherwise_goes_as_we_see_it():
    with serving() as server:
        one = describer(server)
        one.describe([Picture("i", "", picture("JPEG", mode="CMYK", colour=(0, 255, 255, 0)))], PLAIN)
        one.describe([Picture("i", "", noise("PNG"))], PLAIN)
        cmyk, plain = server.calls
    assert cmyk.media == "image/jpeg" and picture("JPEG", mode="CMYK", colour=(0, 255, 255, 0)) != cmyk.picture
    assert plain.media == "image/png" and plain.picture[:4] == b"\x89PNG"


def test_a_picture_that_cannot_be_read_is_not_sent():
    with serving() as server:
        (outcome,) = describer(server).describe([Picture("i", "", b"<svg/>")], PLAIN)
        assert isinstance(outcome, PictureError) and server.calls == []


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (("status", 429), "HTTP 429"),
        (("status", 500), "HTTP 500 (this went wrong on purpose)"),
        (("status", 502, {}, b"<html>Bad Gateway</html>"), "HTTP 502 (<html>Bad Gateway</html>)"),
        (("status", 503), "HTTP 503"),
        (("cut",), "the connection was cut"),
        (("half",), "the connection was cut"),
        (("slow", 9.0), "no answer within 0.8 s"),
        (("drip", 0.05), "no answer within 0.8 s"),
        (("body", b"{not json"), "not an answer"),
        (("body", b"[" * 100_000), "not an answer"),
        (("body", b'{"choices": []}'), "not an answer"),
        (("body", b"\x1f\x8b rubbish"), "not an answer"),
        (("body", b" " * 4_000_001), "more than 4,000,000 bytes"),
        (("message", {"content": ""}), "without text"),
        (("message", {"content": None}), "without text"),
        (("message", {"content": "<think>hm</think>\n "}), "reasoning without an answer"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, tuple) else "",
)
def test_a_fault_that_may_pass_is_tried_again_and_at_last_told(fault, told):
    timeout = 0.8 if fault[0] in ("slow", "drip") else 20.0
    with serving(once(*fault, times=2)) as server:
        (answer,) = ask(server, timeout=timeout, max_attempts=3)
        assert answer.text == said(shown().data, render(PLAIN, ""))
        assert len(server.calls) == 3
        (outcome,) = ask(server, 1, timeout=timeout, max_attempts=2)
        assert str(outcome).startswith("none in 2 attempts; the last: ") and told in str(outcome)
        assert len(server.calls) == 5


@pytest.mark.parametrize(("status", "calls"), [(400, 1), (413, 1), (415, 1), (422, 1)])
def test_a_request_that_is_not_taken_fails_that_picture_and_no_other(status, calls):
    behaviour = Behaviour(faults=lambda call, n: ("status", status) if call.picture == shown(1).data else None)
    with serving(behaviour) as server:
        first, second, third = ask(server, 0, 1, 2)
        assert isinstance(first, Answer) and isinstance(third, Answer)
        assert str(second) == f"HTTP {status} (this went wrong on purpose)"
        assert server.counts[server.calls[1].sha256] == calls


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "VIRAL_API_KEY"), (402, "money"), (403, "VIRAL_API_KEY"), (404, "does the server offer tiny"), (405, "/v1")],
)
def test_a_server_that_refuses_us_ends_the_run(status, hint):
    with serving(once("status", status, times=9)) as server:
        one = describer(server)
        with pytest.raises(ViralError, match=f"HTTP {status}") as caught:
            one.describe([shown()], PLAIN)
        assert hint in caught.value.hint and caught.value.where.startswith(server.url)
        with pytest.raises(ViralError, match=f"HTTP {status}"):  # for every thread, without another request
            one.describe([shown(1)], PLAIN)
        assert len(server.calls) == 1


def test_no_money_left_ends_the_run_though_it_comes_as_429():
    body = b'{"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}'
    with serving(once("status", 429, {}, body, times=9)) as server:
        with pytest.raises(ViralError, match="exceeded your current quota"):
            ask(server)
        assert len(server.calls) == 1


def test_redirects_are_not_followed():
    with serving() as canary, serving(once("status", 307, {"Location": canary.url + "/chat/completions"})) as server:
        with pytest.raises(ViralError, match="elsewhere"):
            ask(server)
        assert canary.calls == []


def test_a_server_that_is_not_there_ends_the_run():
    with serving() as server:
        pass
    with pytest.raises(ViralError, match="no server answers") as caught:
        ask(server, max_attempts=2)
    assert "is it running" in caught.value.hint


def test_a_server_that_fails_at_everything_ends_the_run_before_all_is_tried():
    with serving(Behaviour(faults=lambda call, n: ("status", 500))) as server:
        with pytest.raises(ViralError, match="3 pictures in a row failed; the last: none in 2 attempts"):
            ask(server, *range(9), max_attempts=2, give_up_after=3)
        assert len(server.calls) == 6


def test_pictures_that_fail_now_and_then_end_nothing():
    bad = {shown(n).data for n in (0, 1, 3, 4, 6, 7)}
    with serving(Behaviour(faults=lambda call, n: ("status", 400) if call.picture in bad else None)) as server:
        outcomes = ask(server, *range(9), give_up_after=3)
    assert [isinstance(outcome, Answer) for outcome in outcomes] == [False, False, True] * 3


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (("message", {"content": None, "refusal": "I cannot help with that."}), "I cannot help with that."),
        (("finish", "content_filter"), "content filter"),
        (("status", 400, {}, b'{"error": {"code": "content_filter", "message": "policy"}}'), "content filter: policy"),
    ],
)
def test_a_refusal_is_a_refusal(fault, told):
    with serving(once(*fault, times=9)) as server:
        (outcome,) = ask(server)
        assert isinstance(outcome, Refused) and told in outcome.what
        assert len(server.calls) == 1


def test_an_answer_that_was_cut_off_is_no_description_and_is_not_paid_again():
    with serving(once("finish", "length", times=9)) as server:
        (outcome,) = ask(server, max_tokens=5)
        assert "max_tokens = 5" in str(outcome) and not isinstance(outcome, Answer)
        assert len(server.calls) == 1


def test_content_in_parts_and_thoughts_before_it():
    parts = [{"type": "text", "text": "A red "}, {"type": "text", "text": "mug."}]
    with serving(once("message", {"content": parts})) as server:
        assert ask(server)[0].text == "A red mug."
    with serving(once("message", {"content": "<think>a mug?\n\nyes</think>\n\nA red mug."})) as server:
        assert ask(server)[0].text == "A red mug."


@pytest.mark.parametrize("how", ["seconds", "date"])
def test_a_server_that_says_how_long_to_wait_holds_all_threads_back(how):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    busy = ("status", 429, {"Retry-After": {"seconds": "1.5", "date": date}[how]})
    behaviour = Behaviour(faults=lambda call, n: busy if (call.picture, n) == (shown(0).data, 1) else None)
    with serving(behaviour) as server:
        one = describer(server, concurrency=4)
        with ThreadPoolExecutor(4) as pool:
            waiting = pool.submit(one.describe, [shown(0)], PLAIN)
            while not server.calls:
                time.sleep(0.005)
            time.sleep(0.5)
            others = [pool.submit(one.describe, [shown(n)], PLAIN) for n in (1, 2, 3)]
            assert all(isinstance(f.result()[0], Answer) for f in (waiting, *others))
        gaps = [call.at - server.calls[0].at for call in server.calls[1:]]
    assert len(gaps) == 4 and min(gaps) >= 1.4


def test_no_wait_is_longer_than_the_longest_whatever_the_server_says():
    with serving(once("status", 429, {"Retry-After": "86400"})) as server:
        started = time.monotonic()
        assert isinstance(ask(server, max_wait=0.2)[0], Answer)
        assert 0.2 <= time.monotonic() - started < 60


def test_waits_double_and_are_half_chance():
    with serving(Behaviour(faults=lambda call, n: ("status", 500))) as server:
        one = OpenAIDescriber(
            OpenAIConfig(url=server.url, model="tiny", backoff=0.4, max_attempts=4), jitter=lambda: 0.0
        )
        one.describe([shown()], PLAIN)
        times = [call.at for call in server.calls]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    for gap, least in zip(gaps, (0.2, 0.4, 0.8), strict=True):
        assert 0.6 * least <= gap < least + 5  # a busy machine is late at one end or the other


def test_requests_are_as_many_at_once_as_is_said():
    with serving(Behaviour(faults=lambda call, n: ("slow", 0.1))) as server:
        one = describer(server, concurrency=3)
        with ThreadPoolExecutor(12) as pool:
            assert all(pool.map(lambda n: isinstance(one.describe([shown(n)], PLAIN)[0], Answer), range(12)))
        assert server.most_at_once == 3


def test_requests_that_wait_are_not_late():
    with serving(Behaviour(faults=lambda call, n: ("slow", 0.1))) as server:
        one = describer(server, concurrency=1, timeout=1.2)
        with ThreadPoolExecutor(20) as pool:
            assert all(pool.map(lambda n: isinstance(one.describe([shown(n)], PLAIN)[0], Answer), range(20)))
        assert server.most_at_once == 1
        assert len(server.calls) == 20
    assert one.in_flight == 1 and one.batch_size == 1


def test_a_rate_is_kept_by_all_threads_together():
    with serving() as server:
        one = describer(server, requests_per_minute=300, concurrency=4)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: one.describe([shown(n)], PLAIN), range(9)))
        times = sorted(call.at for call in server.calls)
    assert times[-1] - times[0] >= 0.8  # 1.6, less what a busy machine adds to the first


def test_the_end_of_a_run_wakes_the_threads_that_wait():
    with serving(once("status", 503, {"Retry-After": "50"}, times=9)) as server:
        one = describer(server)
        with ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(one.describe, [shown(n)], PLAIN) for n in range(2)]
            while not server.calls:
                time.sleep(0.005)
            started = time.monotonic()
            one.close()
            for future in futures:
                with pytest.raises(ViralError, match="stopped"):
                    future.result()
            assert time.monotonic() - started < 40


ATTRIBUTES = load_prompt("attributes")


def test_a_schema_is_sent_for_attributes_where_it_is_wanted():
    with serving() as server:
        ask(server, prompt=PLAIN, json_schema=True)
        ask(server, prompt=ATTRIBUTES)
        assert all("response_format" not in call.body for call in server.calls)
        (answer,) = ask(server, prompt=ATTRIBUTES, json_schema=True)
        schema = server.calls[-1].body["response_format"]["json_schema"]
    assert schema["schema"] == ATTRIBUTES.schema and schema["strict"] is True
    assert set(json.loads(answer.text)) == set(ATTRIBUTES.schema["required"])


def test_a_server_without_schemas_is_asked_without_from_then_on():
    with serving(Behaviour(knows_schemas=False)) as server:
        answers = ask(server, 0, 1, 2, prompt=ATTRIBUTES, json_schema=True, max_attempts=1)
        assert all(isinstance(answer, Answer) for answer in answers)
        assert ["response_format" in call.body for call in server.calls] == [True, False, False, False]


def test_a_picture_that_is_not_taken_takes_no_schema_from_the_others():
    behaviour = Behaviour(faults=lambda call, n: ("status", 400) if call.picture == shown(0).data else None)
    with serving(behaviour) as server:
        outcomes = ask(server, 0, 1, prompt=ATTRIBUTES, json_schema=True)
        assert [isinstance(outcome, Answer) for outcome in outcomes] == [False, True]
        assert ["response_format" in call.body for call in server.calls] == [True, False, True]


def test_what_decides_the_text_is_in_the_key_and_the_rest_is_not():
    base = OpenAIConfig(url="http://localhost:1/v1", model="tiny")
    same = {"url": "http://other/v1", "concurrency": 2, "timeout": 9.0, "max_tokens": 9, "budget_tokens": 5,
            "requests_per_minute": 3, "max_attempts": 2, "price_in": 1.0, "api_key_env": "OTHER"}  # fmt: skip
    other = {"model": "large", "temperature": 0.5, "detail": "high", "json_schema": True}

    def key(**change):
        one = OpenAIDescriber(dataclasses.replace(base, **change))
        one.close()
        return one.name, one.revision, json.dumps(one.parameters, sort_keys=True)

    assert all(key(**{name: value}) == key() for name, value in same.items())
    keys = {key(**{name: value}) for name, value in other.items()}
    assert len(keys) == len(other) and key() not in keys


def test_a_describer_can_be_pickled_and_takes_no_key_along(monkeypatch):
    monkeypatch.setenv("VIRAL_API_KEY", KEY)
    with serving(Behaviour(key=KEY)) as server:
        packed = pickle.dumps(describer(server))
        assert KEY.encode() not in packed
        assert isinstance(pickle.loads(packed).describe([shown()], PLAIN)[0], Answer)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "localhost:8000"}, {"url": "ftp://x/v1"}, {"url": "http://"}, {"url": "http://[::1"},
        {"url": f"http://user:{KEY}@x/v1"}, {"url": f"http://x/v1?key={KEY}"}, {"model": " "}, {"concurrency": 0},
        {"timeout": float("nan")}, {"timeout": float("inf")}, {"budget_tokens": -1}, {"budget_money": 1.0},
        {"api_key_env": KEY}, {"temperature": -1.0},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_without_showing_a_secret(settings):
    with pytest.raises(UsageError) as caught:
        OpenAIConfig(**{"url": "http://localhost:8000/v1", "model": "tiny", **settings})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1/chat/completions"),
        ("https://api.shop.test/openai/v1/", "https://api.shop.test/openai/v1/chat/completions"),
        ("http://x/v1/chat/completions", "http://x/v1/chat/completions"),
    ],
)
def test_an_address_with_or_without_its_end(url, endpoint):
    assert OpenAIConfig(url=url, model="m").endpoint == endpoint


def test_threads_share_one_describer_and_get_their_own_answers():
    with serving() as server:
        one, got = describer(server, concurrency=8), {}

        def run(start):
            for n in range(start, 64, 8):
                got[n] = one.describe([shown(n)], PLAIN)[0].text

        threads = [threading.Thread(target=run, args=(start,)) for start in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == {n: said(shown(n).data, render(PLAIN, "")) for n in range(64)}
        assert set(server.counts.values()) == {1}
