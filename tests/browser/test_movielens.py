"""Every page over real films: posters are seen and not only linked, and a film that is not in the catalogue is tried.

The films lie beside the repository and are never copied into it; without them these tests are skipped.
"""

import re
from collections.abc import Iterator

import pytest

from browser.conftest import served
from browser.films import SOURCE, make_films, unknown_poster
from browser.planted import Planted
from viral.data.dataset import Dataset

pytestmark = pytest.mark.slow
# Of every picture in the window what it is, its size, and how many colours it has, drawn small: one that is cut off has
# a size and nothing in it. A picture beyond the window may be lazy, and is none of these.
SEEN = """() => Promise.all([...document.images].filter((one) => { const box = one.getBoundingClientRect();
    return one.src && one.checkVisibility() && box.width && box.bottom > 0 && box.top < innerHeight && box.right > 0
      && box.left < innerWidth; }).map(async (one) => {
  await Promise.race([one.decode().catch(() => null), new Promise((over) => setTimeout(over, 20000))]);
  const paint = new OffscreenCanvas(16, 16).getContext("2d");
  if (one.naturalWidth) paint.drawImage(one, 0, 0, 16, 16);
  const colours = new Set(new Uint32Array(paint.getImageData(0, 0, 16, 16).data.buffer)).size;
  return [one.getAttribute("src"), one.naturalWidth, one.naturalHeight, colours]; }))"""
PLACES = {
    "home": ("/", 0),
    "gallery": ("/gallery", 4),
    "search": ("/gallery?q=star", 4),
    "users": ("/users", 20),
    "user": ("/users/{user}", 8),
    "item": ("/items/{item}", 1),
    "why": ("/why?user={user}&item={item}", 2),
    "new": ("/new", 0),
    "map": ("/map", 0),
    "experiments": ("/experiments", 0),
    "study": ("/experiments/study/comparison", 0),
    "doctor": ("/doctor", 0),
}  # where it is, and how many posters are in the window at least


@pytest.fixture(scope="module")
def planted(chromium, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """The films in the place of the planted shop; the browser comes first, since without it they are of no use."""
    if not SOURCE.is_dir():
        pytest.skip("movielens-posters: real data not here")
    return make_films(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module")
def site(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the films."""
    with served(planted, tmp_path_factory.mktemp("served-films") / "log") as address:
        yield address


@pytest.fixture(scope="module")
def films(planted: Planted) -> Dataset:
    """The data set."""
    return Dataset.open(planted.dataset)


@pytest.fixture(scope="module")
def known(films: Dataset) -> dict[str, str]:
    """Somebody, and a film."""
    return {"user": films.interactions()["user_id"][0], "item": films.catalog().ids[3]}


def posters(page, least: int) -> None:
    """So many pictures are in the window, each is there, and those of films are posters: higher than wide."""
    seen = page.evaluate(SEEN)
    assert len(seen) >= least, seen
    assert all(width > 0 and colours > 16 for _, width, _, colours in seen), seen
    assert all(height > width for address, width, height, _ in seen if address.startswith("/pictures/")), seen


@pytest.mark.parametrize("name", list(PLACES))
def test_a_page_of_films_is_whole_in_light_in_dark_and_on_a_telephone(watch, known, name: str) -> None:
    path, least = PLACES[name]
    page = watch.go(path.format_map(known))
    if name == "map":
        page.locator("#map[data-ready]").wait_for()
    if name == "doctor":
        page.locator("#examination .facts").wait_for()
    assert page.locator("h1").count() == 1
    posters(page, least)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert watch.audit() == [], scheme
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    posters(page, 0)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(100)
    assert watch.overflow() <= 0


def test_a_film_is_found_by_typing_and_its_page_shows_a_large_poster(watch, films: Dataset) -> None:
    title = max((item.title for item in films.catalog()), key=len)
    page = watch.go("/gallery")
    assert page.get_by_test_id("card").count() == 60
    page.get_by_role("searchbox").press_sequentially(title.rsplit(" (", 1)[0])
    page.wait_for_function("() => document.querySelectorAll('[data-testid=card]').length === 1")
    card = page.get_by_test_id("card")
    assert card.locator(".name").inner_text() == title
    posters(page, 1)
    card.locator("a.cover").click()
    page.locator("#neighbours").wait_for()
    assert page.locator("h1").inner_text() == title
    poster = page.get_by_role("img", name=f"Picture of {title[:80]}")
    assert poster.evaluate("(image) => image.decode().then(() => image.naturalWidth)") >= 180  # they are 185 wide
    assert page.get_by_test_id("alike").count() > 0
    page.get_by_test_id("alike").first.scroll_into_view_if_needed()
    posters(page, 4)


def test_the_second_page_and_a_genre_are_shown_with_their_posters(watch, films: Dataset) -> None:
    page = watch.go("/gallery")
    first = page.get_by_test_id("card").first.locator(".name").inner_text()
    page.get_by_role("navigation", name="Pages of the list").get_by_role("link", name="Page 2").click()
    page.wait_for_function("first => document.querySelector('[data-testid=card] .name').innerText !== first", arg=first)
    posters(page, 4)
    wanted = sum(item.category == "Comedy" for item in films.catalog())
    page.get_by_label("Category").select_option("Comedy")
    page.wait_for_function("wanted => document.querySelectorAll('[data-testid=card]').length === wanted", arg=wanted)
    assert set(page.get_by_test_id("card").locator(".kind").all_inner_texts()) == {"Comedy"}
    posters(page, 4)


def test_from_a_viewer_to_why_a_film_is_recommended(watch) -> None:
    page = watch.go("/users")
    page.locator(".person").nth(2).click()
    page.locator("#recommended").wait_for()
    thing = page.get_by_test_id("recommendation").nth(1)
    title = thing.locator(".name").inner_text()
    assert thing.locator(".parts svg rect").count() > 1
    thing.get_by_role("link", name="Why?").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("Details").click()
    drawer.get_by_role("heading", name="What the score is made of").wait_for()
    assert drawer.get_by_role("heading", level=2).inner_text()[:40] == title[:40]
    parts = drawer.locator(".sum").first.locator("tbody th").all_inner_texts()
    assert {"text", "synergy"} < set(parts)
    posters(page, 4)
    assert watch.audit() == []


def test_a_film_that_is_not_in_the_catalogue_finds_its_place_by_its_poster(watch, films: Dataset) -> None:
    page = watch.go("/new")
    page.locator("input[type=file]").set_input_files(unknown_poster(films.catalog().items))
    chosen = page.get_by_role("img", name="The chosen picture")
    width, height = chosen.evaluate("(image) => image.decode().then(() => [image.width, image.height])")
    assert 1.3 < height / width < 1.7  # as a poster is, and not drawn out to a square
    page.get_by_label("Title").fill("Space Rangers (1996)")
    page.get_by_role("button", name="See where it lands").click()
    result = page.locator("#result")
    result.get_by_role("heading", name="Alike").wait_for(timeout=120_000)
    assert result.locator(".reading").inner_text().strip()  # the model reads descriptions: it was described
    posters(page, 4)
    tried = page.get_by_role("img", name="The new item's picture")
    assert tried.evaluate("(image) => image.naturalHeight > image.naturalWidth && image.naturalWidth > 0")
    assert result.locator(".person").count() > 0 and result.locator("[data-testid=alike]:visible").count() > 0
    assert watch.audit() == []


def test_a_point_of_the_map_shows_its_poster_and_leads_to_the_film(watch) -> None:
    page = watch.go("/map")
    page.locator("#map[data-ready]").wait_for()
    assert page.locator("#map-fault").is_hidden()
    assert "Drama" in " ".join(page.locator("#map-groups button").all_inner_texts())
    page.locator("#map-canvas").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#map-card").wait_for()
    posters(page, 1)
    title = page.locator("#map-card-title").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/**")
    assert page.locator("h1").inner_text()[:20] == title[:20]


def test_the_study_of_the_films_is_read_and_the_doctor_counts_them(watch, films: Dataset) -> None:
    page = watch.go("/experiments")
    page.get_by_role("link", name="comparison").first.click()
    page.wait_for_url("**/experiments/study/comparison")
    board = page.locator("main table").first.inner_text()
    assert "popularity" in board and "viral" in board
    page = watch.go("/doctor")
    facts = page.locator("#examination .facts")
    facts.wait_for()
    counts = {re.sub(r"\W+", " ", name.lower()): number for name, number in pairs(facts)}
    assert counts["items"] == counts["images"] == len(films.catalog())
    described = page.get_by_role("region", name="Descriptions by status").get_by_role("link", name=re.compile("^done"))
    assert described.locator(".count").inner_text() == str(len(films.catalog()))


def pairs(facts) -> list[tuple[str, int]]:
    """The names of a list of facts, and their numbers."""
    names, numbers = facts.locator("dt").all_inner_texts(), facts.locator("dd").all_inner_texts()
    return [(name, int(number.replace(",", ""))) for name, number in zip(names, numbers, strict=True)]
