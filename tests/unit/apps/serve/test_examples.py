"""The examples do what they say, against a server in a process of its own; the reference page shows all there is."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving import application, save_run
from viral.apps.serve.security.request_guard import CSP
from viral.apps.serve.security.tokens import add_token
from viral.run.retrieval.rules import read_rules

EXAMPLES = Path(__file__).parents[4] / "examples"


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """A server with a token: where it is, and the token."""
    token = add_token(folder / "tokens", "shop", "admin")
    words = ["serve", str(save_run(folder / "run")), "--port", "0", "--tokens", str(folder / "tokens")]
    command = [sys.executable, "-c", "from viral.apps.cli import main; main()", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stderr is not None
            found = next(match for line in server.stderr if (match := re.search(r"http://127\.0\.0\.1:\d+", line)))
            yield found[0], token
        finally:
            server.terminate()


def test_the_examples_run(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    with served(tmp_path) as (place, token):
        told = {"VIRAL": place, "TOKEN": token, "USER_ID": "u3", "ITEM_ID": "i20", "OTHER_ID": "i21"}
        by_curl = subprocess.run(
            ["sh", EXAMPLES / "curl.sh"], env=os.environ | told, capture_output=True, text=True, timeout=120
        )  # fmt: skip
        words = [place, "--user", "u3", "--item", "i20", "--token", token]
        by_httpx = subprocess.run(
            [sys.executable, EXAMPLES / "shop.py", *words], capture_output=True, text=True, timeout=120
        )  # fmt: skip
    assert by_curl.returncode == 0, by_curl.stdout + by_curl.stderr
    sources = re.findall(r'"source":"(\w+)"', by_curl.stdout)
    assert sources == ["user", "user", "user_and_visit", "visit", "popular", "user", "visit", "user", "user"]
    assert by_curl.stdout.count("== ") == 15 and '"accepted":1' in by_curl.stdout
    assert by_httpx.returncode == 0, by_httpx.stdout + by_httpx.stderr
    assert "for a stranger (by popular" in by_httpx.stdout and "why: " in by_httpx.stdout
    assert (tmp_path / "run.feedback.jsonl").read_text().count("\n") == 2


def test_a_refusal_says_why(tmp_path: Path) -> None:
    with served(tmp_path) as (place, _):
        command = [sys.executable, EXAMPLES / "shop.py", place, "--user", "u3", "--token", "wrong"]
        refused = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 1 and "the token is not known" in refused.stderr


def test_the_rules_of_the_example_can_be_read() -> None:
    rules = read_rules(EXAMPLES / "rules.toml")
    assert (len(rules.pins), len(rules.shifts), rules.max_per_category, rules.less_popular) == (2, 3, 3, 0.3)


def test_what_the_documentation_types_is_answered(tmp_path: Path) -> None:
    """Ids and categories are those of the demonstration: here most are strange, which is told, and no error."""
    text = (EXAMPLES.parent / "docs" / "serving.md").read_text(encoding="utf-8")
    rules = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert rules is not None
    (tmp_path / "rules.toml").write_text(rules[1])
    (tmp_path / "stock.txt").write_text("i1\n")
    files = {"rules": tmp_path / "rules.toml", "stock": tmp_path / "stock.txt"}
    app = application(save_run(tmp_path / "run"), **files, rate=1e6)
    bodies = re.findall(r"(/v1/\w+) -H \S+ \S+ -d '(\{.*?\})'", text, re.DOTALL)
    bodies += [("/v1/recommend", body) for body in re.findall(r"^ask '(.*?)'", text, re.MULTILINE)]
    addresses = re.findall(r"localhost:8000(/v1/[^\s']+\?[^\s']+)", text)
    with TestClient(app, base_url="http://localhost") as client:
        json_ = {"content-type": "application/json"}
        answers = [client.post(path, content=body, headers=json_) for path, body in bodies]
        answers += [client.get(address) for address in addresses]
    told = [(one.status_code, one.text[:200]) for one in answers if one.status_code not in (200, 202)]
    assert all(status == 404 and "no item is in category" in text for status, text in told), told
    assert len(answers) == 13


class Page(HTMLParser):
    """What a page loads and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        told = dict(attrs)
        self.links += [told[name] or "" for name in ("href", "src") if name in told]
        self.ids += [told["id"] or ""] if "id" in told else []


def test_the_reference_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    app = application(save_run(tmp_path / "run"), kinds=("wishlist",))
    with TestClient(app, base_url="http://localhost:8000") as client:
        answer, document = client.get("/docs"), client.get("/openapi.json")
        assert answer.headers["content-security-policy"] == CSP
        page = Page(answer.text)
        assert all(client.get(link).status_code == 200 for link in page.links if not link.startswith("#"))
    assert document.json() == app.openapi()
    assert "script" not in page.tags and all(link.startswith(("/", "#")) for link in page.links)
    operations = [(m.upper(), path) for path, of in app.openapi()["paths"].items() for m in of]
    assert len(page.ids) == len(set(page.ids)) == len(operations)
    assert {link[1:] for link in page.links if link.startswith("#")} == set(page.ids)
    assert all(f"<code>{path}</code>" in answer.text for _, path in operations)
    assert "wishlist" in answer.text and "exclude.categories" in answer.text and "events[].timestamp" in answer.text
    assert "http://localhost:8000/v1/recommend" in answer.text and "$TOKEN" not in answer.text


def test_with_tokens_the_reference_shows_where_one_goes(tmp_path: Path) -> None:
    add_token(tmp_path / "tokens", "shop", "read")
    app = application(save_run(tmp_path / "run"), tokens=tmp_path / "tokens")
    with TestClient(app, base_url="https://viral.example") as client:
        assert "Bearer $TOKEN" in client.get("/docs").text.replace("&#34;", '"')
