"""New items: their models are warm before the first comes, each step is told, and an audience that is not clear."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from encoders import BagOfWords, Colours
from pages_world import Tree, opened
from viral.apps.serve.pages import new_item as new
from viral.apps.serve.pages.new_item import Audience, Tries
from viral.base.errors import DataError
from viral.run.bundle import MANIFEST_FILE

HTMX = {"hx-request": "true"}


def state_of(client: TestClient, wanted: str) -> str:
    """The state as soon as it is the one that is waited for."""
    warmth: Any = client.app.state.warmth  # type: ignore[attr-defined]
    until = time.monotonic() + 20
    while warmth.state != wanted and time.monotonic() < until:
        time.sleep(0.01)
    return warmth.state


def test_a_server_is_not_warmed_unless_it_is_told_to_be(client: TestClient) -> None:
    assert client.app.state.warmth.state == "off"  # type: ignore[attr-defined]
    assert not Tree(client.get("/new").text).all("div", data_hx_get="/new/warm")


def test_models_are_loaded_at_the_start_and_go_over_to_the_next_bundle(shop: Path, tmp_path: Path) -> None:
    shutil.copytree(shop / "run", tmp_path / "run")
    with opened(tmp_path / "run", shop / "data", warm=True, watch_seconds=0.05) as client:
        live = client.app.state.live  # type: ignore[attr-defined]
        assert state_of(client, "ready") == "ready"
        words = live.current.retriever.encoders.words
        assert "a thing" in words.texts
        assert "The models are ready." in client.get("/new/warm", headers=HTMX).text
        before = live.current
        manifest = tmp_path / "run" / "bundle" / MANIFEST_FILE
        manifest.write_text(manifest.read_text() + "\n")
        until = time.monotonic() + 20
        while live.current is before and time.monotonic() < until:
            time.sleep(0.01)
        assert live.current is not before and state_of(client, "ready") == "ready"
        assert live.current.retriever.encoders.words is words


def test_while_it_warms_the_page_says_so_and_the_rest_answers(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    held = [True]

    def slow(self: BagOfWords, texts: list[str]) -> Any:
        while held[0]:
            time.sleep(0.01)
        return original(self, texts)

    original = BagOfWords.encode
    monkeypatch.setattr(BagOfWords, "encode", slow)
    with opened(shop / "run", shop / "data", warm=True, watch_seconds=0.05) as client:
        try:
            page = client.get("/new").text
            assert Tree(page).all("div", data_hx_get="/new/warm") and "warming up" in page
            assert client.get("/healthz").json() == {"status": "ok"} and client.get("/gallery").status_code == 200
        finally:
            held[0] = False
        assert state_of(client, "ready") == "ready"


def test_what_cannot_be_loaded_is_told_and_the_server_goes_on(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Colours, pictures: object) -> Any:
        raise DataError("no weights")

    monkeypatch.setattr(Colours, "features", broken)
    with opened(shop / "run", shop / "data", warm=True, watch_seconds=0.05) as client:
        assert state_of(client, "failed") == "failed"
        assert "could not be loaded beforehand" in client.get("/new").text
        assert client.post("/new", data={"title": "Red mug"}, headers=HTMX).status_code == 200


def test_each_step_is_told_by_its_ticket(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = Tree(client.get("/new").text).all("input", name="ticket")[0][0]["value"]
    heard: list[str] = []
    told = new._tries.told
    monkeypatch.setattr(new._tries, "told", lambda who, step: (heard.append(f"{who} {step}"), told(who, step)))
    assert client.post("/new", data={"title": "Red mug", "ticket": ticket}, headers=HTMX).status_code == 200
    assert heard == [f"{ticket} {step}" for step in ("look", "encode", "place", "compare")]
    assert client.get(f"/new/step/{ticket}").text == "Waiting for its turn …"  # it is over, and forgotten
    new._tries.told("mine", "describe")
    assert client.get("/new/step/mine").text == "Step 2 of 5: describing it …"
    new._tries.done("mine")


def test_only_the_last_tries_are_remembered() -> None:
    tries = Tries()
    for number in range(new.MOST_TRIES + 5):
        tries.told(str(number), "look")
    assert (tries.of("0"), tries.of("5"), tries.of("none")) == ("", "look", "")


def test_an_audience_is_clear_where_its_best_user_is_as_known_items_have_one(client: TestClient) -> None:
    snapshot = client.app.state.live.current  # type: ignore[attr-defined]
    audience = snapshot.kept(Audience)
    least = audience.least(snapshot.retriever)
    best = [snapshot.retriever.audience(item, 1)[0].score for item in snapshot.bundle.items.ids]
    assert min(best) <= least < sorted(best)[len(best) // 2]
    for threshold, told in ((-99.0, 0), (99.0, 1)):
        audience._least = threshold
        page = Tree(client.post("/new", data={"title": "Red mug"}, headers=HTMX).text)
        assert len(page.all("p", data_testid="unclear")) == told
    audience._least = None
