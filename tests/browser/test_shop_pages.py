"""The shop's pages under a pointer and a keyboard: find, edit, lock, ask why, compare, and try a picture."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
LOCKED = "by hand, locked"
FOUND = """word => { const cards = [...document.querySelectorAll("[data-testid=card]")];
  return cards.length < 28 && cards.some((card) => card.innerText.toLowerCase().includes(word)); }"""


def count(text: str) -> int:
    """The first number in a text."""
    found = re.search(r"[\d,]+", text)
    assert found is not None, text
    return int(found[0].replace(",", ""))


def test_the_gallery_finds_and_filters_without_leaving_the_page(watch) -> None:
    page = watch.go("/gallery")
    cards = page.get_by_test_id("card")
    assert cards.count() == 28
    page.evaluate("window.same = true")
    word = cards.nth(12).locator(".name").inner_text().split()[0]
    page.get_by_role("searchbox").press_sequentially(word)
    page.wait_for_url(re.compile(f"q={word}"))
    page.wait_for_function(FOUND, arg=word.lower())
    page.get_by_role("searchbox").fill("")
    page.wait_for_function("() => document.querySelectorAll('[data-testid=card]').length === 28")
    category = page.get_by_label("Category")
    choice = category.locator("option").nth(1)
    wanted, value = count(choice.inner_text().rsplit("(", 1)[1]), choice.get_attribute("value")
    category.select_option(value)
    page.wait_for_function("wanted => document.querySelectorAll('[data-testid=card]').length === wanted", arg=wanted)
    assert all(text == value for text in page.get_by_test_id("card").locator(".kind").all_inner_texts())
    assert page.evaluate("window.same") is True
    page.go_back()
    page.wait_for_function("() => document.querySelectorAll('[data-testid=card]').length === 28")


def test_a_description_is_edited_locked_and_given_back(watch) -> None:
    page = watch.go("/gallery")
    card = page.get_by_test_id("card").nth(8)
    before = card.locator(".words").inner_text()
    card.get_by_role("link", name="Edit the description").click()
    box = card.get_by_role("textbox", name="Description of the picture")
    box.wait_for()
    assert watch.audit_both() == []
    box.fill("A heron <b>of</b> brass, by hand.")
    card.get_by_role("button", name="Save and lock").click()
    card.get_by_text(LOCKED).wait_for()
    assert card.locator(".words").inner_text() == "A heron <b>of</b> brass, by hand."
    assert card.get_by_role("button", name="Describe again").count() == 0
    page.reload()
    assert LOCKED in card.inner_text()
    card.get_by_role("button", name="Unlock").click()
    card.get_by_role("button", name="Describe again").wait_for()
    assert card.locator(".words").inner_text() == before


def test_an_edit_is_given_up_by_escape_and_refused_where_it_is_empty(watch) -> None:
    watch.expect("422")
    page = watch.go("/gallery")
    card = page.get_by_test_id("card").nth(9)
    before = card.locator(".words").inner_text()
    card.get_by_role("link", name="Edit the description").click()
    box = card.get_by_role("textbox", name="Description of the picture")
    box.fill("never mind")
    box.press("Escape")
    card.get_by_role("link", name="Edit the description").wait_for()
    assert card.locator(".words").inner_text() == before
    card.get_by_role("link", name="Edit the description").click()
    box.fill("   ")
    card.get_by_role("button", name="Save and lock").click()
    card.get_by_role("alert").wait_for()
    assert "word" in card.get_by_role("alert").inner_text()
    assert watch.audit_both() == []


def test_a_picture_is_described_again(watch) -> None:
    page = watch.go("/gallery")
    card = page.get_by_test_id("card").nth(10)
    before = card.locator(".words").inner_text()
    card.get_by_role("button", name="Describe again").click()
    card.get_by_role("status").wait_for()
    assert "The same words again" in card.get_by_role("status").inner_text()
    assert card.locator(".words").inner_text() == before


def test_from_the_users_to_why(watch) -> None:
    page = watch.go("/users")
    assert page.locator(".person").count() > 20
    page.locator(".person").nth(1).click()
    page.locator("#recommended").wait_for()
    things = page.get_by_test_id("recommendation")
    assert things.count() >= 5
    title = things.nth(2).locator(".name").inner_text()
    things.nth(2).get_by_role("link", name="Why?").click()
    drawer = page.get_by_role("dialog")
    drawer.locator(".because").wait_for()
    assert drawer.locator(".because").inner_text().endswith(".")
    assert drawer.get_by_text("Number 3 for user").is_visible()
    drawer.get_by_text("Details").click()
    drawer.get_by_role("heading", name="What the score is made of").wait_for()
    assert drawer.get_by_role("heading", level=2).inner_text()[:40] == title[:40]
    amounts = [
        text.replace("\u2212", "-")
        for text in drawer.locator(".sum").first.locator("tr td:last-child").all_inner_texts()
    ]
    *parts, total = [float(text) for text in amounts if text.strip()]
    assert abs(sum(parts) - total) < 0.0006 * (len(parts) + 1)
    assert watch.audit_both() == []
    drawer.get_by_role("link", name="Leave out each word once").click()
    drawer.locator("#words .cloud li, #words .note").first.wait_for()
    assert watch.audit_both() == []
    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")
    assert page.get_by_label("Variety").is_visible()


def test_recommendations_follow_the_category(watch) -> None:
    page = watch.go("/users")
    page.locator(".person").first.click()
    choice = page.get_by_label("Only from")
    value = choice.locator("option").nth(1).get_attribute("value")
    choice.select_option(value)
    page.wait_for_url(re.compile("category="))
    kinds = page.get_by_test_id("recommendation").locator(".kind")
    page.wait_for_function(
        "value => [...document.querySelectorAll('#recommended .kind')].every((one) => one.textContent === value)",
        arg=value,
    )
    assert all(text == value for text in kinds.all_inner_texts())


def test_an_item_shows_what_is_like_it_in_each_way_and_who_would_want_it(watch) -> None:
    page = watch.go("/gallery")
    page.get_by_test_id("card").nth(11).locator("a.cover").click()
    page.locator("#neighbours").wait_for()
    assert page.get_by_test_id("alike").count() > 0 and page.locator(".person").count() > 0
    assert page.locator("article .shot img").evaluate("(image) => image.complete && image.naturalWidth > 0")
    ways = page.get_by_role("group", name="Alike in what").get_by_role("link")
    assert ways.count() >= 2
    told = ways.nth(1).inner_text()
    ways.nth(1).click()
    page.wait_for_function("told => document.querySelector('#neighbours [aria-current]')?.innerText === told", arg=told)
    assert page.get_by_test_id("alike").count() > 0


def test_a_picture_that_is_not_in_the_shop_finds_its_place(watch, planted) -> None:
    picture = sorted((planted.dataset / "images").rglob("*.*"))[-1]
    page = watch.go("/new")
    page.locator("input[type=file]").set_input_files(picture)
    assert picture.name in page.locator("[data-chosen]").inner_text()
    page.get_by_role("img", name="The chosen picture").wait_for()  # it has no size before it is decoded
    page.get_by_label("Title").fill("Brass heron <i>lamp</i>")
    page.get_by_role("button", name="See where it lands").click()
    result = page.locator("#result")
    result.get_by_role("heading", name="Alike").wait_for(timeout=90_000)
    assert result.get_by_role("heading", level=2).first.inner_text() == "Brass heron <i>lamp</i>"
    assert result.locator(".person").count() > 0 and result.locator("[data-testid=alike]:visible").count() > 0
    tabs = result.get_by_role("tab")
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    assert tabs.nth(1).get_attribute("aria-selected") == "true" and tabs.nth(1).evaluate(
        "(tab) => document.activeElement === tab && !document.getElementById(tab.getAttribute('aria-controls')).hidden"
    )
    assert watch.audit_both() == []


def test_a_file_that_is_no_picture_is_refused_in_words(watch, tmp_path: Path) -> None:
    watch.expect("415")
    file = tmp_path / "heron.png"
    file.write_text("this is not a picture")
    page = watch.go("/new")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_label("Title").fill("Heron")
    page.get_by_role("button", name="See where it lands").click()
    told = page.locator("#result [role=alert], #toasts p").first
    told.wait_for()
    assert "picture" in told.inner_text().lower() or "image" in told.inner_text().lower()
    page.get_by_role("button", name="See where it lands", disabled=False).wait_for()
    page.wait_for_timeout(200)
    assert watch.audit() == []


def test_a_request_that_is_not_understood_is_told_by_its_field(watch) -> None:
    watch.expect("422")
    page = watch.go("/gallery")
    page.get_by_test_id("card").nth(3).locator("a.cover").click()
    edit = page.get_by_role("link", name=re.compile("Edit"))
    edit.evaluate("(link) => link.setAttribute('data-hx-get', '/description?item=x&edit=perhaps')")
    edit.click()
    told = page.locator("#toasts p")
    told.wait_for()
    assert "query.edit: " in told.inner_text() and "valid boolean" in told.inner_text()


def test_who_chose_an_item_is_a_strip_that_leads_to_them(watch) -> None:
    page = watch.go("/gallery?sort=taken")
    page.get_by_test_id("card").first.locator("a.cover").click()
    strip = page.get_by_role("list", name="Who chose it")
    strip.wait_for()
    name = strip.locator(".person bdi").first.inner_text()
    assert strip.locator(".person").count() > 1 and watch.audit() == [] and watch.overflow() <= 0
    title = page.locator("h1").inner_text()
    strip.locator(".person").first.click()
    page.locator("#history").wait_for()
    assert page.locator("h1 bdi").inner_text() == name
    names = page.locator("#history .name").all_inner_texts()
    assert any(one.rstrip("…")[:20] == title[:20] for one in names)
