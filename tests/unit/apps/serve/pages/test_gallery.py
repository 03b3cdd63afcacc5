"""The gallery: what is on a card, and how the cards are found."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages_world import ODD, Tree, opened
from viral.apps.serve.pages import gallery
from viral.apps.serve.pages.rendering import Page, quoted
from viral.data.catalog import Catalog

ODD_LINK = f"/items/{quoted(ODD)}"


def names(page: str) -> list[str]:
    return [link["href"] for link, _ in Tree(page).all("a", class_="cover")]


def test_every_item_has_a_card_with_picture_title_words_and_status(client: TestClient, shop: Path) -> None:
    found = Tree(client.get("/gallery").text)
    cards = [text for _, text in found.all("li", data_testid="card")]
    items = Catalog.read(shop / "data").items
    assert len(cards) == len(items)
    assert all(f"titled {item.title!r}" in card for item, card in zip(items, cards, strict=True) if item.id == "i0")
    pictures = [image["src"] for image, _ in found.all("img")]
    assert pictures[:2] == ["/pictures/i0?size=320", "/pictures/i1?size=320"]
    assert "unreadable: picture is unknown format" in cards[6]
    assert "no picture" in cards[11] and "missing picture" in cards[11]
    assert dict(found.all("a", class_="cover")[11][0])["href"] == "/items/a%2Fb%20c%3Fd%23e%26f%3Dg%2Bh"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "RED number 10"}, ["/items/i10"]),
        ({"q": "blue japan"}, ["/items/i1", "/items/i7", "/items/i9", ODD_LINK]),
        ({"q": "nothing like it"}, []),
        ({"status": "unreadable"}, ["/items/i6"]),
        ({"status": "missing picture", "category": "<b>lamps</b>"}, [ODD_LINK]),
        ({"status": "missing picture", "category": "mugs"}, []),
    ],
)
def test_cards_are_found_by_words_status_and_category(
    client: TestClient, query: dict[str, str], expected: list[str]
) -> None:
    assert names(client.get("/gallery", params=query).text) == expected


def test_the_order_can_be_by_what_is_taken_most_and_by_title(client: TestClient) -> None:
    degrees = client.app.state.live.current.bundle.seen.item_degrees().tolist()  # type: ignore[attr-defined]
    ids = client.app.state.live.current.bundle.items.ids  # type: ignore[attr-defined]
    taken = dict(zip(ids, degrees, strict=True))
    links = names(client.get("/gallery?sort=taken&q=number").text)
    order = [taken[link.removeprefix("/items/")] for link in links if "%" not in link]
    assert order == sorted(order, reverse=True) and len(set(order)) > 1
    titles = [text for _, text in Tree(client.get("/gallery?sort=title&q=number").text).all("span", class_="name")]
    assert titles == sorted(titles) and len(titles) > 3


def test_what_is_not_there_narrows_nothing(client: TestClient) -> None:
    everything = names(client.get("/gallery").text)
    assert names(client.get("/gallery?status=no&category=no&sort=no&page=-3").text) == everything
    assert names(client.get("/gallery?page=%F0%9F%99%82").text) == everything


def test_long_lists_come_in_pages(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "SIZE", 5)
    first, last = client.get("/gallery?q=i").text, client.get("/gallery?q=i&page=99").text
    assert len(names(first)) == 5 and len(names(last)) == 1
    links = Tree(first).all("nav", aria_label="Pages of the list")
    assert links[0][1] == "Page 1 Page 2 Page 3"
    current = [text for attributes, text in Tree(last).all("a", aria_current="page") if "page=" in attributes["href"]]
    assert current == ["Page 3"]
    assert all("q=i" in attributes["href"] for attributes, _ in Tree(first).all("a") if "page=" in attributes["href"])


def test_the_numbers_of_many_pages_are_those_around() -> None:
    assert Page.of(range(1000), "9", 20).numbers == [1, None, 7, 8, 9, 10, 11, None, 50]
    assert Page.of([], "1", 20).numbers == [1]
    assert Page.of(range(30), "2", 20).rows == range(20, 30)


def test_without_a_data_set_the_bundle_is_shown_and_nothing_can_be_edited(shop: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.symlink_to(shop / "run" / "bundle")
    with opened(bundle) as client:
        page = client.get("/gallery")
        assert page.status_code == 200
        assert len(names(page.text)) == 12 and "no data set" in Tree(page.text).text
        assert not Tree(page.text).all("form", action="/description/again")
        answer = client.post("/description", data={"item": "i0", "text": "A mug."})
        assert answer.status_code == 422 and "--dataset" in answer.text
