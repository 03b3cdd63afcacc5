"""Who may come in, what a reader may not do, and what holds the pages together: keys, focus and theme."""

import re

import pytest

pytestmark = pytest.mark.slow
NAMES = ["Home", "Gallery", "Users", "Try a new item", "Map", "Experiments", "Doctor"]


def log_in(watch, token: str):
    page = watch.page
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    return page


def test_a_wrong_token_is_refused_and_the_right_one_leads_back(opened, locked: str, tokens) -> None:
    watch = opened(locked)
    watch.expect("401")
    page = watch.go("/users?q=1")
    assert "/login" in page.url and page.locator("#token").evaluate("(field) => document.activeElement === field")
    log_in(watch, "viral_wrong")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "token" in alert.inner_text() and watch.audit() == []
    log_in(watch, tokens[1]["admin"])
    page.wait_for_url("**/users?q=1")
    watch.go("/gallery")
    assert page.get_by_role("link", name="Edit the description").count() > 0
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    watch.go("/gallery")
    assert "/login" in page.url


def test_a_reader_reads_and_changes_nothing(opened, locked: str, tokens) -> None:
    watch = opened(locked)
    watch.go("/login")
    page = log_in(watch, tokens[1]["read"])
    page.get_by_role("heading", name="It is working").wait_for()
    watch.go("/gallery")
    assert page.get_by_test_id("card").count() == 28
    assert page.get_by_role("link", name="Edit the description").count() == 0
    assert page.get_by_role("button", name="Describe again").count() == 0
    link = page.get_by_test_id("card").nth(7).locator("a.cover").get_attribute("href")
    form = {"item": link.rsplit("/", 1)[1], "text": "by a reader"}
    assert page.request.post("/description", form=form).status == 403
    assert "by a reader" not in page.request.get(link).text()


def test_another_sites_page_changes_nothing(watch) -> None:
    page = watch.go("/gallery")
    link = page.get_by_test_id("card").nth(7).locator("a.cover").get_attribute("href")
    form = {"item": link.rsplit("/", 1)[1], "text": "from elsewhere"}
    answer = page.request.post("/description", form=form, headers={"Origin": "http://elsewhere.example"})
    assert answer.status == 403 and "from elsewhere" not in page.request.get(link).text()


def test_the_theme_is_switched_and_stays(opened, site: str) -> None:
    watch = opened(site, color_scheme="light")
    page = watch.go("/gallery")
    colour = "getComputedStyle(document.body).backgroundColor"
    light, button = page.evaluate(colour), page.get_by_role("button", name="Dark theme")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    page.wait_for_function(f"light => {colour} !== light", arg=light)
    page.wait_for_timeout(100)  # colours fade
    dark = page.evaluate(colour)
    for path in ("/users", "/map", "/doctor"):
        watch.go(path)
        assert page.evaluate(colour) == dark
    page.get_by_role("button", name="Dark theme").press("Enter")
    page.wait_for_function(f"light => {colour} === light", arg=light)


def test_a_walk_by_keyboard_from_the_skip_link_through_the_navigation(watch) -> None:
    page = watch.go("/gallery")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="To the content")
    assert watch.focused().inner_text() == "To the content" and watch.focus_shows()
    box = skip.bounding_box()
    assert box is not None and box["x"] >= 0 and box["y"] >= 0
    page.keyboard.press("Tab")
    seen = []
    for _ in NAMES:
        page.keyboard.press("Tab")
        seen.append(watch.focused().inner_text())
        assert watch.focus_shows(), seen
    assert seen == NAMES
    page.keyboard.press("Enter")
    page.wait_for_url("**/doctor")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_slash_leads_to_the_search_and_every_stop_of_the_gallery_is_seen(watch) -> None:
    page = watch.go("/gallery")
    page.keyboard.press("/")
    assert watch.focused().get_attribute("type") == "search"
    for _ in range(14):
        page.keyboard.press("Tab")
        assert watch.focus_shows(), watch.focused().evaluate("(element) => element.outerHTML.slice(0, 200)")
    assert re.search("card", watch.focused().evaluate("(element) => element.closest('li')?.className ?? ''"))
