"""The map, the experiments and the doctor, under a pointer and a keyboard."""

import re
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.slow
# The drawing buffer is gone after a frame is shown, so the picture is taken of the screen: how many colours it has.
COLOURS = """async (data) => { const image = await createImageBitmap(await (await fetch(data)).blob());
  const paint = new OffscreenCanvas(image.width, image.height).getContext("2d"); paint.drawImage(image, 0, 0);
  return new Set(new Uint32Array(paint.getImageData(0, 0, image.width, image.height).data.buffer)).size; }"""


def ready(watch, path: str = "/map"):
    page = watch.go(path)
    page.locator("#map[data-ready]").wait_for()
    page.locator("#map-canvas[data-drawn]").wait_for()
    return page


def drawn(page) -> bytes:
    """What the map's canvas looks like."""
    return page.locator("#map-canvas").screenshot()


def points(page) -> Iterator[tuple[float, float]]:
    """Where on the canvas a point answers the pointer, which is left there."""
    box = page.locator("#map-canvas").bounding_box()
    assert box is not None
    step, found = 26, False
    for row in range(1, int(box["height"]) // step):
        for column in range(1, int(box["width"]) // step):
            x, y = box["x"] + column * step, box["y"] + row * step
            page.mouse.move(x, y)
            if page.locator("#map-canvas.on-point").count():
                found = True
                yield x, y
    assert found, "no point under the pointer anywhere"


def test_the_map_is_drawn_in_colours_that_can_be_changed(watch) -> None:
    page = ready(watch)
    by_category = drawn(page)
    names = page.locator("#map-groups button").all_inner_texts()
    assert page.locator("#map-fault").is_hidden() and names
    choices = page.get_by_role("group", name="Colour by").get_by_role("radio")
    assert choices.count() >= 2
    choices.nth(1).check(force=True)
    wanted = choices.nth(1).get_attribute("value")
    page.locator(f"#map[data-colour='{wanted}']").wait_for()
    assert f"colour={wanted}" in page.url
    page.wait_for_timeout(200)
    assert page.locator("#map-groups button").all_inner_texts() != names
    assert drawn(page) != by_category


def test_one_group_of_the_map_can_be_seen_alone(watch) -> None:
    page = ready(watch)
    before = drawn(page)
    page.locator("#map-groups button").first.click()
    page.wait_for_timeout(200)
    assert page.locator("#map-groups button").first.get_attribute("aria-pressed") == "true"
    assert drawn(page) != before
    assert watch.audit() == []


def test_a_pointer_on_a_point_shows_its_item_and_a_click_opens_it(watch) -> None:
    page = ready(watch)
    x, y = next(points(page))
    page.locator("#map-card").wait_for()
    title, link = page.locator("#map-card-title").inner_text(), page.locator("#map-card-link").get_attribute("href")
    assert title and watch.audit_both() == []
    page.mouse.click(x, y)
    page.wait_for_url(f"**{link}")
    assert page.locator("h1").inner_text()[:20] == title[:20]


def test_a_pointer_on_a_point_shows_its_picture(watch, planted) -> None:
    page = ready(watch)
    for _ in points(page):
        page.locator("#map-card").wait_for()
        page.wait_for_timeout(300)  # it may still be the last one's
        link = page.locator("#map-card-link").get_attribute("href")
        if not link.endswith(f"/{planted.lost}"):
            break
    shown = page.locator("#map-card-picture")
    shown.wait_for()
    assert shown.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 100
    assert f"/pictures/{link.rsplit('/', 1)[1]}?" in shown.get_attribute("src")


def test_the_map_answers_the_keyboard(watch) -> None:
    page = ready(watch)
    page.locator("#map-canvas").focus()
    assert watch.focus_shows()
    page.keyboard.press("ArrowRight")
    page.locator("#map-card").wait_for()
    first = page.locator("#map-live").inner_text()
    assert page.locator("#map-card-title").inner_text()[:20] in first
    before = drawn(page)
    page.keyboard.press("+")
    page.wait_for_timeout(200)
    assert drawn(page) != before
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/**")


def test_the_map_as_a_table_has_every_item_and_its_group(watch) -> None:
    page = watch.go("/map")
    table = page.get_by_role("region", name="The same as a table").get_by_role("row")
    assert table.count() == 1 + 28
    group = page.locator("section ul.pills a").nth(1)
    wanted = int(group.locator(".count").inner_text())
    group.click()
    page.wait_for_url(re.compile("group="))
    assert table.count() == 1 + wanted
    table.nth(1).get_by_role("link").click()
    page.wait_for_url("**/items/**")


def test_without_webgl_the_map_says_so_and_the_table_is_there(watch) -> None:
    watch.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = watch.go("/map")
    assert "no WebGL" in page.get_by_role("alert").inner_text()
    assert page.locator("#map").is_hidden() and page.locator("table tbody tr").count() == 28
    assert watch.audit() == []


def test_a_study_is_found_and_two_of_its_rows_are_compared(watch) -> None:
    page = watch.go("/experiments")
    page.get_by_role("link", name="comparison").first.click()
    page.wait_for_url("**/experiments/study/comparison")
    board = page.locator("main table").first.inner_text()
    assert all(name in board for name in ("popularity", "lightgcn", "viral"))
    assert page.locator("main svg").count() > 0
    page = watch.go("/experiments")
    page.get_by_label("First").select_option("comparison/popularity")
    page.get_by_label("Second").select_option("comparison/viral")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/experiments/compare?**")
    page.get_by_role("heading", name="Who gains and who loses most").wait_for()
    text = page.get_by_role("main").inner_text()
    assert "comparison/popularity" in text and "comparison/viral" in text and "model" in text
    assert "config.crossmodal_dim" in text  # which popularity has not
    assert watch.audit_both() == [] and watch.overflow() <= 0


def test_the_list_of_experiments_is_sorted_by_the_keyboard(watch) -> None:
    page = watch.go("/experiments")
    head = page.get_by_role("columnheader", name="Name")
    assert head.get_attribute("aria-sort") == "none"
    head.get_by_role("link").focus()
    assert watch.focus_shows()
    page.keyboard.press("Enter")
    page.wait_for_url("**sort=name**")
    assert page.get_by_role("columnheader", name="Name").get_attribute("aria-sort") == "ascending"
    names = page.locator("table.sorted tbody th").all_inner_texts()
    assert names == sorted(names, key=str.casefold) and len(names) > 2
    assert watch.audit_both() == [] and watch.overflow() <= 0


def test_a_studys_table_is_sorted_by_a_column(watch) -> None:
    page = watch.go("/experiments/study/comparison")
    table = page.locator("table.ranking")
    head = table.get_by_role("columnheader", name="recall@20")
    head.get_by_role("button").focus()
    for state, step in (("descending", -1), ("ascending", 1)):
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == state
        cells = table.locator("tbody tr td:nth-child(3) > span:first-child").all_inner_texts()
        assert len(cells) > 2 and [float(cell) for cell in cells] == sorted(map(float, cells), key=lambda v: step * v)
    assert table.get_by_role("columnheader", name="Model").get_attribute("aria-sort") == "none"
    assert watch.audit_both() == [] and watch.overflow() <= 0


def test_a_run_is_compared_with_a_row_of_a_study(watch) -> None:
    page = watch.go("/experiments/compare?a=lightgcn&b=comparison/viral")
    page.get_by_role("heading", name="Who gains and who loses most").wait_for()
    won = page.get_by_role("region", name="Won by the second").get_by_role("link")
    if won.count():
        won.first.click()
        page.wait_for_url("**/users/**")
        assert page.locator("#recommended").count() == 1


def test_the_doctor_tells_of_the_picture_that_is_lost_and_leads_to_its_item(watch) -> None:
    page = watch.go("/doctor")
    page.locator("#examination .facts").wait_for()
    finding = page.locator(".finding", has_text="picture").first
    assert finding.locator(".severity").inner_text()
    finding.get_by_role("link").first.click()
    page.wait_for_url("**/items/**")
    assert page.locator("h1").count() == 1


def test_the_doctor_lists_descriptions_by_status(watch) -> None:
    page = watch.go("/doctor")
    page.get_by_role("region", name="Descriptions by status").get_by_role("link", name=re.compile("^done")).click()
    page.wait_for_url(re.compile("status=done"))
    rows = page.get_by_role("region", name="Items: done").get_by_role("row")
    assert rows.count() > 20
    assert watch.audit() == []
