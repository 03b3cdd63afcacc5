"""One item's page, and an item that is not in the shop yet."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from starlette.testclient import TestClient

from makers import picture
from pages_world import ODD, Tree, opened, served
from viral.apps.serve.pages.rendering import quoted
from viral.base.files import write_json
from viral.run.explain.information import FILE
from viral.run.retrieval import Retriever

HTMX = {"hx-request": "true"}


def alike(page: str) -> list[str]:
    tree = Tree(page)
    inside = [text for _, text in tree.all("li", data_testid="alike")]
    links = [link["href"] for link, _ in tree.all("a", class_="cover")]
    return links[: len(inside)]


@pytest.mark.parametrize("by", ["fused", "image", "text", "description"])
def test_neighbours_are_the_retrievers_by_every_modality(client: TestClient, shop: Path, by: str) -> None:
    expected = [f"/items/{quoted(one.item_id)}" for one in Retriever.load(shop / "run").similar("i1", 12, by=by)]
    assert alike(client.get(f"/items/i1?by={by}").text) == expected


def test_only_modalities_that_the_item_has_are_offered(client: TestClient) -> None:
    offered = [text for link, text in Tree(client.get("/items/i6").text).all("a") if "by=" in link["href"]]
    assert "by words" in offered and "by picture" not in offered
    assert client.get("/items/i6?by=image").status_code == 200


def shown_users(tree: Tree) -> list[str]:
    strip = next(n for n, (_, attributes, _) in enumerate(tree.elements) if "of-people" in attributes.get("class", ""))
    after = next(n for n, (_, attributes, _) in enumerate(tree.elements) if attributes.get("id") == "audience")
    return [a["href"] for name, a, _ in tree.elements[strip:after] if name == "a"]


def test_the_audience_would_want_it_and_has_not_chosen_it(client: TestClient, shop: Path) -> None:
    expected = [f"/users/{quoted(one.user_id)}" for one in Retriever.load(shop / "run").audience("i1", 9)]
    people = [link["href"] for link, _ in Tree(client.get("/items/i1").text).all("a", class_="person")]
    assert people[-len(expected) :] == expected and not set(expected) & set(people[: -len(expected)])


def test_who_chose_it_is_shown_the_first_twenty_and_how_many(
    client: TestClient, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Retriever.load(shop / "run").bundle
    taken = bundle.seen.items == bundle.items.index("i7")
    took = [bundle.users.ids[user] for user in bundle.seen.users[taken].tolist()]
    page = Tree(client.get("/items/i7").text)
    assert shown_users(page) == [f"/users/{quoted(user)}" for user in took] and len(took) > 2
    assert f"in training, {len(took)} users" in page.text
    monkeypatch.setattr("viral.apps.serve.pages.item.CHOSEN_BY", 2)
    page = Tree(client.get("/items/i7").text)
    assert shown_users(page) == [f"/users/{quoted(user)}" for user in took[:2]]
    assert f"the first 2 of {len(took)}" in page.text


BITS = {"redundant": 0.25, "unique_text": 0.5, "synergistic": -0.875}
NOT_MEASURED = "Not measured: viral information RUN"


def test_information_shares_are_shown_where_they_were_measured(shop: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(shop / "run", run)
    write_json(run / FILE, {"items": [{"item_id": "i1", "broja": BITS}]})
    with opened(run, shop / "data") as client:
        tree = Tree(client.get("/items/i1").text)
        assert [told for _, told in tree.all("td") if told] == ["+0.250", "+0.500", "−0.875", "−0.125"]  # and together
        assert len(tree.all("rect")) == 3 and "spoke against" in tree.text
        other = Tree(client.get("/items/i2").text).text
        assert "nothing to measure" in other and NOT_MEASURED not in other
        assert "tell of choices" in client.get("/why?user=u1&item=i1").text


def test_the_page_says_how_to_measure_and_shows_what_is_measured_meanwhile(shop: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(shop / "run", run)

    async def told(client: httpx.AsyncClient, words: str) -> None:
        for _ in range(500):
            page = Tree((await client.get("/items/i1")).text).text
            if words in " ".join(page.split()):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{words!r} never came")

    async def task(client: httpx.AsyncClient) -> dict[str, Any]:
        await told(client, NOT_MEASURED)
        write_json(run / FILE, {"items": [{"item_id": "i1", "broja": BITS}]})
        await told(client, "unique text+0.500")
        (run / FILE).write_text("[]")  # what is no such document leaves what is known, and is told
        while not (answer := (await client.get("/readyz")).json())["broken"]:
            await asyncio.sleep(0.01)
        await told(client, "unique text+0.500")
        write_json(run / FILE, {"items": [{"item_id": "i1", "broja": BITS | {"redundant": 1.75}}]})
        await told(client, "redundant+1.750")
        (run / FILE).unlink()
        await told(client, NOT_MEASURED)
        return answer | {"now": (await client.get("/readyz")).json()}

    found = served(run, shop / "data", task, watch_seconds=0.01, rate=1e9)
    assert found["broken"] == "not what `viral information` keeps" and found["reloads"] == 0
    assert found["now"]["broken"] == ""


def test_an_item_that_came_after_training_has_a_page(shop: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(shop / "data", data)
    items = pl.read_parquet(data / "items.parquet")
    fresh = items.head(1).with_columns(item_id=pl.lit("fresh"), title=pl.lit("Green jug"))
    pl.concat([items.filter(pl.col("item_id") != "i1"), fresh]).write_parquet(data / "items.parquet")
    with opened(shop / "run", data) as client:
        page = client.get("/items/fresh")
        assert page.status_code == 200 and "trained before this item came" in page.text
        assert [t for _, t in Tree(client.get("/gallery?status=untrained").text).all("span", class_="name")] == [
            "Green jug"
        ]
        gone = client.get("/items/i1")  # trained on, no longer in the catalogue
        assert gone.status_code == 200 and not Tree(gone.text).all("form", action="/description/again")


def test_unknown_items_are_not_found_in_words(client: TestClient) -> None:
    answer = client.get("/items/nothing", headers={"accept": "text/html"})
    assert answer.status_code == 404 and "unknown item" in Tree(answer.text).text


def test_a_new_item_is_described_and_finds_neighbours_and_users(client: TestClient, shop: Path) -> None:
    data = picture(colour=(10, 200, 30))
    answer = client.post("/new", data={"title": "Red mug"}, files={"picture": ("m.png", data)}, headers=HTMX)
    tree = Tree(answer.text)
    assert answer.status_code == 200 and "titled 'Red mug'" in tree.all("p", class_="reading")[0][1]
    assert tree.all("img", alt="The new item's picture")[0][0]["src"].startswith("data:image/webp;base64,")
    cold = client.app.state.live.current.retriever.cold("Red mug", data)  # type: ignore[attr-defined]
    retriever = Retriever.load(shop / "run")
    expected = [f"/items/{quoted(one.item_id)}" for one in retriever.similar(cold, 12)]
    assert [link["href"] for link, _ in tree.all("a", class_="cover")][:12] == expected[:12]
    fans = [f"/users/{quoted(one.user_id)}" for one in retriever.audience(cold, 9)]
    assert [link["href"] for link, _ in tree.all("a", class_="person")] == fans
    tabs = tree.all("button", role="tab")
    assert {tab["aria-controls"] for tab, _ in tabs} == {panel["id"] for panel, _ in tree.all("div", role="tabpanel")}
    assert len(tabs) >= 3


def test_a_title_alone_is_enough_and_scripts_are_not_needed(client: TestClient) -> None:
    page = client.post("/new", data={"title": "Blue lamp <b>"}, files={"picture": ("", b"")})
    tree = Tree(page.text)
    assert page.status_code == 200 and tree.all("h1")[0][1] == "Try a new item"
    assert tree.all("input", name="title")[0][0]["value"] == "Blue lamp <b>"
    assert len(tree.all("a", class_="person")) == 9


@pytest.mark.parametrize(
    ("title", "data", "status", "words"),
    [
        ("", b"", 422, "nothing to go by"),
        ("A mug", b"GIF89a...", 415, "picture cannot be used: unknown format"),
        ("A mug", picture(size=(64, 48))[:-30], 415, "picture cannot be used: truncated or damaged"),
        ("x" * 1001, b"", 422, "1,001 characters"),
    ],
)
def test_what_cannot_be_tried_is_said_in_words(
    client: TestClient, title: str, data: bytes, status: int, words: str
) -> None:
    files = {"picture": ("p.png", data)}
    answer = client.post("/new", data={"title": title}, files=files, headers=HTMX)
    assert answer.status_code == status
    assert words in Tree(answer.text).all("p", role="alert")[0][1]


def test_nothing_of_a_new_item_is_kept(client: TestClient, shop: Path) -> None:
    before = sorted(str(path) for path in shop.rglob("*") if ".cache" not in path.parts)
    client.post("/new", data={"title": "Red mug"}, files={"picture": ("m.png", picture())})
    assert sorted(str(path) for path in shop.rglob("*") if ".cache" not in path.parts) == before
    assert client.get(f"/items/{quoted(ODD).replace('%2F', '/')}").status_code == 200
