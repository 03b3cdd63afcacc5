"""Every page of shops at the ends of what there is fits its window, on a desk and on a telephone, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from browser.conftest import served
from browser.planted import Planted
from viral.apps.serve.pages.rendering import quoted
from wide_worlds import WORLDS, make_world

pytestmark = pytest.mark.slow
PAGES = (
    "/", "/gallery", "/gallery?q=zzzz", "/users", "/users/{user}", "/items/{item}", "/why?user={user}&item={other}",
    "/new", "/map", "/experiments", "/doctor",
)  # fmt: skip
WINDOWS = ((1280, "light", "en-GB"), (1280, "dark", "zh-CN"), (390, "dark", "en-GB"), (390, "light", "zh-CN"))
# Words that run down a line by letter: a text of some length in a box that is narrower than three of them.
THIN = """() => [...document.querySelectorAll('main *')].filter((one) => one.checkVisibility()
  && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim().length > 3)
  && !one.closest('svg, .unseen, noscript, [aria-hidden=true]')).filter((one) => {
    const range = document.createRange(); range.selectNodeContents(one);
    const box = range.getBoundingClientRect(); return box.width < 22 && box.height > 40;
  }).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def planted() -> Planted:
    """None is needed; the windows ask for one."""
    return Planted(Path(), Path(), "none", ())


@pytest.fixture(scope="module", params=list(WORLDS))
def world(request: pytest.FixtureRequest, chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    """The address of a server of such a shop, and addresses of its pages."""
    folder: Path = tmp_path_factory.mktemp("wide")
    data, run = make_world(folder, WORLDS[request.param])
    items = pl.read_parquet(data / "items.parquet")["item_id"].to_list()
    user = pl.read_parquet(data / "interactions.parquet")["user_id"][0]
    known = {"user": quoted(user), "item": quoted(items[0]), "other": quoted(items[min(7, len(items) - 1)])}
    with served(Planted(data, run, "none", ()), folder / "log") as address:
        yield address, [page.format_map(known) for page in PAGES]


@pytest.mark.parametrize(("width", "scheme", "locale"), WINDOWS)
def test_every_page_fits(opened, world, width: int, scheme: str, locale: str) -> None:
    address, pages = world
    watch = opened(address, width=width, color_scheme=scheme, locale=locale)
    for path in pages:
        page = watch.go(path)
        assert watch.overflow() <= 0, path
        assert page.evaluate(THIN) == [], path
        assert page.locator("html").get_attribute("lang") == locale[:2]
