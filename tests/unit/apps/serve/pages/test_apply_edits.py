"""Edits taken into the model by a button: counted, one at a time, by administrators, and what becomes of it told."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages_world import Tree, opened
from viral.apps.serve.background_update import STOPPED, BackgroundUpdate, UpdateProgress
from viral.apps.serve.pages.item_cards import cards_of
from viral.apps.serve.security.tokens import new_token
from viral.base.files import write_json
from viral.data.dataset import Dataset
from viral.enrich import edit, unlock
from viral.run.retrieval import DescriberOptions

HTMX = {"hx-request": "true"}


@pytest.fixture
def mine(shop: Path, tmp_path: Path) -> Iterator[tuple[TestClient, Path, Path]]:
    """A server with a data set and a run of its own."""
    data, run = tmp_path / "data", tmp_path / "run"
    shutil.copytree(shop / "data", data)
    shutil.copytree(shop / "run", run)
    with opened(run, data, watch_seconds=0.05) as client:
        yield client, data, run


def block(client: TestClient) -> str:
    return " ".join("".join(Tree(client.get("/apply", headers=HTMX).text).elements[0][2]).split())


def ended(client: TestClient) -> str:
    """What is told when nothing runs any more."""
    until = time.monotonic() + 120
    while 'data-hx-trigger="load' in client.get("/apply", headers=HTMX).text:
        assert time.monotonic() < until, block(client)
        time.sleep(0.2)
    return block(client)


def test_what_the_model_has_not_read_is_counted(mine: tuple[TestClient, Path, Path]) -> None:
    client, data, _ = mine
    assert cards_of(client.app.state.live.current).waiting == ()  # type: ignore[attr-defined]
    assert not Tree(client.get("/apply", headers=HTMX).text).all("form")
    answer = client.post("/description", data={"item": "i0", "text": "A mug of brass."}, headers=HTMX)
    assert answer.headers["hx-trigger"] == "viral:edited"
    edit(Dataset.open(data), "i1", "A lamp of clay.")
    assert "2 edited descriptions are not yet read by the model." in block(client)
    assert Tree(client.get("/gallery").text).all("form", action="/apply")
    unlock(Dataset.open(data), "i1")
    assert "1 edited description is not yet read by the model." in block(client)


def test_nobody_else_begins_while_one_is_at_it_and_its_steps_are_told(mine: tuple[TestClient, Path, Path]) -> None:
    client, data, run = mine
    edit(Dataset.open(data), "i0", "A mug of brass.")
    lock = os.open(run.with_name("run.apply.lock"), os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    state = {"state": "running", "step": "train", "started": time.time(), "ended": 0.0, "fault": "", "hint": ""}
    write_json(run.with_name("run.apply.json"), state | {"summary": {}})
    assert "Step 2 of 3: training the model on it" in block(client)
    answer = client.post("/apply", headers=HTMX)
    assert answer.status_code == 422 and "applied already" in answer.json()["detail"]
    os.close(lock)  # the process died
    assert BackgroundUpdate(run, DescriberOptions()).look().fault == STOPPED
    assert "ended without a word" in block(client)
    assert Tree(client.get("/apply", headers=HTMX).text).all("form", action="/apply")  # it can be tried again


def test_a_fault_is_told_and_the_old_bundle_goes_on(mine: tuple[TestClient, Path, Path]) -> None:
    client, data, run = mine
    edit(Dataset.open(data), "i0", "A mug of brass.")
    (data / "interactions.parquet").write_bytes(b"no table")
    before = client.app.state.live.current.etag  # type: ignore[attr-defined]
    assert client.post("/apply", headers=HTMX).status_code == 200
    told = ended(client)
    assert "Applying the edits failed; what was served before goes on." in told and "1 edited description" in told
    assert (
        BackgroundUpdate(run, DescriberOptions()).look().state == "failed"
        and BackgroundUpdate(run, DescriberOptions()).look().fault in told
    )
    assert client.app.state.live.current.etag == before  # type: ignore[attr-defined]


def test_an_edit_reaches_the_served_bundle(mine: tuple[TestClient, Path, Path]) -> None:
    client, data, _ = mine
    edit(Dataset.open(data), "i0", "A mug of brass.")
    before = client.app.state.live.current.etag  # type: ignore[attr-defined]
    answer = client.post("/apply", headers=HTMX)
    assert answer.status_code == 200 and "Starting" in answer.text
    told = ended(client)
    assert "Applied on" in told and "Recall@20" in told and "(before: " in told
    now = client.app.state.live.current  # type: ignore[attr-defined]
    assert now.etag != before and cards_of(now).waiting == ()
    assert now.bundle.material.columns["description"][now.bundle.items.index("i0")] == "A mug of brass."
    assert "Every edit has been applied." in client.get("/").text


def test_only_administrators_of_this_site_may_begin(shop: Path, tmp_path: Path) -> None:
    lines = {scope: new_token(scope, scope) for scope in ("read", "admin")}
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(f"{line}\n" for _, line in lines.values()))
    shutil.copytree(shop / "data", tmp_path / "data")
    edit(Dataset.open(tmp_path / "data"), "i0", "A mug.")
    with opened(shop / "run", tmp_path / "data", tokens=tokens) as client:
        assert client.post("/apply", headers=HTMX).status_code == 401
        client.post("/login", data={"token": lines["read"][0]})
        assert client.post("/apply", headers=HTMX).status_code == 403
        page = client.get("/apply", headers=HTMX).text
        assert "not yet read by the model" in page and not Tree(page).all("form")
        client.post("/login", data={"token": lines["admin"][0]})
        other = HTMX | {"origin": "https://elsewhere.example"}
        assert client.post("/apply", headers=other).status_code == 403
        assert Tree(client.get("/apply", headers=HTMX).text).all("form", action="/apply")


def test_a_bundle_alone_cannot_be_updated_and_says_so(shop: Path, tmp_path: Path) -> None:
    shutil.copytree(shop / "run" / "bundle", tmp_path / "bundle")
    shutil.copytree(shop / "data", tmp_path / "data")
    edit(Dataset.open(tmp_path / "data"), "i0", "A mug.")
    with opened(tmp_path / "bundle", tmp_path / "data") as client:
        assert "They cannot be applied here: a bundle without its run is served." in block(client)
        assert client.post("/apply", headers=HTMX).status_code == 422


def test_a_damaged_file_of_the_state_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert BackgroundUpdate(tmp_path / "run", DescriberOptions()).look() == UpdateProgress()
    for text in ("no json", "[]", '{"other": 1}'):
        (tmp_path / "run.apply.json").write_text(text)
        assert BackgroundUpdate(tmp_path / "run", DescriberOptions()).look() == UpdateProgress()
