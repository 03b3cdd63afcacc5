"""Pages of other sites may ask the API where they are named, and never with cookies."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving import application, save_run
from viral.apps.cli import app as command_line
from viral.apps.serve.security.cors import read_origin
from viral.apps.serve.security.tokens import add_token
from viral.base.errors import UsageError

SHOP, EVIL = "https://shop.example", "https://evil.example"
ALLOW = "access-control-allow-origin"
EVENT = {"events": [{"user_id": "u1", "item_id": "i1", "kind": "like"}]}

WRONG = (
    "*", "", "null", "shop.example", "https://*.example", "https://shop.example/path", "ftp://shop.example",
    "https://shop.example:port", "https://user@shop.example", "https://a.example,https://b.example",
)  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("cors")
    token = add_token(folder / "tokens", "shop", "admin")
    app = application(save_run(folder / "run"), tokens=folder / "tokens", cors=(SHOP, "http://localhost:5173/"))
    with TestClient(app, base_url="https://viral.example") as client:
        client.token = token
        yield client


def preflight(client: TestClient, origin: str, path: str = "/v1/recommend", method: str = "POST"):
    headers = {"origin": origin, "access-control-request-method": method}
    headers["access-control-request-headers"] = "authorization,content-type"
    return client.options(path, headers=headers)


def test_a_named_site_may_ask(client: TestClient) -> None:
    told = preflight(client, SHOP)
    assert told.status_code == 200 and told.headers[ALLOW] == SHOP and "Origin" in told.headers["vary"]
    assert "POST" in told.headers["access-control-allow-methods"]
    allowed = told.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed and "content-type" in allowed
    bearer = {"Authorization": f"Bearer {client.token}", "origin": SHOP, "sec-fetch-site": "cross-site"}
    for method, path, body in (
        ("POST", "/v1/recommend", {"user_id": "u1"}), ("GET", "/v1/popular", None), ("POST", "/v1/feedback", EVENT),
    ):  # fmt: skip
        answer = client.request(method, path, json=body, headers=bearer)
        assert answer.status_code in (200, 202) and answer.headers[ALLOW] == SHOP, path
        assert "access-control-allow-credentials" not in answer.headers
    refused = client.post("/v1/recommend", json={"user_id": "u1"}, headers={"origin": SHOP})
    assert refused.status_code == 401 and refused.headers[ALLOW] == SHOP  # so that its script can read why
    assert preflight(client, "http://localhost:5173").headers[ALLOW] == "http://localhost:5173"


@pytest.mark.parametrize(
    "origin",
    [EVIL, "null", "*", "https://shop.example.evil.example", "http://shop.example", "https://shop.example:1", ""],
)
def test_no_other_site_may(client: TestClient, origin: str) -> None:
    told = preflight(client, origin)
    assert told.status_code >= 400 and ALLOW not in told.headers
    headers = {"Authorization": f"Bearer {client.token}", "origin": origin, "sec-fetch-site": "cross-site"}
    assert ALLOW not in client.get("/v1/popular", headers=headers).headers
    assert client.post("/v1/feedback", json=EVENT, headers=headers).status_code == 403


def test_the_pages_and_the_login_stay_for_their_own_site(client: TestClient) -> None:
    for path in ("/login", "/users", "/description", "/metrics"):
        assert ALLOW not in preflight(client, SHOP, path).headers
        assert ALLOW not in client.get(path, headers={"origin": SHOP}).headers
    form = {"token": client.token}
    assert client.post("/login", data=form, headers={"origin": SHOP}).status_code == 403
    assert client.post("/description", data={"item": "i1"}, headers={"origin": SHOP}).status_code == 403


def test_origins_are_written_as_browsers_do() -> None:
    assert read_origin("https://Shop.example/") == read_origin("https://shop.example:443") == SHOP
    assert read_origin("http://[::1]:80") == "http://[::1]"
    for wrong in WRONG:
        with pytest.raises(UsageError, match="is no origin"):
            read_origin(wrong)


def test_a_word_that_is_no_origin_ends_the_server_before_it_begins(tmp_path: Path) -> None:
    words = ["serve", str(save_run(tmp_path / "run")), "--port", "0", "--cors", "*"]
    done = CliRunner().invoke(command_line, words)
    assert done.exit_code == 2 and "'*' is no origin" in done.stderr and "no *" in done.stderr
