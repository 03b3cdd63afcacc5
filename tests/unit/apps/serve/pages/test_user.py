"""Users, what is recommended to them, and why: the numbers on the page are the retriever's and add up."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages_world import SCRIPT, Tree, make_run, opened
from viral.apps.serve.pages.rendering import quoted
from viral.data.dataset import Dataset
from viral.run.explain import explain
from viral.run.retrieval import Filters, Retriever

HTMX = {"hx-request": "true"}


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def recommended(page: str) -> list[str]:
    cards = [text for _, text in Tree(page).all("li", data_testid="recommendation")]
    return [card.split(" score ")[0] for card in cards]


def test_users_are_listed_and_found_with_some_of_their_history(client: TestClient) -> None:
    people = Tree(client.get("/users").text).all("a", class_="person")
    assert len(people) == 10 and "interaction" in people[0][1]
    assert [link["href"] for link, _ in Tree(client.get("/users?q=U3").text).all("a", class_="person")] == ["/users/u3"]
    assert "Nobody here" in client.get("/users?q=zzz").text


def test_a_users_page_shows_history_and_recommendations_as_pictures(client: TestClient, shop: Path) -> None:
    retriever = Retriever.load(shop / "run")
    tree = Tree(client.get("/users/u1").text)
    shown = [link["href"] for link, _ in tree.all("a", class_="cover")]
    history = [f"/items/{quoted(item)}" for item, _ in retriever.history("u1")]
    best = [f"/items/{quoted(one.item_id)}" for one in retriever.recommend("u1", 24)]
    assert shown == history + best and history and best
    assert not set(history) & set(best)
    scores = [number(text.split()[1]) for _, text in tree.all("span") if re.fullmatch(r"score [−\d.,]+", text)]
    assert scores == pytest.approx([one.score for one in retriever.recommend("u1", 24)], abs=5e-4)


def test_a_long_history_has_pages_that_keep_what_was_chosen(
    client: TestClient, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viral.apps.serve.pages.user.HISTORY", 2)
    history = [f"/items/{quoted(item)}" for item, _ in Retriever.load(shop / "run").history("u1")]
    assert len(history) > 2
    pages = -(-len(history) // 2)
    shown: list[str] = []
    for number in range(1, pages + 1):
        tree = Tree(client.get(f"/users/u1?variety=much&page={number}").text)
        shown += [link["href"] for link, _ in tree.all("a", class_="mini")]
        assert len(shown) == min(2 * number, len(history)) and f"page {number} of {pages}" in tree.text
        (last,) = [link for link, text in tree.all("a") if text == f"Page {pages}"]
        assert last["href"] == f"/users/u1?variety=much&page={pages}" and last["data-hx-target"] == "#history"
        kept = [(one["form"], one["value"]) for one, _ in tree.all("input", name="page")]
        assert kept == ([("choices", str(number))] if number > 1 else [])  # choosing a variety goes to the same page
    assert shown == history
    assert tree.all("form", id="choices")


def test_recommendations_can_be_of_one_category_and_various(client: TestClient, shop: Path) -> None:
    retriever = Retriever.load(shop / "run")
    page = client.get("/users/u1", params={"category": "<b>lamps</b>", "variety": "much"}).text
    best = retriever.recommend("u1", 24, filters=Filters(categories=["<b>lamps</b>"]), diversity=0.7)
    links = [link["href"] for link, _ in Tree(page).all("a") if link["href"].startswith("/why?")]
    assert len(links) == len(best) > 0
    assert client.get("/users/u1?category=none&variety=none").status_code == 200


def test_a_user_with_a_script_for_a_name(client: TestClient) -> None:
    page = client.get(f"/users/{quoted(SCRIPT).replace('%2F', '/')}")
    ((shown, name),) = Tree(page.text).all("button", class_="id")
    assert page.status_code == 200 and shown["data-copy"] == SCRIPT and shown["title"] == f"Copy: {SCRIPT}"
    assert name == "<script>alert(1)<…rt(2)>" and Tree(page.text).all("h1")[0][1] == f"User {name}"


def test_the_rows_of_why_add_up_to_the_score(client: TestClient, shop: Path) -> None:
    told = explain(Retriever.load(shop / "run").bundle, "u1", "i3")
    tree = Tree(client.get("/why?user=u1&item=i3", headers=HTMX).text)
    assert len(tree.all("table", class_="sum")) == 1  # by part
    values = [number(text) for _, text in tree.all("td") if text]
    assert values[:-1] == pytest.approx(list(told.parts.values()), abs=6e-4)
    assert sum(values[:-1]) == pytest.approx(values[-1], abs=1e-3 * len(told.parts))
    assert values[-1] == pytest.approx(told.score, abs=6e-4)


def test_where_an_items_vector_is_told_apart_there_are_rows_of_origins_too(shop: Path, tmp_path: Path) -> None:
    run = make_run(Dataset.open(shop / "data"), tmp_path / "run", "viral-light")
    told = explain(Retriever.load(run).bundle, "u1", "i3")
    with opened(run, shop / "data") as client:
        tree = Tree(client.get("/why?user=u1&item=i3", headers=HTMX).text)
    assert len(tree.all("table", class_="sum")) == 2  # by part, and by origin
    values = [number(text) for _, text in tree.all("td") if text]
    size = len(told.parts)
    assert values[:size] == pytest.approx(list(told.parts.values()), abs=6e-4)
    assert sum(values[:size]) == pytest.approx(values[size], abs=1e-3 * size)
    assert values[size + 1 : -1] == pytest.approx(list(told.origins.values()), abs=6e-4)
    assert sum(values[size + 1 : -1]) == pytest.approx(values[-1], abs=1e-3 * (size + 1))
    assert values[size] == values[-1] == pytest.approx(told.score, abs=6e-4)


def test_the_evidence_is_what_explain_names(client: TestClient, shop: Path) -> None:
    told = explain(Retriever.load(shop / "run").bundle, "u1", "i3")
    tree = Tree(client.get("/why?user=u1&item=i3", headers=HTMX).text)
    links = [link["href"] for link, _ in tree.all("a") if link["href"].startswith("/items/")]
    assert links == [f"/items/{quoted(one.item_id)}" for one in told.evidence]


def test_why_is_a_panel_or_a_page(client: TestClient) -> None:
    panel, page = client.get("/why?user=u1&item=i3", headers=HTMX).text, client.get("/why?user=u1&item=i3").text
    assert not Tree(panel).all("html") and Tree(page).all("h1")
    assert client.get("/why?user=nobody&item=i3").status_code == 404
    assert client.get("/why?user=u1&item=nothing").status_code == 404


def test_words_are_weighed_on_request(client: TestClient) -> None:
    answer = client.get("/why/words?user=u1&item=i1", headers=HTMX)
    words = [text.rpartition(" ")[0] for _, text in Tree(answer.text).all("li")]
    assert answer.status_code == 200 and {"picture", "titled"} <= set(words)
    none = client.get("/why/words", params={"user": "u1", "item": "i6"}, headers=HTMX)
    assert none.status_code in (200, 409) and Tree(none.text).all("section", id="words")


def test_a_model_without_parts_or_words_says_what_it_has(shop: Path, tmp_path: Path) -> None:
    run = make_run(Dataset.open(shop / "data"), tmp_path / "run", "itemknn")
    with opened(run, shop / "data") as client:
        assert recommended(client.get("/users/u1").text)
        assert len(Tree(client.get("/why?user=u1&item=i3", headers=HTMX).text).all("table", class_="sum")) == 1
        answer = client.get("/why/words?user=u1&item=i1", headers=HTMX)
        assert answer.status_code == 422 and "reads no such words" in answer.text
        assert client.get("/items/i1").status_code == 200
