"""Descriptions: edited, locked, unlocked, and asked for anew, as ``viral enrich`` does it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from describers import LoggingDescriber
from makers import picture
from pages_world import ODD, SCRIPT, Tree, describer
from viral.apps.serve.pages.describe_again import fault_of
from viral.data.dataset import Dataset
from viral.data.edits import LIMIT
from viral.enrich import (
    Ledger,
    all_descriptions,
    edit,
    enrich,
    load_descriptions,
    load_edits,
    load_prompt,
    save_descriptions,
)
from viral.run.retrieval import DescriberOptions

HTMX = {"hx-request": "true"}
Own = tuple[TestClient, Path]


def said_of(data: Path, item: str) -> tuple[str, str, bool]:
    found = load_descriptions(Dataset.open(data))
    assert found is not None
    return next((row.text, row.status, row.edited) for row in found.rows if row.item_id == item)


def test_an_edit_lands_where_viral_enrich_puts_it(own: Own) -> None:
    client, data = own
    answer = client.post("/description", data={"item": "i0", "text": "  A <b>cup</b>\nof tea. "}, headers=HTMX)
    assert answer.status_code == 200
    assert load_edits(Dataset.open(data)) == {"i0": "A <b>cup</b> of tea."}
    assert "A <b>cup</b> of tea." in Tree(answer.text).all("p", class_="words")[0][1]
    assert "by hand, locked" in answer.text
    assert said_of(data, "i0") == ("A <b>cup</b> of tea.", "done", True)
    kept = (data / "descriptions" / "edits.json").read_text()
    edit(Dataset.open(data), "i0", "A <b>cup</b> of tea.")
    written = json.loads((data / "descriptions" / "edits.json").read_text())
    assert json.loads(kept)["edits"]["i0"].keys() == written["edits"]["i0"].keys()


def test_the_gallery_shows_an_edit_at_once_and_one_made_beside_it(own: Own) -> None:
    client, data = own
    assert Tree(client.get("/gallery?status=edited").text).all("li", data_testid="card") == []
    edit(Dataset.open(data), "i1", "Written by somebody else.")
    client.post("/description", data={"item": ODD, "text": "A lamp that nobody photographed."}, headers=HTMX)
    cards = [text for _, text in Tree(client.get("/gallery?status=edited").text).all("li", data_testid="card")]
    assert "Written by somebody else." in cards[0] and "nobody photographed" in cards[1]


def test_unlocking_brings_the_describers_words_back(own: Own) -> None:
    client, data = own
    before = said_of(data, "i0")
    client.post("/description", data={"item": "i0", "text": "Mine."}, headers=HTMX)
    answer = client.post("/description/unlock", data={"item": "i0"}, headers=HTMX)
    assert answer.status_code == 200 and before[0] in Tree(answer.text).all("p", class_="words")[0][1]
    assert load_edits(Dataset.open(data)) == {} and said_of(data, "i0") == before
    again = client.post("/description/unlock", data={"item": "i0"}, headers=HTMX)
    assert again.status_code == 409 and "was not edited" in again.text


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (LIMIT + 1)])
def test_what_is_no_description_is_refused_and_not_lost(own: Own, text: str) -> None:
    client, data = own
    answer = client.post("/description", data={"item": "i0", "text": text}, headers=HTMX)
    assert answer.status_code == 422 and not load_edits(Dataset.open(data))
    fields = Tree(answer.text).all("textarea", name="text")
    assert len(fields) == 1 and fields[0][1] == text.strip()


def test_an_edit_does_not_fall_on_somebody_elses(own: Own) -> None:
    client, data = own
    form = Tree(client.get("/description?item=i0&edit=true", headers=HTMX).text)
    was = form.all("input", name="was")[0][0]["value"]
    edit(Dataset.open(data), "i0", "Theirs.")
    answer = client.post("/description", data={"item": "i0", "text": "Mine.", "was": was}, headers=HTMX)
    tree = Tree(answer.text)
    assert answer.status_code == 409 and load_edits(Dataset.open(data)) == {"i0": "Theirs."}
    assert "Theirs." in answer.text and tree.all("textarea")[0][1] == "Mine."
    was = tree.all("input", name="was")[0][0]["value"]
    client.post("/description", data={"item": "i0", "text": "Mine.", "was": was}, headers=HTMX)
    assert load_edits(Dataset.open(data)) == {"i0": "Mine."}


def test_without_scripts_a_form_leads_to_the_items_page(own: Own) -> None:
    client, _ = own
    answer = client.post("/description", data={"item": ODD, "text": "A lamp."})
    assert (answer.status_code, answer.headers["location"]) == (303, "/items/a%2Fb%20c%3Fd%23e%26f%3Dg%2Bh")
    page = client.get("/description?item=i0&edit=true")
    assert page.status_code == 200 and Tree(page.text).all("textarea")
    bad = client.post("/description", data={"item": "i0", "text": ""})
    assert bad.status_code == 422 and Tree(bad.text).all("h1")


def test_asking_again_for_the_same_says_so_and_asks_nobody(own: Own) -> None:
    client, data = own
    asked = data.parent / "asked.txt"
    answer = client.post("/description/again", data={"item": "i0"}, headers=HTMX)
    assert answer.status_code == 200 and "same words again" in answer.text
    assert not asked.exists()


class Adapted(LoggingDescriber):
    """A describer that takes a catalogue's categories for evidence, as the pixel describer does."""

    def for_categories(self, categories: Sequence[str]) -> "Adapted":
        return Adapted(self.log, parameters={"classes": len(set(categories))})


def test_a_describer_that_knows_the_catalogue_is_asked_as_for_all_of_it(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    client, data = own
    dataset, log = Dataset.open(data), data.parent / "adapted.txt"
    with Ledger(data / "other.sqlite") as ledger:
        save_descriptions(enrich(dataset.catalog(), Adapted(log), load_prompt("title"), ledger), data)
    (data / "other.sqlite").replace(data / "ledger.sqlite")
    asked = len(log.read_text().splitlines())
    monkeypatch.setattr("viral.apps.serve.pages.describe_again._describer", lambda name, *settings: Adapted(log))
    answer = client.post("/description/again", data={"item": "i0"}, headers=HTMX)
    assert answer.status_code == 200 and "same words again" in answer.text
    assert len(log.read_text().splitlines()) == asked


def test_a_mended_picture_is_described_as_a_run_would(own: Own) -> None:
    client, data = own
    dataset = Dataset.open(data)
    assert said_of(data, "i6")[1] == "unreadable"
    image = dataset.catalog()["i6"].image
    assert image is not None
    image.write_bytes(picture(colour=(1, 2, 3)))
    answer = client.post("/description/again", data={"item": "i6", "whole": "true"}, headers=HTMX)
    assert answer.status_code == 200 and "Described anew" in answer.text
    (kept,) = all_descriptions(dataset)
    with Ledger(data / "ledger.sqlite") as ledger:
        run = enrich(dataset.catalog(), describer(data), load_prompt("title"), ledger)
    assert kept.rows == run.rows
    assert (data.parent / "asked.txt").read_text().splitlines().count("i6") == 1


def test_words_that_came_from_a_file_have_nobody_to_ask(own: Own) -> None:
    _, data = own
    (there,) = all_descriptions(Dataset.open(data))
    told = fault_of(replace(there, describer="Qwen2.5-VL-3B-Instruct/imported", prompt="plain"), DescriberOptions())
    assert "of Qwen2.5-VL-3B-Instruct and came from a file" in told and "--describer import" in told


def test_what_is_locked_is_not_asked_for(own: Own) -> None:
    client, data = own
    client.post("/description", data={"item": "i0", "text": "Mine."}, headers=HTMX)
    assert "/description/again" not in client.get("/description?item=i0", headers=HTMX).text
    answer = client.post("/description/again", data={"item": "i0"}, headers=HTMX)
    assert answer.status_code == 422 and "locked" in answer.text and load_edits(Dataset.open(data)) == {"i0": "Mine."}


def test_an_edit_elsewhere_survives_asking_again(own: Own) -> None:
    client, data = own
    client.post("/description", data={"item": "i1", "text": "Mine."}, headers=HTMX)
    client.post("/description/again", data={"item": "i0"}, headers=HTMX)
    assert said_of(data, "i1") == ("Mine.", "done", True)
    (kept,) = all_descriptions(Dataset.open(data))
    assert "titled" in next(row.text for row in kept.rows if row.item_id == "i1")


def test_a_describer_that_is_not_here_is_named_and_not_offered(client: TestClient) -> None:
    page = client.get("/items/i0").text
    assert "logging/1" in page and "viral enrich DATASET --describer logging" in page
    assert "/description/again" not in page
    answer = client.post("/description/again", data={"item": "i0"}, headers=HTMX)
    assert answer.status_code == 422 and "settings that this server does not have" in answer.text


def test_another_revision_of_the_describer_is_not_mixed_in(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    client, data = own
    newer = replace(describer(data), revision="2")
    monkeypatch.setattr("viral.apps.serve.pages.describe_again._describer", lambda name: newer)
    answer = client.post("/description/again", data={"item": "i0"}, headers=HTMX)
    assert answer.status_code == 422 and "revision 2" in answer.text


def test_other_settings_of_the_describer_are_not_mixed_in(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    client, data = own
    other = replace(describer(data), parameters={"colours": 3})
    monkeypatch.setattr("viral.apps.serve.pages.describe_again._describer", lambda name: other)
    answer = client.post("/description/again", data={"item": "i0"}, headers=HTMX)
    assert answer.status_code == 422 and "with settings" in answer.text
    assert not (data.parent / "asked.txt").exists()


def test_unknown_items_are_not_found(client: TestClient) -> None:
    assert client.get("/description", params={"item": SCRIPT}, headers=HTMX).status_code == 404
    assert client.post("/description", data={"item": "nope", "text": "A."}, headers=HTMX).status_code == 404
