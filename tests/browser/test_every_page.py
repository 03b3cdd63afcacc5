"""What holds on every page: it loads without a fault, it can be used by everybody, and it fits a telephone."""

import polars as pl
import pytest

from browser.planted import HOSTILE
from viral.data.catalog import ITEMS_FILE

pytestmark = pytest.mark.slow
TURNING = dict.fromkeys(map(ord, "\u202e\u2066"))  # what would turn the rest of the page around is left out
INLINE = "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
PAGES = {
    "home": "/",
    "home, in Chinese": "/?lang=zh",
    "gallery": "/gallery",
    "nothing found": "/gallery?q=zzzzzz",
    "users": "/users",
    "user": "/users/{user}",
    "item": "/items/{item}",
    "hostile item": "/items/{hostile}",
    "new": "/new",
    "map": "/map",
    "experiments": "/experiments",
    "comparison": "/experiments/study/comparison",
    "ablation": "/experiments/study/ablation",
    "run": "/experiments/study/lightgcn",
    "doctor": "/doctor",
    "login": "/login",
}


@pytest.fixture(scope="module")
def places(planted) -> dict[str, str]:
    """The pages' addresses."""
    ids = pl.read_parquet(planted.dataset / ITEMS_FILE)["item_id"].to_list()
    users = pl.read_parquet(planted.dataset / "interactions.parquet")["user_id"]
    known = {"user": users[0], "item": ids[9], "hostile": ids[3]}
    return {name: path.format_map(known) for name, path in PAGES.items()}


def settled(watch, path: str):
    """The page, when what it loads later has come."""
    page = watch.go(path)
    if path.startswith("/map"):
        page.locator("#map[data-ready]").wait_for()
    if path.startswith("/?") or path == "/":
        page.locator("#data-health .dot").wait_for()
    if path == "/doctor":
        page.locator("#examination .facts").wait_for()
    return page


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_can_be_used_by_everybody_in_light_in_dark_and_on_a_telephone(watch, places, name: str) -> None:
    page = settled(watch, places[name])
    assert page.locator("h1").count() == 1 and page.title().endswith("VIRAL")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert watch.audit() == [], scheme
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(100)
    assert watch.overflow() <= 0


def test_the_policy_is_in_force(watch) -> None:
    """The watch must be able to see a violation at all."""
    page = watch.go("/gallery")
    page.evaluate(INLINE)
    page.wait_for_timeout(100)
    assert any("policy: script-src" in fault for fault in watch.faults)
    assert page.evaluate("window.ran") is None
    watch.expect("policy: script-src", "Content Security Policy")


def test_an_unknown_page_is_told_of_in_words(watch) -> None:
    watch.expect("404")
    page = watch.go("/items/none")
    assert page.get_by_role("main").inner_text().strip()
    assert watch.audit() == []


def test_a_hostile_title_is_text_and_nothing_else(watch, planted) -> None:
    ids = pl.read_parquet(planted.dataset / ITEMS_FILE)["item_id"].to_list()
    for item, title in zip(ids, HOSTILE, strict=False):
        page = watch.go(f"/items/{item}")
        shown, meant = page.locator("h1").inner_text(), " ".join(title.translate(TURNING).split())
        assert shown[:200] == meant[:200].strip()
        assert page.title() != "owned"
    page = watch.go("/gallery")
    assert page.get_by_test_id("card").filter(has_text="<script>document.title").count() == 1
    assert page.locator("main script, main [onerror], main [onload]").count() == 0
    assert page.title() == "Gallery · VIRAL"
