"""The shop's week in seconds: two exports without pictures, an edit by hand between them, and what is served then.

The whole of it, with pictures and a process that serves, is ``tests/slow/test_shops_week.py``.
"""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import week_world as week
from viral.apps.cli import app
from viral.apps.serve import Settings, create_app
from viral.data.dataset import Dataset
from viral.enrich import load_edits

SIZE = {"users": 24, "goods": 16, "pictured": False}
GO = ("--dataset", "shop", "--run", "run", "--no-serve")


def viral(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.output


def test_two_weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    week.first_week(tmp_path / "one", each=4, **SIZE)
    assert "--repair-ids" in viral("up", "one", *GO, code=1)
    viral("import", "table", "one", "shop", "--repair-ids")
    viral("up", "one", *GO)
    edited, ids = week.article(2), Dataset.open("shop").catalog().ids
    viral("enrich", "shop", "--edit", edited, "--text", "A dress for dancing.")
    week.second_week(tmp_path / "two", **SIZE)
    viral("up", "two", *GO)
    shop = Dataset.open("shop")
    assert shop.catalog().ids == (*ids, *(week.article(n) for n in range(16, 20)))
    assert load_edits(shop) == {edited: "A dress for dancing."}
    assert [entry["path"] for entry in shop.manifest["source"]["history"]] == ["one", "two"]
    with TestClient(create_app(Settings(run=tmp_path / "run")), base_url="http://localhost") as client:
        answer = client.post("/v1/recommend", json={"user_id": "c00025", "k": 3}).json()
        assert len(answer["recommendations"]) == 3, "a customer of the second week"
        assert client.get(f"/v1/items/{week.article(3)}").json()["title"] == "Black Scarf with fringes"
        assert client.get(f"/v1/items/{edited}").json()["description"] == "A dress for dancing."
