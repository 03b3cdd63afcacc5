"""A new bundle is taken up while requests run: none is dropped, and what is broken leaves the old one serving."""

import asyncio
import weakref
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from makers import damaged
from serving import application, bundle, photo, save_run
from viral.apps.serve.hot_reload import PATIENCE
from viral.base.files import sha256_file
from viral.run.retrieval import Retriever
from viral.run.retrieval.new_items import ENOUGH_ITEMS


async def running(app: FastAPI, task: Callable[[httpx.AsyncClient], object]) -> object:
    """The task's result with the application's watcher at work."""
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        return await task(client)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


def test_no_request_is_dropped_and_each_is_answered_by_one_bundle(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    app = application(run, rate=1e9, watch_seconds=0.02)
    live, expected = app.state.live, {}
    answers: list[httpx.Response] = []

    def remember(seed: int) -> None:
        etag = sha256_file(run / "bundle" / "bundle.json")[:16]
        retriever = Retriever(bundle(seed))
        expected[etag] = {f"u{n}": [one.item_id for one in retriever.recommend(f"u{n}", 5)] for n in range(12)}

    async def task(client: httpx.AsyncClient) -> None:
        done = False

        async def ask(number: int) -> None:
            while not done:
                body = {"user_id": f"u{number % 12}", "k": 5}
                answer = await client.post("/v1/recommend", json=body)
                answer.extensions["user"] = body["user_id"]
                answers.append(answer)

        askers = [asyncio.create_task(ask(number)) for number in range(6)]
        remember(0)
        for seed in (1, 2, 3):
            await asyncio.to_thread(save_run, run, seed)
            remember(seed)
            await until(lambda seed=seed: live.reloads == seed)
            await asyncio.sleep(0.05)
        done = True
        await asyncio.gather(*askers)

    asyncio.run(running(app, task))
    assert len(expected) == 4 and {answer.status_code for answer in answers} == {200}
    assert {answer.json()["bundle"] for answer in answers} == set(expected)
    for answer in answers:
        found = answer.json()
        ids = [one["item_id"] for one in found["recommendations"]]
        assert ids == expected[found["bundle"]][answer.extensions["user"]]


def test_what_is_broken_is_told_and_the_old_one_serves(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    app = application(run, watch_seconds=0.02)
    live = app.state.live
    first = live.current

    async def task(client: httpx.AsyncClient) -> None:
        scorer = run / "bundle" / "scorer.safetensors"
        scorer.write_bytes(scorer.read_bytes()[:-1] + b"x")  # as of a copy that did not end
        (run / "bundle" / "bundle.json").touch()
        await until(lambda: bool(live.broken))
        told = (await client.get("/readyz")).json()
        assert told["ready"] and told["broken"] == "missing or changed since it was saved"
        assert str(tmp_path) not in str(told)
        metrics = (await client.get("/metrics")).text
        assert "viral_bundle_broken 1.0" in metrics and 'viral_reloads_total{result="failed"} 1.0' in metrics
        assert (await client.post("/v1/recommend", json={"user_id": "u1"})).status_code == 200
        assert live.current is first
        await asyncio.to_thread(save_run, run, 1)  # a whole one is taken up at once
        await until(lambda: live.reloads == 1)
        told = (await client.get("/readyz")).json()
        assert told["broken"] == "" and told["bundle"] != first.etag
        assert "viral_bundle_broken 0.0" in (await client.get("/metrics")).text

    asyncio.run(running(app, task))


def test_what_cannot_be_loaded_is_tried_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = save_run(tmp_path / "run")
    live = application(run).state.live
    tries = []

    def fail(settings: object) -> None:
        tries.append(1)
        raise OSError("the disk is away")

    load, live._load = live._load, fail
    save_run(run, 1)
    now = [100.0]
    monkeypatch.setattr("viral.apps.serve.hot_reload.time.monotonic", lambda: now[0])
    for seconds in (0, 0.5, 0.6, 1.0, 1.1):  # tried at 0, after one second, and after two more
        now[0] += seconds
        asyncio.run(live.check())
    assert len(tries) == 3 and PATIENCE[:2] == (1.0, 2.0) and live.broken == "the files cannot be read"
    live._load = load
    now[0] += 60
    asyncio.run(live.check())
    assert live.broken == "" and live.reloads == 1


def test_a_bundle_that_goes_away_does_no_harm(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    live = application(run).state.live
    (run / "bundle").rename(run / "elsewhere")
    asyncio.run(live.check())
    assert "not a bundle" in live.broken and live.current.bundle.items.ids
    (run / "elsewhere").rename(run / "bundle")
    asyncio.run(live.check())
    assert live.broken == "" and live.reloads == 1


def test_scores_that_are_not_numbers_are_not_served(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    live = application(run).state.live
    diverged = bundle(1)
    diverged.scorer.items[3, 2] = float("nan")
    diverged.save(run / "bundle")
    asyncio.run(live.check())
    assert live.broken == "scores are not numbers" and live.reloads == 0


def test_the_data_set_comes_along(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    (run / "run.json").write_text(f'{{"dataset": "{tmp_path / "data"}"}}')
    live = application(run).state.live
    assert live.current.dataset is None and "not a data set" in live.current.without
    damaged(tmp_path / "data")
    save_run(run, 1)
    asyncio.run(live.check())
    assert live.current.catalog is not None and len(live.current.catalog) == 4 and live.current.without == ""


LOOKED_AT = [
    "/v1/recommend?user_id=u1&item_id=i2", "/v1/popular", "/v1/health", "/v1/items/i1",
    "/v1/similar?item_id=i1", "/v1/explain?user_id=u1&item_id=i2", "/v1/items?q=mug", "/v1/similar?item_id=none",
    "/", "/gallery", "/items/i1", "/users", "/users/u1", "/why?user=u1&item=i9", "/map", "/map?colour=cluster",
    "/map/points",
    "/map/points?space=image", "/map/items/1", "/new", "/doctor", "/pictures/i1",
]  # fmt: skip


def test_the_old_bundle_is_given_back(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run", users=ENOUGH_ITEMS, items=ENOUGH_ITEMS + 2)  # enough to foretell new ones from
    (tmp_path / "rules.toml").write_text('[[pin]]\nitem_id = "i7"\n[[boost]]\ncategories = ["mug"]\n')
    app = application(run, watch_seconds=0.02, rules=tmp_path / "rules.toml")
    live, photograph = app.state.live, {"picture": ("p.jpg", photo())}
    retriever = live.current.retriever
    old = [weakref.ref(one) for one in (live.current, retriever, retriever._similarity, retriever.bundle)]
    del retriever

    async def task(client: httpx.AsyncClient) -> None:
        statuses = [(await client.get(path)).status_code for path in LOOKED_AT]
        assert [status for status in statuses if status != 200] == [404, 404]  # no such item, and no picture
        await client.post("/v1/recommend", json={"user_id": "u1", "filters": {"categories": ["mug"]}})
        new = [await client.post("/v1/cold", data={"title": "mug"}, files=files) for files in (None, photograph)]
        assert [answer.json()["way"] for answer in new] == ["foretold", "foretold"]
        assert (await client.post("/new", files=photograph)).status_code == 200
        await asyncio.to_thread(save_run, run, 1)
        await until(lambda: live.reloads == 1)
        await client.post("/v1/recommend", json={"user_id": "u1"})

    asyncio.run(running(app, task))
    assert [reference() for reference in old] == [None] * 4  # at once: what is frozen is never collected
