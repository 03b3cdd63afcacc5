"""A page that takes long does not hold up the others: the event loop goes on answering while it is made."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from pages_world import served

Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def get(path: str) -> Ask:
    return lambda client: client.get(path)


def try_a_mug(client: httpx.AsyncClient) -> Awaitable[httpx.Response]:
    return client.post("/new", data={"title": "A mug"})


@pytest.mark.parametrize(
    ("ask", "step"),
    [
        (get("/map"), "viral.apps.serve.pages.map_layout.by_category"),
        (get("/map"), "viral.apps.serve.pages.map.page_values"),
        (get("/map?colour=cluster"), "viral.apps.serve.pages.map_layout.by_cluster"),
        (get("/map/points"), "viral.apps.serve.pages.map_layout.by_dominance"),
        (get("/map/items/1"), "viral.apps.serve.pages.map.item_values"),
        (try_a_mug, "viral.apps.serve.pages.item_cards._made"),
        (try_a_mug, "viral.apps.serve.pages.new_item.with_cards"),
        (try_a_mug, "viral.apps.serve.pages.new_item.render"),
        (get("/why/words?user=u1&item=i1"), "viral.apps.serve.pages.explanation.render"),
        (get("/doctor/examination"), "viral.apps.serve.pages.doctor.render"),
        (get("/"), "viral.apps.serve.pages.item_cards._made"),
    ],
)
def test_the_loop_answers_while_a_page_is_made(
    shop: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask, step: str
) -> None:
    begun, answered = threading.Event(), threading.Event()
    path, _, name = step.rpartition(".")
    really = getattr(__import__(path, fromlist=[name]), name)

    def slowly(*given: object, **named: object) -> object:
        begun.set()
        assert answered.wait(5), "nothing was answered while this step ran"
        return really(*given, **named)

    async def both(client: httpx.AsyncClient) -> tuple[int, int]:
        page = asyncio.ensure_future(ask(client))
        while not begun.is_set():
            await asyncio.sleep(0.005)
        healthy = await client.get("/healthz")
        answered.set()
        return healthy.status_code, (await page).status_code

    monkeypatch.setattr(step, slowly)
    assert served(shop / "run", shop / "data", both) == (200, 200)
