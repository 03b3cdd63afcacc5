"""The shop's rules as they are served: taken up when the file changes, and kept where the new file is of no use."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving import application, save_run
from viral.apps.cli import app as command_line
from viral.apps.serve.watched_files import RulesFile
from viral.base.errors import DataError

FIRST = '[[pin]]\nitem_id = "i20"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "rules.toml").write_text(FIRST)
    return tmp_path / "rules.toml"


@pytest.fixture
def client(tmp_path: Path, file: Path) -> Iterator[TestClient]:
    app = application(save_run(tmp_path / "run"), rules=file, watch_seconds=1000, rate=1e6)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def first(client: TestClient, **body: object) -> tuple[str, bool]:
    found = client.post("/v1/recommend", json={"user_id": "u3"} | body).json()["recommendations"][0]
    return found["item_id"], found["pinned"]


def put(client: TestClient, file: Path, text: str) -> None:
    aside = file.with_suffix(".new")
    aside.write_text(text)
    aside.replace(file)
    client.app.state.rules.look()


def test_rules_hold_for_whomever(client: TestClient) -> None:
    assert first(client) == first(client, user_id="stranger") == first(client, item_ids=["i1"]) == ("i20", True)
    assert not first(client, rules=False)[1]
    popular = client.get("/v1/popular").json()["popular"][0]
    assert popular["item_id"] == "i20" and popular["pinned"]
    assert client.get("/v1/popular", params={"rules": False}).json()["popular"][0]["item_id"] == "i2"
    many = client.post("/v1/recommend", json={"users": ["u1", "stranger"]}).json()["answers"]
    assert [one["recommendations"][0]["item_id"] for one in many] == ["i20", "i20"]


def test_the_page_ranks_by_the_same_rules(client: TestClient) -> None:
    cards = client.get("/users/u3").text.split('data-testid="recommendation"')
    assert "/items/i20" in cards[1] and "· pinned<" in cards[1] and "pinned" not in cards[2]
    assert "置顶" in client.get("/users/u3", headers={"accept-language": "zh"}).text


def test_a_changed_file_is_taken_up(client: TestClient, file: Path) -> None:
    put(client, file, '[[pin]]\nitem_id = "i21"\n[[bury]]\ncategories = ["lamp"]\nby = 100\n')
    assert first(client) == ("i21", True)
    health = client.get("/v1/health").json()
    assert health["rules"] | {"unknown": 0} == {
        "pins": 1, "boosts": 1, "max_per_category": None, "less_popular": 0, "reloads": 1,
        "unknown": 0, "num_unknown": 0, "broken": ""
    }  # fmt: skip
    put(client, file, "")
    assert not first(client)[1]
    assert 'viral_rules_reloads_total{result="done"} 2.0' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[boost]]\nitem_ids = ["i1"]\nby = nan', "[[boost]] number 1: by = nan cannot be used"),
        ('[[boost]]\nitem_ids = ["i1"]\nby = -2', "[[boost]] number 1: by = -2 cannot be used"),
        ("[[pin", "not a TOML file"),
        (None, "no such file"),
    ],
)
def test_a_broken_file_keeps_the_last_good_rules(
    client: TestClient, file: Path, text: str | None, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    if text is None:
        file.unlink()
        client.app.state.rules.look()
    else:
        put(client, file, text)
    client.app.state.rules.look()  # is told once
    assert first(client) == ("i20", True)
    health, ready = client.get("/v1/health").json(), client.get("/readyz").json()
    assert health["status"] == "degraded" and told in health["rules"]["broken"] == health["broken"][0]
    assert told in ready["broken"] and str(file.parent) not in str(ready) + str(health)
    metrics = client.get("/metrics").text
    assert "viral_rules_broken 1.0" in metrics and 'viral_rules_reloads_total{result="failed"} 1.0' in metrics
    assert sum("the file of rules cannot be used" in line for line in caplog.messages) == 1
    put(client, file, FIRST.replace("20", "22"))
    assert first(client) == ("i22", True) and client.get("/v1/health").json()["status"] == "ok"
    assert "viral_rules_broken 0.0" in client.get("/metrics").text


def test_what_the_rules_name_and_nobody_knows_is_told(
    client: TestClient, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(client, file, '[[pin]]\nitem_id = "gone"\n[[boost]]\ncategories = ["car", "mug"]\n' + FIRST)
    rules = client.get("/v1/health").json()["rules"]
    assert rules["unknown"] == ["item 'gone'", "category 'car'"] and rules["num_unknown"] == 2
    assert "viral_rules_unknown 2.0" in client.get("/metrics").text
    assert any("item 'gone', category 'car'" in line for line in caplog.messages)
    assert first(client) == ("i20", True)


def test_unknown_names_follow_the_bundle(client: TestClient, file: Path, tmp_path: Path) -> None:
    put(client, file, '[[pin]]\nitem_id = "i35"\n')
    assert client.get("/v1/health").json()["rules"]["num_unknown"] == 1
    save_run(tmp_path / "run", 1, items=40)
    asyncio.run(client.app.state.live.check())
    assert client.get("/v1/health").json()["rules"]["num_unknown"] == 0 and first(client) == ("i35", True)
    assert "viral_rules_unknown 1.0" in client.get("/metrics").text
    client.app.state.rules.look()
    assert "viral_rules_unknown 0.0" in client.get("/metrics").text


def test_the_watch_looks_by_itself(tmp_path: Path, file: Path) -> None:
    app = application(save_run(tmp_path / "run"), rules=file, watch_seconds=0.02)
    rules: RulesFile = app.state.rules

    async def run() -> None:
        async with app.router.lifespan_context(app):
            file.write_text(FIRST + '[[pin]]\nitem_id = "i21"\n')
            for _ in range(1000):
                if len(rules.value.pins) == 2:
                    return
                await asyncio.sleep(0.01)
            raise AssertionError("it was never read")

    asyncio.run(run())


def test_a_wrong_file_ends_the_server_before_it_begins(tmp_path: Path) -> None:
    run, file = save_run(tmp_path / "run"), tmp_path / "rules.toml"
    with pytest.raises(DataError, match="no such file"):
        application(run, rules=file)
    file.write_text("[[pin]]\nitem_id = 5\n")
    done = CliRunner().invoke(command_line, ["serve", str(run), "--port", "0", "--rules", str(file)])
    assert done.exit_code == 1 and "[[pin]] number 1: item_id is not text in quotes" in done.stderr
