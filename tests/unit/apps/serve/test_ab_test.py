"""A/B tests: users are divided among served runs, names are echoed and counted, and feedback has them."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving import application, save_run
from viral.apps.cli import app as command_line
from viral.apps.serve.ab_test import assigned, read_variant
from viral.base.errors import UsageError

EVENT = {"user_id": "u3", "item_id": "i1", "kind": "like"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """The run itself, another one as `blue`, and `grey`, which the run answers too."""
    others = (("blue", save_run(tmp_path / "blue", 1)), ("grey", None))
    app = application(save_run(tmp_path / "run"), variants=others, watch_seconds=1000, rate=1e6)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def ask(client: TestClient, **body: object) -> dict:
    return client.post("/v1/recommend", json={"k": 3} | body).json()


def test_users_are_divided_the_same_way_each_time() -> None:
    names = ("control", "blue", "grey")
    counts = Counter(assigned(f"user {n}", names) for n in range(3000))
    assert set(counts) == set(names) and min(counts.values()) > 900
    assert assigned("ی", names) == assigned("ی", names)
    assert [assigned(f"u{n}", names) for n in range(4)] == ["control", "blue", "control", "control"]


def test_each_is_answered_by_the_run_of_its_variant(client: TestClient) -> None:
    variants = client.get("/v1/health").json()["variants"]
    assert variants["control"]["version"] == variants["grey"]["version"] != variants["blue"]["version"]
    for name, told in variants.items():
        found = ask(client, user_id="u3", variant=name)
        assert found["variant"] == name and found["version"] == told["version"]
        assert client.get("/v1/recommend", params={"user_id": "u3", "variant": name, "k": 3}).json() == found
    for n in range(12):
        found = ask(client, user_id=f"u{n}")
        assert found["variant"] == assigned(f"u{n}", ("control", "blue", "grey"))
        assert found == ask(client, user_id=f"u{n}", variant=found["variant"])
    assert ask(client, item_ids=["i1"])["variant"] == "control"
    many = client.post("/v1/recommend", json={"users": ["u0", "u1", "u2"]}).json()["answers"]
    assert [one["variant"] for one in many] == [ask(client, user_id=f"u{n}")["variant"] for n in range(3)]
    refused = client.post("/v1/recommend", json={"user_id": "u3", "variant": "green"})
    assert refused.status_code == 404 and "control, blue, grey" in refused.json()["hint"]


def test_metrics_and_feedback_have_the_variant(client: TestClient) -> None:
    for variant in ("blue", "blue", "control"):
        ask(client, user_id="u3", variant=variant)
    client.post("/v1/feedback", json={"events": [EVENT | {"variant": "blue"}, EVENT]})
    metrics = client.get("/metrics").text
    assert 'viral_recommendations_total{source="user",variant="blue"} 2.0' in metrics
    own = assigned("u3", ("control", "blue", "grey"))
    lines = client.app.state.settings.feedback_file.read_text().splitlines()
    assert [json.loads(line)["variant"] for line in lines] == ["blue", own]
    assert 'viral_feedback_events_total{kind="like",variant="blue"}' in metrics


def test_a_new_bundle_of_a_variant_is_taken_up_and_a_broken_one_told(client: TestClient, tmp_path: Path) -> None:
    live = client.app.state.variants.lives["blue"]
    before = ask(client, user_id="u3", variant="blue")["version"]
    (tmp_path / "blue" / "bundle" / "bundle.json").write_text("{}")
    asyncio.run(live.check())
    health = client.get("/v1/health").json()
    assert health["status"] == "degraded" and health["broken"][0].startswith("variant blue: ")
    assert health["variants"]["blue"]["broken"] and not health["variants"]["grey"]["broken"]
    assert 'viral_variant_broken{variant="blue"} 1.0' in client.get("/metrics").text
    assert "viral_bundle_broken 0.0" in client.get("/metrics").text
    save_run(tmp_path / "blue", 2)
    asyncio.run(live.check())
    assert ask(client, user_id="u3", variant="blue")["version"] not in (before, ask(client, user_id="u3")["version"])
    assert client.get("/v1/health").json()["status"] == "ok"


def test_without_a_test_a_name_is_the_callers_own_and_bounded_in_metrics(tmp_path: Path) -> None:
    with TestClient(application(save_run(tmp_path / "run"), rate=1e6), base_url="http://localhost") as client:
        assert ask(client, user_id="u3")["variant"] is None
        assert ask(client, user_id="u3", variant="mine")["variant"] == "mine"
        for n in range(40):
            assert ask(client, user_id="u3", variant=f"v{n}")["variant"] == f"v{n}"
        client.post("/v1/feedback", json={"events": [EVENT, EVENT | {"variant": "mine"}]})
        lines = client.app.state.settings.feedback_file.read_text().splitlines()
        assert [json.loads(line).get("variant") for line in lines] == [None, "mine"]
        metrics = client.get("/metrics").text
    named = [line for line in metrics.splitlines() if line.startswith("viral_recommendations_total")]
    assert len(named) == 22 and any('variant="other"} 21.0' in line for line in named)
    assert any('variant="mine"' in line for line in named) and any('variant=""' in line for line in named)


def test_words_that_are_no_variant(tmp_path: Path) -> None:
    assert read_variant("blue=runs/blue") == ("blue", Path("runs/blue")) and read_variant("grey") == ("grey", None)
    for wrong in ("", "=x", "blue=", "a b=x", "control=x", "control", "x" * 65 + "=y"):
        with pytest.raises(UsageError, match="is no variant"):
            read_variant(wrong)
    run = save_run(tmp_path / "run")
    for variants, told in (((("a", None), ("a", None)), "twice"), ([(f"v{n}", None) for n in range(9)], "9 variants")):
        with pytest.raises(UsageError, match=told):
            application(run, variants=tuple(variants))
    done = CliRunner().invoke(command_line, ["serve", str(run), "--port", "0", "--variant", f"blue={tmp_path}/none"])
    assert done.exit_code == 1 and "not a bundle" in done.stderr
