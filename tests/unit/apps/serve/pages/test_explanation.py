"""Why: the sentence first, the items with their shares, one rank, and what is exact under details."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages_world import Tree, make_run, opened
from viral.apps.serve.pages.explanation import Shares, one_tone
from viral.base.language import using
from viral.data.dataset import Dataset
from viral.run.explain import because, explain
from viral.run.retrieval import Retriever


def of_score(page: str) -> list[int]:
    """The shares beside the names, in per cent."""
    cells = [text for _, text in Tree(page).all("span", class_="amount")]
    return [int(text.replace("−", "-").replace("\u00a0%", "").replace(" %", "")) for text in cells]


def test_the_sentence_is_that_of_the_explanation_in_the_language_of_the_page(client: TestClient, shop: Path) -> None:
    bundle = Retriever.load(shop / "run").bundle
    told = explain(bundle, "u1", "i3")
    (shown,) = Tree(client.get("/why?user=u1&item=i3").text).all("p", class_="because")
    assert shown[1] == because(told, bundle)
    with using("zh"):
        wanted = because(told, bundle)
    (shown,) = Tree(client.get("/why?user=u1&item=i3&lang=zh").text).all("p", class_="because")
    assert shown[1] == wanted
    client.cookies.clear()


def test_the_rank_is_that_of_the_list_that_the_user_saw(client: TestClient, shop: Path) -> None:
    ranks = set()
    for choice in ({}, {"variety": "much"}):
        page = client.get("/users/u1", params=choice).text
        for place, address in enumerate(re.findall(r'href="(/why\?[^"]*)"', page), start=1):
            assert f"Number {place} for user u1" in client.get(address.replace("&amp;", "&")).text
            ranks.add((place, address.partition("&amp;rank")[0]))
    assert len(ranks) > len({address for _, address in ranks})  # variety has another order


def test_without_a_list_it_is_the_place_among_all_that_is_not_in_the_history(client: TestClient, shop: Path) -> None:
    bundle = Retriever.load(shop / "run").bundle
    item_id = Retriever(bundle).recommend("u1", 3)[-1].item_id
    for wrong in ("", "0", "0x1", "-1", "9" * 40, "<b>"):
        page = client.get("/why", params={"user": "u1", "item": item_id, "rank": wrong}).text
        assert "Number 3 for user u1" in page and "Rank 3 of " in page


def test_the_shares_are_of_the_score_and_the_bar_is_full(shop: Path, client: TestClient) -> None:
    bundle = Retriever.load(shop / "run").bundle
    user, item_id = next(
        (user, one.item_id)
        for user in bundle.users.ids
        for one in Retriever(bundle).recommend(user, 5)
        if one.score > 0 and explain(bundle, user, one.item_id).evidence
    )
    told = explain(bundle, user, item_id)
    page = client.get("/why", params={"user": user, "item": item_id}).text
    shown = of_score(page)
    assert shown[: len(told.evidence)] == pytest.approx([100 * e.share / told.score for e in told.evidence], abs=0.51)
    assert sum(shown) == pytest.approx(100, abs=4)
    widths = [float(width) for width in re.findall(r'class="piece[^"]*" x="[^"]*%" width="([0-9.]+)%"', page)]
    assert sum(widths) == pytest.approx(100, abs=0.1)


def test_details_are_closed_and_hold_the_exact_sums(client: TestClient) -> None:
    tree = Tree(client.get("/why?user=u1&item=i3").text)
    ((details, text),) = tree.all("details", class_="sums")
    assert "open" not in details and "What the score is made of" in text and "Rank " in text


def test_by_popularity_no_item_of_a_history_is_why(shop: Path, tmp_path: Path) -> None:
    run = make_run(Dataset.open(shop / "data"), tmp_path / "run", "popularity")
    with opened(run, shop / "data") as client:
        page = client.get("/why?user=u1&item=i3").text
    ((_, sentence),) = Tree(page).all("p", class_="because")
    assert sentence.startswith("Because it is popular: ") and "Items of the history that speak for it" not in page


def test_a_score_below_zero_has_sums_and_no_shares(shop: Path) -> None:
    from viral.apps.serve.pages.item_cards import ItemCards
    from viral.run.explain import Evidence, Explanation

    class Cards(dict[str, object]):
        def __missing__(self, key: str) -> str:
            return f"card of {key}"

    told = Explanation(
        "u",
        "i",
        "",
        -1.0,
        {"score": -1.0},
        3,
        9,
        False,
        4,
        {},
        (Evidence("a", "A", 0.5), Evidence("b", "B", 0.25)),
        -0.5,
    )
    cards: ItemCards = Cards()  # type: ignore[assignment]
    found = Shares.of(told, cards)
    assert [(one.card, one.value, one.of_score) for one in found.pieces] == [
        ("card of a", 0.5, None), ("card of b", 0.25, None),
    ]  # fmt: skip
    assert [one.value for one in found.against] == [-1.25, -0.5]
    assert [one_tone(one, place) for place, one in enumerate((*found.pieces, *found.against), start=1)] == [
        "piece piece-1", "piece piece-2", "piece", "piece",
    ]  # fmt: skip
