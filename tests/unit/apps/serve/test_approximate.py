"""A server of many items looks through a part of them, and says how much of the best it finds."""

import asyncio
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving import application, save_run
from viral.apps.cli import app as command_line
from viral.run.retrieval import Retriever

MANY = 2000


def ready(client: TestClient) -> dict[str, object]:
    return dict(client.get("/readyz").json())


def test_above_so_many_items_the_search_is_approximate_and_its_recall_told(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    run = save_run(tmp_path / "run", items=MANY)
    expected = Retriever.load(run, approximate_above=MANY - 1)
    assert 0.2 < expected.recall < 1  # random vectors
    app = application(run, approximate_above=MANY - 1)
    with TestClient(app, base_url="http://localhost") as client:
        assert ready(client)["recall"] == expected.recall
        found = client.post("/v1/recommend", json={"user_id": "u3", "k": 20}).json()["recommendations"]
        assert [one["item_id"] for one in found] == [one.item_id for one in expected.recommend("u3", 20)]
        save_run(run, 1, items=MANY - 1)  # no longer above it
        asyncio.run(app.state.live.check())
        assert ready(client)["recall"] == 1 and ready(client)["items"] == MANY - 1


def test_a_search_is_exact_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    with TestClient(application(save_run(tmp_path / "run")), base_url="http://localhost") as client:
        assert ready(client)["recall"] == 1


def test_recommending_on_the_command_line(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    words = ["recommend", str(save_run(tmp_path / "run", items=MANY)), "--user", "u3"]
    approximate = CliRunner().invoke(command_line, [*words, "--approximate-above", "1000"])
    assert approximate.exit_code == 0 and "approximate search over 2,000 items: recall@20 0." in approximate.stderr
    exact = CliRunner().invoke(command_line, [*words, "--approximate-above", str(MANY)])
    assert exact.exit_code == 0 and "approximate" not in exact.stderr
