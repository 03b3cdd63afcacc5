"""Who is answered: tokens, scopes, sessions, rates, lengths, hosts and origins."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serving import application, save_run
from viral.apps.serve.security.rate_limit import Buckets
from viral.apps.serve.security.request_guard import CSP, is_loopback
from viral.apps.serve.security.tokens import (
    COOKIE,
    SECONDS,
    Token,
    add_token,
    digest,
    find,
    holder,
    issue,
    new_token,
    read_tokens,
)
from viral.base.errors import DataError, UsageError

EVENT = {"events": [{"user_id": "u1", "item_id": "i1", "kind": "like"}]}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    return {scope: add_token(file, f"the.{scope}", scope) for scope in ("read", "admin")} | {"file": str(file)}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, tokens: dict[str, str]) -> FastAPI:
    run = save_run(tmp_path_factory.mktemp("security") / "run")
    return application(run, tokens=Path(tokens["file"]), rate=1e6, max_body=10_000, max_picture=20_000)


@pytest.fixture
def client(guarded: FastAPI) -> Iterator[TestClient]:
    with TestClient(guarded, base_url="https://shop.example") as client:
        yield client


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Without tokens."""
    return application(save_run(tmp_path_factory.mktemp("alone") / "run"), rate=1e6)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_scopes(client: TestClient, tokens: dict[str, str]) -> None:
    reading, admin = bearer(tokens["read"]), bearer(tokens["admin"])
    for headers, read, write in ((reading, 200, 403), (admin, 200, 202), ({}, 401, 401), (bearer("viral_x"), 401, 401)):
        assert client.get("/v1/items", headers=headers).status_code == read
        assert client.get("/metrics", headers=headers).status_code == read
        assert client.post("/v1/feedback", json=EVENT, headers=headers).status_code == write
    refused = client.get("/v1/items")
    assert refused.headers["www-authenticate"] == "Bearer" and refused.json()["detail"] == "a token is needed"
    assert client.get("/v1/items", headers={"Authorization": f"Basic {tokens['read']}"}).status_code == 401
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_every_route_of_the_api_asks_for_a_token(client: TestClient, guarded: FastAPI) -> None:
    open_, asked = {"/healthz", "/readyz"}, 0
    for path, operations in guarded.openapi()["paths"].items():
        for method in operations:
            status = client.request(method, path.format(item_id="i1"), json={}).status_code
            assert (status == 401) == (path not in open_), (method, path, status)
            asked += 1
    assert asked >= 11


def test_too_many_wrong_tokens_wait(tmp_path: Path, tokens: dict[str, str]) -> None:
    app = application(save_run(tmp_path / "run"), tokens=Path(tokens["file"]))
    with TestClient(app, base_url="https://shop.example") as client:
        codes = [client.get("/v1/items", headers=bearer(f"wrong{n}")).status_code for n in range(25)]
        assert codes[:20] == [401] * 20 and codes[-1] == 429
        assert client.get("/v1/items", headers=bearer(tokens["read"])).status_code == 200  # who has one is not shut out


def test_a_token_is_kept_as_its_hash_alone(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    token = add_token(file, "shop", "read")
    assert token not in file.read_text() and file.stat().st_mode & 0o077 == 0
    assert read_tokens(file) == (Token("shop", "read", digest(token)),)
    other = add_token(file, "boss", "admin")
    known = read_tokens(file)
    assert [one.name for one in known] == ["shop", "boss"] and other != token
    assert find(known, token) == known[0] and find(known, other) == known[1]
    assert find(known, token + "x") is find(known, "") is find(known, "\ud800") is None
    for name, scope in (("shop", "read"), ("a b", "read"), ("x", "write")):
        with pytest.raises(UsageError):
            add_token(file, name, scope)
    assert read_tokens(file) == known


@pytest.mark.parametrize(
    "text", ["", "# nobody\n\n", "shop read\n", "shop write " + "a" * 64, "shop read secret", "\xff"]
)
def test_tokens_that_cannot_be_read_let_nobody_in(tmp_path: Path, text: str) -> None:
    run = save_run(tmp_path / "run")
    file = tmp_path / "tokens"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError):
        application(run, tokens=file)
    with pytest.raises(DataError, match="cannot be read"):
        application(run, tokens=tmp_path / "none")
    line = new_token("twice", "read")[1]
    file.write_text(f"{line}\n{line}\n")
    with pytest.raises(DataError, match="occurs twice"):
        application(run, tokens=file)


def test_a_session_is_signed_ends_and_follows_the_file() -> None:
    token = Token("the.name", "admin", "a" * 64)
    cookie = issue(token, "secret", now=1000.0)
    assert holder(cookie, [token], "secret", now=1001.0) == token
    assert holder(cookie, [token], "secret", now=1001.0 + SECONDS) is None
    assert holder(cookie, [token], "other", now=1001.0) is None
    assert holder(cookie, [Token("the.name", "admin", "b" * 64)], "secret", now=1001.0) is None
    later = cookie.replace(".47", ".97", 1) if ".47" in cookie else cookie.replace(".4", ".9", 1)
    for forged in (later, cookie[:-1], "", "..", "the.name", "the.name.x.y", "the.name.٣.y", "the.name.9999999999."):
        assert holder(forged, [token], "secret", now=1001.0) is None, forged


def test_the_page_is_entered_by_login(client: TestClient, tokens: dict[str, str]) -> None:
    page = {"accept": "text/html"}
    sent = client.get("/metrics?x=1", headers=page, follow_redirects=False)
    assert sent.status_code == 303 and sent.headers["location"] == "/login?next=%2Fmetrics%3Fx%3D1"
    wrong = client.post("/login", data={"token": "viral_no"})
    assert wrong.status_code == 401 and "not known" in wrong.text and COOKIE not in wrong.cookies
    form = {"token": tokens["read"], "next": "/metrics"}
    entered = client.post("/login", data=form, follow_redirects=False)
    assert entered.status_code == 303 and entered.headers["location"] == "/metrics"
    flags = entered.headers["set-cookie"].lower()
    assert (
        "httponly" in flags and "samesite=strict" in flags and "secure" in flags and tokens["read"].lower() not in flags
    )
    assert client.get("/metrics", headers=page).status_code == 200  # by the cookie
    assert client.post("/v1/feedback", json=EVENT).status_code == 403  # which is a reader's
    client.post("/logout")
    assert client.get("/metrics").status_code == 401


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\nb", ""])
def test_login_leads_nowhere_else(client: TestClient, tokens: dict[str, str], place: str) -> None:
    form = {"token": tokens["read"], "next": place}
    assert client.post("/login", data=form, follow_redirects=False).headers["location"] == "/"


def test_rates_are_per_token_and_costly_work_costs_more(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    one, two = (add_token(file, name, "read") for name in ("one", "two"))
    app = application(save_run(tmp_path / "run"), tokens=file)
    assert (app.state.gate.buckets.rate, app.state.gate.buckets.burst) == (100.0, 200.0)
    app.state.gate.buckets = Buckets(0.01, 20.0)  # hardly filled again while this test runs
    with TestClient(app, base_url="https://shop.example") as client:
        codes = [client.get("/v1/categories", headers=bearer(one)).status_code for _ in range(25)]
        assert codes[:20] == [200] * 20 and 429 in codes[20:]
        late = client.post("/v1/cold", data={"title": "mug"}, headers=bearer(one))
        assert late.status_code == 429 and int(late.headers["retry-after"]) >= 1
        assert client.post("/v1/cold", data={"title": "mug"}, headers=bearer(two)).status_code == 200
        assert client.get("/v1/categories", headers=bearer(two)).status_code == 429  # a new item took all
        assert client.get("/healthz").status_code == 200


def test_buckets_fill_again_and_forget_the_oldest() -> None:
    now = [0.0]
    buckets = Buckets(2.0, 4.0, most=2, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    now[0] = 0.5
    assert buckets.take("a") == 0 and buckets.take("a") == 0.5
    assert buckets.take("b", 100.0) == 0  # what costs more than there can be takes everything
    assert buckets.take("b") == 0.5
    buckets.take("c")
    assert buckets.take("a") == 0  # forgotten, so full


def test_bodies_are_cut_off_before_they_are_read(client: TestClient, tokens: dict[str, str]) -> None:
    headers = bearer(tokens["admin"]) | {"content-type": "application/json"}
    read = []

    def chunks() -> Iterator[bytes]:
        for _ in range(1000):
            read.append(1)
            yield b" " * 1000

    for content in (b" " * 10_001, chunks()):
        answer = client.post("/v1/recommend", content=content, headers=headers)
        assert answer.status_code == 413 and answer.json()["status"] == 413
    length = headers | {"content-length": "-5"}
    assert client.post("/v1/recommend", content=b"", headers=length).status_code == 413
    files = {"picture": ("x.jpg", b"x" * 20_001)}
    too_large = client.post("/v1/cold", data={"title": "x"}, files=files, headers=bearer(tokens["read"]))
    assert too_large.status_code == 413 and "20,000" in too_large.json()["detail"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1", "127.8.9.1:1", "[::1]:8000", "LOCALHOST."]
)
def test_without_tokens_this_machine_is_answered(alone: FastAPI, host: str) -> None:
    with TestClient(alone, base_url="http://localhost") as client:
        assert client.get("/v1/categories", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "[::1", "localhost@evil.example"]
)
def test_without_tokens_no_other_name_is_answered(alone: FastAPI, host: str) -> None:
    with TestClient(alone, base_url="http://localhost") as client:
        assert client.get("/healthz", headers={"host": host}).status_code == 421


def test_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost", "127.1.2.3")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.1", "", "local", "127.1")))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 202),
        ({"origin": "http://localhost"}, 202),
        ({"origin": "http://localhost:80"}, 202),
        ({"sec-fetch-site": "same-origin", "origin": "http://localhost"}, 202),
        ({"sec-fetch-site": "none"}, 202),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://localhost:9000"}, 403),
        ({"origin": "http://localhost.evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost"}, 403),
    ],
)
def test_no_other_site_changes_anything(alone: FastAPI, headers: dict[str, str], status: int) -> None:
    with TestClient(alone, base_url="http://localhost") as client:
        assert client.post("/v1/feedback", json=EVENT, headers=headers).status_code == status


def test_every_answer_has_the_headers_and_none_opens_it_to_other_sites(alone: FastAPI) -> None:
    with TestClient(alone, base_url="http://localhost", raise_server_exceptions=False) as client:
        answers = [
            client.get("/healthz"),
            client.get("/nowhere"),
            client.get("/nowhere", headers={"accept": "text/html"}),
            client.get("/login"),
            client.get("/healthz", headers={"host": "evil.example"}),
            client.post("/v1/recommend", json={}),
            client.options("/v1/recommend", headers={"origin": "http://evil.example"}),
        ]
    for answer in answers:
        assert answer.headers["content-security-policy"] == CSP and "unsafe" not in CSP
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert not any(name.startswith("access-control") for name in answer.headers)
    assert answers[2].headers["content-type"].startswith("text/html")


def test_a_fault_of_ours_is_told_without_its_inside(alone: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    retriever = alone.state.live.current.retriever
    scorer, user_id = retriever._scorer, retriever.bundle.users.ids[0]
    retriever._scorer = type(scorer)(scorer.users[:0], scorer.items, scorer.parts)  # a user's row is missing
    try:
        with TestClient(alone, base_url="http://localhost") as client:
            answer = client.post("/v1/recommend", json={"user_id": user_id})
            assert answer.status_code == 500 and answer.headers["content-security-policy"] == CSP
            assert "IndexError" not in answer.text and "IndexError" in caplog.text
            assert 'status="500"' in client.get("/metrics").text
    finally:
        retriever._scorer = scorer


def test_a_reader_is_answered_at_once_when_many_wait(alone: FastAPI) -> None:
    with TestClient(alone, base_url="http://localhost") as client:
        long = alone.state.pools.long
        long._inside = long._room  # as if so many were at work
        try:
            started = time.monotonic()
            answer = client.post("/v1/cold", data={"title": "mug"})
            assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
            assert time.monotonic() - started < 10
        finally:
            long._inside = 0
        assert client.post("/v1/cold", data={"title": "mug"}).status_code == 200
