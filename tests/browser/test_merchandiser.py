"""A merchandiser's morning: is it working, why is this shown, words put right and applied, a new product tried."""

from collections.abc import Iterator

import pytest

from browser.conftest import served
from browser.planted import Planted, plant_shop

pytestmark = pytest.mark.slow
APPLIED = 900_000  # milliseconds for an update on a machine that does other things


@pytest.fixture(scope="module")
def planted(chromium, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A shop of its own, whose model may change; the browser comes first, since without it the shop is of no use."""
    return plant_shop(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def site(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its server."""
    with served(planted, tmp_path_factory.mktemp("served-own") / "log") as address:
        yield address


def test_home_says_that_it_works_and_leads_on(watch) -> None:
    page = watch.go("/")
    page.get_by_role("heading", name="It is working").wait_for()
    page.locator("#data-health .dot").wait_for()
    assert watch.audit_both() == [] and page.locator(".tile").count() == 6
    for name, path in {"Check the data": "/doctor", "See what users get": "/users", "Try a new item": "/new"}.items():
        watch.go("/")
        page.get_by_role("main").get_by_role("link", name=name).click()
        page.wait_for_url(f"**{path}")


def test_from_home_to_why(watch) -> None:
    page = watch.go("/")
    page.get_by_role("main").get_by_role("link", name="See what users get").click()
    page.locator(".person").nth(1).click()
    page.get_by_test_id("recommendation").first.get_by_role("link", name="Why?").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("heading", level=2).wait_for()
    assert drawer.get_by_role("img").count() + drawer.locator("img").count() > 0


def test_the_language_is_switched_and_stays(opened, site: str) -> None:
    watch = opened(site, locale="en-GB")
    page = watch.go("/gallery")
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="中文").click()
    page.get_by_role("heading", name="商品").wait_for()
    watch.go("/users")
    assert page.locator("html").get_attribute("lang") == "zh" and page.get_by_role("heading", name="用户").count() == 1
    page.get_by_role("link", name="English").click()
    page.get_by_role("heading", name="Users").wait_for()
    chinese = opened(site, locale="zh-CN")
    assert chinese.go("/").locator("html").get_attribute("lang") == "zh" and chinese.audit_both() == []


def test_an_edit_is_counted_applied_and_read_by_the_model(watch) -> None:
    page = watch.go("/gallery")
    card = page.get_by_test_id("card").nth(8)
    card.get_by_role("link", name="Edit the description").click()
    card.get_by_role("textbox", name="Description of the picture").fill("A heron of brass, by hand.")
    card.get_by_role("button", name="Save and lock").click()
    page.locator("#apply .pending").wait_for()  # the counter looks again without a reload
    assert "1 edited description is not yet read by the model." in page.locator("#apply").inner_text()
    watch.go("/")
    assert "1 edited description" in page.locator("#apply").inner_text() and watch.audit_both() == []
    page.get_by_role("button", name="Apply the edits").click()
    page.locator("#apply .waiting").wait_for()
    page.locator("#apply").get_by_text("Applied on").wait_for(timeout=APPLIED)
    assert page.locator("#apply .pending").count() == 0 and "Recall@20" in page.locator("#apply").inner_text()
    watch.go("/")
    assert "before: " in page.get_by_role("region", name="Last training").inner_text()


def test_a_new_item_is_tried_once_the_models_are_warm(watch, planted: Planted) -> None:
    page = watch.go("/new")
    page.locator("#warm", has_text="warming up").wait_for(state="detached", timeout=APPLIED)
    picture = sorted((planted.dataset / "images").rglob("*.*"))[-1]
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_label("Title").fill("Brass heron lamp")
    page.get_by_role("button", name="See where it lands").click()
    page.locator("#result").get_by_role("heading", name="Who would want it").wait_for(timeout=90_000)
    assert watch.audit_both() == []


def test_a_long_id_is_copied_by_a_click(opened, site: str, planted: Planted) -> None:
    watch = opened(site, permissions=["clipboard-read", "clipboard-write"])
    page = watch.go("/users")
    page.locator(".person").first.click()
    button = page.locator("h1 button.id")
    wanted = button.get_attribute("data-copy")
    button.click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == wanted


def test_a_telephone_shows_every_place(opened, site: str) -> None:
    watch = opened(site, width=390)
    page = watch.go("/")
    links = page.get_by_role("navigation", name="Pages of the site").get_by_role("link")
    assert links.count() == 7
    for link in links.all():
        box = link.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
