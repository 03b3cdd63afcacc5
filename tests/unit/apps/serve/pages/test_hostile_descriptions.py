"""What a describer says is anybody's text: scripts, turned writing, 100 kB, emoji are shown; nothing of it runs."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from describers import LoggingDescriber
from makers import picture
from pages_world import SCRIPT, Tree, describer, opened
from viral.data.dataset import Dataset
from viral.data.edits import LIMIT
from viral.enrich import LEDGER_FILE, Ledger, all_descriptions, enrich, load_prompt, save_descriptions

HTMX = {"hx-request": "true"}
WORDS = {
    "i0": f"{SCRIPT} A red mug on a table, seen from its side.",
    "i1": "\u202e.elbat a no pmal eulb A\u202c \u2066A lamp\u2069 of brass קפה, on a white table.",
    "i2": "A mug of many words. " + " ".join(f"w{n:x}" for n in range(20_000)),  # 115 kB, and no loop
    "i7": "A mug 🦊👩‍👩‍👧‍👦☕️ of clay, held by 👩🏽‍🚀 on a white table.",
    "i5": 'A lamp " onmouseover="alert(3)" of {{ 7 * 7 }} {% raw %} </textarea></p><script>alert(4)</script>',
}
MEANT = WORDS | {
    "i1": ".elbat a no pmal eulb A A lamp of brass קפה, on a white table."
}  # what would turn the page is out
PLACES = [
    "/",
    "/gallery",
    "/gallery?status=done",
    "/gallery?q=mug",
    "/doctor?status=done",
    *(f"/items/{item}" for item in WORDS),
]


@pytest.fixture(scope="module")
def hostile(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The shop, described anew through the ledger by somebody who means harm; nobody else changes it."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(shop / "data", folder / "data")
    dataset = Dataset.open(folder / "data")
    with Ledger(folder / "other.sqlite") as ledger:
        evil = describer(dataset.path, **WORDS)
        save_descriptions(enrich(dataset.catalog(), evil, load_prompt("title"), ledger), dataset.path)
    with opened(shop / "run", dataset.path) as client:
        yield client


def harmless(page: str) -> Tree:
    """The page, in which everything is as the templates made it."""
    tree = Tree(page)
    assert not tree.stray, tree.stray[:3]
    for name, attributes, texts in tree.elements:
        assert name != "style" and "style" not in attributes
        assert not any(key.startswith(("on", "hx-on", "data-hx-on")) for key in attributes), attributes
        assert name != "script" or (attributes["src"].startswith("/static/") and not "".join(texts).strip())
    assert not tree.all("img", src="x") and not re.search("[\u202a-\u202e\u2066-\u2069]", page)
    return tree


def words(tree: Tree) -> str:
    return tree.all("p", class_="words")[0][1]


@pytest.mark.parametrize("place", PLACES)
def test_nothing_of_it_is_markup_on_any_page(hostile: TestClient, place: str) -> None:
    answer = hostile.get(place)
    assert answer.status_code == 200 and len(answer.content) < 100_000
    harmless(answer.text)


@pytest.mark.parametrize("item", ["i0", "i1", "i7", "i5"])
def test_it_is_shown_to_the_letter(hostile: TestClient, item: str) -> None:
    assert words(harmless(hostile.get(f"/items/{item}").text)) == MEANT[item]
    assert words(harmless(hostile.get(f"/description?item={item}", headers=HTMX).text)) == MEANT[item]
    cards = [text for _, text in harmless(hostile.get("/gallery").text).all("p", class_="words")]
    assert MEANT[item] in cards


def test_a_description_of_100_kb_is_cut(hostile: TestClient) -> None:
    (kept,) = all_descriptions(hostile.app.state.live.current.dataset)
    assert len(next(row.text for row in kept.rows if row.item_id == "i2")) > 100_000  # it was described so
    for place, most in (("/gallery?q=many+words", 400), ("/items/i2", LIMIT)):
        text = words(harmless(hostile.get(place).text))
        assert text.startswith("A mug of many words.") and most - 30 < len(text) <= most


def test_the_form_to_edit_it_has_it_as_text(hostile: TestClient) -> None:
    for item in ("i0", "i5"):
        tree = harmless(hostile.get(f"/description?item={item}&edit=true&whole=true", headers=HTMX).text)
        assert [text for _, text in tree.all("textarea")] == [WORDS[item]]


def test_so_is_what_is_said_of_an_item_that_is_tried(hostile: TestClient, tmp_path: Path) -> None:
    encoders = hostile.app.state.live.current.retriever.encoders
    texts = iter(WORDS.values())
    encoders.describer = LoggingDescriber(tmp_path / "asked.txt", {"": lambda: next(texts)})
    for meant in MEANT.values():
        answer = hostile.post("/new", data={"title": "A mug"}, files={"picture": picture()}, headers=HTMX)
        assert answer.status_code == 200
        read = harmless(answer.text).all("p", class_="reading")[0][1]
        assert read == meant if len(meant) < LIMIT else (read.startswith(meant[:1000]) and len(read) <= LIMIT)


def test_so_is_an_answer_that_was_asked_for_anew(own: tuple[TestClient, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    client, data = own
    evil = describer(data, i6=WORDS["i0"])
    monkeypatch.setattr("viral.apps.serve.pages.describe_again._describer", lambda name, *settings: evil)
    image = Dataset.open(data).catalog()["i6"].image
    assert image is not None and (data / LEDGER_FILE).is_file()
    image.write_bytes(picture(colour=(1, 2, 3)))
    answer = client.post("/description/again", data={"item": "i6", "whole": "true"}, headers=HTMX)
    assert answer.status_code == 200 and "Described anew" in answer.text
    assert words(harmless(answer.text)) == WORDS["i0"]
