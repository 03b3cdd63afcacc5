"""The start page: what it says of data, training, the day and what waits, and that old addresses still lead on."""

import json
import shutil
import time
from pathlib import Path

import polars as pl
import pytest
from starlette.testclient import TestClient

from pages_world import ODD, Tree, opened
from viral.apps.serve.pages import home
from viral.apps.serve.pages.home import feedback_of_today, midnight
from viral.apps.serve.pages.rendering import hedged, short_id, with_command
from viral.data.catalog import ITEMS_FILE

HTMX = {"hx-request": "true"}


def said(page: str) -> str:
    return " ".join(Tree(page).text.split())


def test_each_tile_says_something_and_has_one_button(client: TestClient) -> None:
    tree = Tree(client.get("/").text)
    tiles = tree.all("section", class_="tile")
    assert len(tiles) == 6 and tree.all("h1")[0][1] == "It is working"
    buttons = [link["href"] for link, _ in tree.all("a", class_="button") if "hreflang" not in link]
    assert buttons == ["/doctor", "/experiments", "/users", "/gallery?sort=taken", "/gallery?status=edited", "/new"]
    assert tree.all("div", data_hx_get="/home/data")


def test_addresses_of_the_gallery_that_was_here_lead_to_it(client: TestClient) -> None:
    answer = client.get("/?q=red+mug&status=done")
    assert (answer.status_code, answer.headers["location"]) == (308, "/gallery?q=red+mug&status=done")
    assert client.get("/?lang=en").status_code == 200
    client.cookies.clear()


def test_the_doctors_verdict_comes_in_one_line(client: TestClient) -> None:
    ((_, line),) = Tree(client.get("/home/data", headers=HTMX).text).all("div", id="data-health")
    assert "It can be trained on." in line or "No fault was found." in line or "cannot be trained" in line
    assert client.get("/home/data").headers["location"] == "/doctor"


def test_metrics_stand_beside_those_of_before(shop: Path, tmp_path: Path) -> None:
    about = {"metrics": {"recall@20": 0.31, "ndcg@20": 0.2}, "tested_on": {"fingerprint": "b"}}
    before = {"metrics": {"recall@20": 0.25}, "tested_on": {"fingerprint": "a"}}
    first, second = home._measured(about | {"update": {"before": before}})
    assert (first.now, first.before, first.change) == (0.31, 0.25, pytest.approx(0.06))
    assert second.before is None and second.change is None
    assert home._other_test(about | {"update": {"before": before}})
    assert not home._other_test(about | {"update": {"before": {"tested_on": {"fingerprint": "b"}}}})
    assert not home._other_test(about) and home._measured({}) == []


def test_how_recommendations_spread_is_told_as_far_as_it_was_measured(shop: Path) -> None:
    told = {
        "k": 10, "users": 9, "coverage": 0.5, "most": 0.3, "most_item": ODD, "most_title": "", "gini": 0.4,
        "recommended": 8.0, "taken": 4.0,
    }  # fmt: skip
    with opened(shop / "run", shop / "data") as client:
        about = client.app.state.live.current.bundle.about  # type: ignore[attr-defined]
        for name in ("exposure", "metrics"):
            about.pop(name, None)
        assert "It was not measured with this training" in said(client.get("/").text)
        about["metrics"] = {"coverage@20": 0.25}
        assert "25 % of the items are among the first 20 of at least one user." in said(client.get("/").text)
        about["exposure"] = told
        text = said(client.get("/").text)
        assert "50 % of the items are among the first 10" in text and "30 % of the users have the same item" in text
        assert "2.0 times as popular" in text and "leans to what is popular" in text and ODD in text
        about["exposure"] = told | {"most": 0.1, "taken": 0.0}
        text = said(client.get("/").text)
        assert "leans to" not in text and "times as popular" not in text


def test_answers_and_feedback_of_today_are_counted(shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    with opened(shop / "run", shop / "data", feedback=file) as client:
        assert "Nothing yet" in said(client.get("/").text)
        assert client.post("/v1/recommend", json={"user_id": "u1"}).status_code == 200
        assert client.post("/v1/recommend", json={"user_id": "nobody"}).status_code >= 200
        event = {"user_id": "u1", "item_id": "i0", "kind": "click"}
        old = event | {"timestamp": int(time.time()) - 3 * 86400}
        assert client.post("/v1/feedback", json={"events": [event, event, old]}).status_code == 202
        tree = Tree(client.get("/").text)
        facts = {term: value for (_, term), (_, value) in zip(tree.all("dt"), tree.all("dd"), strict=True)}
        assert facts["answers to the shop"] == "3" and facts["events of feedback"] == "2"


def test_of_a_long_file_of_feedback_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, now = tmp_path / "feedback.jsonl", time.time()
    assert feedback_of_today(file, now) == (0, False)
    lines = [json.dumps({"user_id": "u", "item_id": "i", "timestamp": int(now), "kind": "click"}) for _ in range(50)]
    file.write_text("\n".join(lines) + "\n")
    assert feedback_of_today(file, now) == (50, False)
    monkeypatch.setattr("viral.apps.serve.pages.home.READ", 1000)
    found = feedback_of_today(file, now)
    assert found.least and 0 < found.events < 50
    assert feedback_of_today(file, midnight(now) + 2 * 86400) == (0, False)


def test_without_a_data_set_it_says_how_to_have_one(shop: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.symlink_to(shop / "run" / "bundle")
    with opened(bundle) as client:
        page = client.get("/").text
        assert "viral serve RUN --dataset DATASET" in page and not Tree(page).all("div", data_hx_get="/home/data")


def test_what_cannot_be_loaded_is_told(shop: Path, tmp_path: Path) -> None:
    with opened(shop / "run", shop / "data") as client:
        client.app.state.live.broken = "the manifest is not whole"  # type: ignore[attr-defined]
        tree = Tree(client.get("/").text)
        assert tree.all("h1")[0][1] == "Something needs a look"
        assert "the manifest is not whole" in tree.all("p", role="alert")[0][1]


def test_details_of_the_catalogue_are_on_the_card_and_the_page(shop: Path, tmp_path: Path) -> None:
    shutil.copytree(shop / "data", tmp_path / "data")
    file = tmp_path / "data" / ITEMS_FILE
    items = pl.read_parquet(file).with_columns(
        price=pl.lit("€ 12.50"), colour=pl.lit("Red"), brand=pl.lit("<b>Acme</b>")
    )
    items.write_parquet(file)
    with opened(shop / "run", tmp_path / "data") as client:
        kinds = [text for _, text in Tree(client.get("/gallery").text).all("span", class_="kind")]
        assert kinds[0] == "mugs · Red · <b>Acme</b>"
        assert "€ 12.50" in [text for _, text in Tree(client.get("/gallery").text).all("span", class_="price")]
        facts = Tree(client.get("/items/i0").text)
        assert {"colour", "brand", "price"} <= {text for _, text in facts.all("dt")}
        card = next(text for _, text in Tree(client.get("/gallery").text).all("li", data_testid="card"))
        assert card.index("from Japan") < card.index("titled")


def test_alike_can_be_of_the_same_category(client: TestClient) -> None:
    both = Tree(client.get("/items/i0").text)
    same = Tree(client.get("/items/i0?same=true").text)
    kinds = {item.id: item.category for item in client.app.state.live.current.catalog}  # type: ignore[attr-defined]
    links = [link["href"].removeprefix("/items/") for link, _ in same.all("a", class_="cover")]
    found = {kinds[one] for one in links if one in kinds}
    assert found == {kinds["i0"]} and len(same.all("li", data_testid="alike")) < len(
        both.all("li", data_testid="alike")
    )
    assert [link for link, text in same.all("a", aria_current="true") if "same category" in text]


def test_long_ids_are_cut_in_the_middle_and_whole_for_a_copy(client: TestClient) -> None:
    long = "a1b2c3d4" * 8
    assert short_id(long) == "a1b2c3d4a1b2c3d4a…b2c3d4" and len(short_id(long)) == 24
    assert short_id("u1") == "u1" and short_id(ODD) == ODD and short_id("") == ""
    copied = [found["data-copy"] for found, _ in Tree(client.get("/users/u1").text).all("button", class_="id")]
    assert copied == ["u1"]


def test_words_that_are_not_sure_are_marked_and_still_escaped() -> None:
    assert str(hedged("It is blue and may be <b>a mug</b>. It looks like a cup and is red.")) == (
        'It is blue and <mark class="unsure">may be &lt;b&gt;a mug&lt;/b&gt;</mark>.'
        ' It <mark class="unsure">looks like a cup</mark> and is red.'
    )
    assert str(hedged("可能是一个杯子，红色。")) == '<mark class="unsure">可能是一个杯子</mark>，红色。'
    assert str(hedged("plain <i>")) == "plain &lt;i&gt;"


def test_what_to_type_is_set_apart() -> None:
    assert str(with_command("Nothing <yet>: viral enrich D --x 1")) == (
        "Nothing &lt;yet&gt;: <code>viral enrich D --x 1</code>"
    )
    assert str(with_command("Nothing <yet>.")) == "Nothing &lt;yet&gt;."
