"""The doctor's page: planted faults with their rows, what became of the pictures, and what the import left out."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from starlette.testclient import TestClient

from pages_world import Tree, opened
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import INTERACTIONS_FILE, REJECTED_FILE
from viral.enrich import all_descriptions
from viral.lab.quality.status_sections import tags_of

PAGES = ["/doctor", "/doctor/examination?whole=true", "/doctor/examination", "/doctor?status=done&page=2"]


def findings(client: TestClient) -> dict[str, str]:
    """Texts of the findings by check."""
    tree = Tree(client.get("/doctor/examination").text)
    return {text.split()[1]: text for _, text in tree.all("li", class_="finding")}


@pytest.fixture
def harmed(shop: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A server of a copy with planted faults."""
    data = tmp_path / "data"
    shutil.copytree(shop / "data", data)
    log = pl.read_parquet(data / INTERACTIONS_FILE)
    stranger = log.head(1).with_columns(pl.lit("<b>no-such-item</b>").alias("item_id"))
    pl.concat([log, stranger]).write_parquet(data / INTERACTIONS_FILE)
    items = pl.read_parquet(data / ITEMS_FILE)
    (data / items["image"][1]).unlink()
    rows = [{"file": "log.csv", "row": n, "field": "item_id", "reason": "empty", "value": "<em>x"} for n in range(130)]
    (data / REJECTED_FILE).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with opened(shop / "run", data) as client:
        yield client


def test_planted_faults_stand_with_their_rows_and_items(harmed: TestClient, tmp_path: Path) -> None:
    page = harmed.get("/doctor/examination").text
    tree = Tree(page)
    last = pl.read_parquet(tmp_path / "data" / INTERACTIONS_FILE).height
    texts = [text for _, text in tree.all("li", class_="finding")]
    assert any(f"interactions.parquet row {last}," in text and "no-such-item" in text for text in texts)
    lost = next(text for text in texts if "items.parquet row 2," in text)
    assert "Blue lamp number 1" in lost
    assert any(link["href"] == "/items/i1" for link, _ in tree.all("a"))
    assert not tree.all("b") and "/tmp" not in page and str(tmp_path) not in page


def test_a_whole_data_set_has_fewer_findings_than_a_harmed_one(client: TestClient, harmed: TestClient) -> None:
    assert len(findings(client)) < len(findings(harmed))
    assert not any("no-such-item" in text for text in findings(client).values())


def test_it_is_examined_again_when_a_file_has_changed(own: tuple[TestClient, Path]) -> None:
    client, data = own
    before = client.get("/doctor/examination").text
    assert 'hx-get="/doctor/examination"' not in client.get("/doctor").text  # known: it is in the page
    items = pl.read_parquet(data / ITEMS_FILE)
    items.with_columns(pl.Series("title", ["", *items["title"].to_list()[1:]])).write_parquet(data / ITEMS_FILE)
    assert 'hx-get="/doctor/examination"' in client.get("/doctor").text
    assert client.get("/doctor/examination").text != before


def test_descriptions_are_counted_by_status_and_listed(client: TestClient, shop: Path) -> None:
    (made,) = all_descriptions(client.app.state.live.current.dataset)  # type: ignore[attr-defined]
    tags = [tag for row in made.rows for tag in tags_of(row)]
    tree = Tree(client.get("/doctor?status=done").text)
    pills = [text for link, text in tree.all("a") if "status=" in link["href"] and "hreflang" not in link]
    assert sorted(pills) == sorted({f"{tag} {tags.count(tag)}" for tag in tags})
    assert len(tree.all("tr")) - 3 == tags.count("done") > 1  # two heads, and one set of descriptions
    unreadable = Tree(client.get("/doctor?status=unreadable").text)
    assert [text for _, text in unreadable.all("th", scope="row")][1:] == ["Red mug number 6"]


def test_rows_that_the_import_left_out_are_shown_with_their_reasons(harmed: TestClient) -> None:
    tree = Tree(harmed.get("/doctor").text)
    assert "130 rows · the first 100 of them" in " ".join(tree.text.split())
    assert "log.csv" in tree.text and "<em>x" in tree.text and not tree.all("em")


def test_without_a_data_set_it_says_so(shop: Path, tmp_path: Path) -> None:
    shutil.copytree(shop / "run" / "bundle", tmp_path / "bundle")
    with opened(tmp_path / "bundle") as client:
        assert "this server has none" in client.get("/doctor").text
        assert "There is no data set to examine" in client.get("/doctor/examination").text


@pytest.mark.parametrize("place", PAGES)
def test_nothing_is_inline(client: TestClient, place: str) -> None:
    tree = Tree(client.get(place).text)
    assert not tree.stray and len(tree.elements) > 5
    for name, attributes, texts in tree.elements:
        assert name != "style" and "style" not in attributes and not any(key.startswith("on") for key in attributes)
        assert name != "script" or (attributes["src"].startswith("/static/") and not "".join(texts).strip())
