"""A file of the stock limits what is answered, from one look at it to the next."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving import application, save_run
from viral.apps.cli import app as command_line
from viral.apps.serve.watched_files import Stock
from viral.base.errors import DataError

STOCKED = ["i2", "i20", "i21", "not served"]


def write(file: Path, ids: list[str]) -> None:
    """As another program should: aside, and then in its place."""
    aside = file.with_suffix(".new")
    aside.write_text("".join(f"{one}\n" for one in ids), encoding="utf-8")
    aside.replace(file)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    write(tmp_path / "stock.txt", STOCKED)
    app = application(save_run(tmp_path / "run"), stock=tmp_path / "stock.txt", watch_seconds=1000, rate=1e6)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def recommended(client: TestClient, **filters: object) -> set[str]:
    answer = client.post("/v1/recommend", json={"user_id": "u2", "k": 100, "filters": filters})
    assert answer.status_code == 200, answer.text
    return {one["item_id"] for one in answer.json()["recommendations"]}


def test_only_what_is_in_stock_is_answered_where_that_is_asked_for(client: TestClient) -> None:
    assert recommended(client, in_stock=True) == {"i20", "i21"}  # the user has i2
    assert recommended(client, in_stock=True, categories=["vase"]) == {"i20"}
    assert recommended(client, in_stock=True, deny=["i20"]) == {"i21"}
    assert len(recommended(client, in_stock=False)) == len(recommended(client)) == 27
    found = client.get("/v1/similar", params={"item_id": "i4", "in_stock": True, "k": 100}).json()["similar"]
    assert {one["item_id"] for one in found} == {"i2", "i20", "i21"}
    params = {"item_id": "i4", "in_stock": True, "category": "vase"}
    assert {one["item_id"] for one in client.get("/v1/similar", params=params).json()["similar"]} == {"i2", "i20"}


def test_a_changed_file_is_taken_up(client: TestClient, tmp_path: Path) -> None:
    stock: Stock = client.app.state.stock
    assert client.get("/readyz").json()["stock"] == 4
    assert recommended(client, in_stock=True) == {"i20", "i21"}
    write(tmp_path / "stock.txt", ["i7"])
    stock.look()
    assert recommended(client, in_stock=True) == {"i7"}
    write(tmp_path / "stock.txt", [])
    stock.look()
    assert recommended(client, in_stock=True) == set() and client.get("/readyz").json()["stock"] == 0


def test_the_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "stock.txt"
    write(file, ["i1"])
    app = application(save_run(tmp_path / "run"), stock=file)
    now = file.stat()
    file.write_text("i2\n")
    os.utime(file, ns=(now.st_atime_ns, now.st_mtime_ns))
    app.state.stock.look()
    assert app.state.stock.has("i1")  # the same file, time and length: not looked into
    os.utime(file, ns=(now.st_atime_ns, now.st_mtime_ns + 1))
    app.state.stock.look()
    assert app.state.stock.has("i2") and not app.state.stock.has("i1")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"item_id,stock\ni1,4\n", "none of its 2 ids"), (b"i1\n\xff\xfe\n", "not text in UTF-8"), (None, "no such file")],
)
def test_a_file_that_cannot_be_used_leaves_the_old_stock(
    client: TestClient, tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "stock.txt"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    client.app.state.stock.look()
    ready = client.get("/readyz").json()
    assert told in ready["broken"] and str(tmp_path) not in str(ready) and ready["stock"] == 4
    assert recommended(client, in_stock=True) == {"i20", "i21"}
    write(file, ["i9"])
    client.app.state.stock.look()
    assert client.get("/readyz").json()["broken"] == "" and recommended(client, in_stock=True) == {"i9"}


def test_the_watch_looks_by_itself(tmp_path: Path) -> None:
    write(tmp_path / "stock.txt", ["i1"])
    app = application(save_run(tmp_path / "run"), stock=tmp_path / "stock.txt", watch_seconds=0.02)

    async def run() -> None:
        async with app.router.lifespan_context(app):
            write(tmp_path / "stock.txt", ["i2", "i3"])
            for _ in range(1000):
                if len(app.state.stock) == 2:
                    return
                await asyncio.sleep(0.01)
            raise AssertionError("it was never read")

    asyncio.run(run())


def test_a_server_without_a_stock_says_so(tmp_path: Path) -> None:
    with TestClient(application(save_run(tmp_path / "run")), base_url="http://localhost") as client:
        asked = {"user_id": "u2", "filters": {"in_stock": True}}
        for answer in (
            client.post("/v1/recommend", json=asked),
            client.get("/v1/similar", params={"item_id": "i1", "in_stock": True}),
        ):
            assert answer.status_code == 409 and "viral serve RUN --stock FILE" in answer.json()["hint"]
        assert client.get("/readyz").json()["stock"] is None


def test_a_wrong_file_ends_the_server_before_it_begins(tmp_path: Path) -> None:
    run, file = save_run(tmp_path / "run"), tmp_path / "stock.txt"
    with pytest.raises(DataError, match="no such file"):
        application(run, stock=file)
    words = ["serve", str(run), "--port", "0", "--stock", str(file)]
    done = CliRunner().invoke(command_line, words)
    assert done.exit_code == 1 and "stock.txt: no such file" in done.stderr
