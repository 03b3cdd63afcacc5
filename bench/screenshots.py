"""``python -m bench.screenshots RUN``: serve a run, open its pages in Chromium, and keep a picture of each.

Writes ``serve-PAGE-light.webp`` and ``-dark`` into ``--out``, each below 100 kB; the pages are home, home in Chinese,
gallery, users, user, why, item, new, map, experiments (a leaderboard), ablation, compare and doctor. A picture is of
the window; that of ablation goes on to the end of the matrix, that of compare to the end of who gains and who loses.
The run's data set should be one whose pictures may be shown, as those of ``viral demo`` are. Prints the files with
their sizes as one JSON document.
"""

import argparse
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from bench.browser import browser, options, served
from viral.base.files import atomic_write
from viral.lab.study.ablation.variants import FULL, TEXT_ONLY

WIDTH, HEIGHT = 1280, 860
LIMIT = 100_000  # bytes
PATIENCE = 120_000  # milliseconds; a new item loads the models
THEMES = ("light", "dark")
# A promise, because waiting for a function takes eval, which the pages' policy forbids. A picture outside the window,
# as in a strip to the right, may be lazy: it would never be decoded, and the promise would never be kept.
SEEN = """Promise.all([...document.images].filter(one => {
    const box = one.getBoundingClientRect();
    return one.src && one.checkVisibility() && box.width && box.bottom > 0 && box.top < innerHeight
        && box.right > 0 && box.left < innerWidth;
}).map(one => one.decode().catch(() => null)))"""


def _home(page: Any, _: Path | None) -> None:
    page.goto("/")
    page.wait_for_selector("#data-health .dot", timeout=PATIENCE)


def _home_zh(page: Any, _: Path | None) -> None:
    page.goto("/?lang=zh")
    page.wait_for_selector("#data-health .dot", timeout=PATIENCE)
    page.context.clear_cookies()  # the other pages are English


def _gallery(page: Any, _: Path | None) -> None:
    page.goto("/gallery")


def _users(page: Any, _: Path | None) -> None:
    page.goto("/users")


def _user(page: Any, _: Path | None) -> None:
    page.goto("/users")
    page.locator("main a[href^='/users/']").first.click()
    page.wait_for_url("**/users/*")


def _why(page: Any, _: Path | None) -> None:
    _user(page, None)
    page.locator("[data-testid=recommendation] a.button").first.click()
    page.wait_for_selector("#drawer[open] article")


def _item(page: Any, _: Path | None) -> None:
    _user(page, None)
    page.goto(page.locator("[data-testid=recommendation] a.cover").nth(1).get_attribute("href"))


def _new(page: Any, picture: Path | None) -> None:
    page.goto("/new")
    page.locator("input[name=title]").fill("A thing that is not in the shop yet")
    if picture is not None:
        page.locator("input[name=picture]").set_input_files(picture)
    page.locator("form button.primary").click()
    page.wait_for_selector("#result article, #result section", timeout=PATIENCE)


def _map(page: Any, _: Path | None) -> None:
    page.goto("/map")
    page.wait_for_selector("#map[data-ready]", timeout=PATIENCE)
    page.locator("#map-canvas").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#map-card:not([hidden])")
    page.evaluate("scrollTo(0, 0)")


def _study(page: Any, kind: str) -> None:
    """The first study of that kind; the list of all where there is none."""
    page.goto("/experiments")
    studies = page.locator("tr", has_text=kind).locator("a")
    if studies.count():
        page.goto(studies.first.get_attribute("href"))


def _experiments(page: Any, _: Path | None) -> None:
    _study(page, "Comparison")


def _ablation(page: Any, _: Path | None) -> None:
    _study(page, "Ablation")


def _compare(page: Any, _: Path | None) -> None:
    """The full model of an ablation against one of its other rows, or else the first two trainings of the list."""
    page.goto("/experiments")
    found = page.locator("#compare-a option").evaluate_all("options => options.map(one => one.value)")
    if len(found) < 2:
        return
    full = next((key for key in found if key.endswith(f"/{FULL}")), found[0])
    beside = [key for key in found if key != full and key.endswith(f"/{TEXT_ONLY}")] or [k for k in found if k != full]
    page.locator("#compare-a").select_option(full)
    page.locator("#compare-b").select_option(beside[0])
    page.locator(".compare-form button").click()
    page.wait_for_selector("#users-heading", timeout=PATIENCE)


def _doctor(page: Any, _: Path | None) -> None:
    page.goto("/doctor")
    page.wait_for_selector("#examination .facts", timeout=PATIENCE)


PAGES: dict[str, Callable[[Any, Path | None], None]] = {
    "home": _home, "home-zh": _home_zh, "gallery": _gallery, "users": _users, "user": _user, "why": _why,
    "item": _item, "new": _new, "map": _map, "experiments": _experiments, "ablation": _ablation, "compare": _compare,
    "doctor": _doctor,
}  # fmt: skip
ENDS = {"ablation": "#section-1", "compare": "main .section:last-child"}  # where a picture longer than the window ends


def shot_of(page: Any, name: str) -> bytes:
    """The window, or the page down to the element that it ends with, where that is there."""
    last = page.locator(ENDS.get(name, "none")).last
    if not last.count():
        return bytes(page.screenshot())
    box = last.bounding_box()
    height = max(HEIGHT, box["y"] + box["height"] + 40)
    return bytes(page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height}))


def small(shot: bytes) -> bytes:
    """The picture as WebP, as good as fits below the limit."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    for quality in range(90, 20, -10):
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() < LIMIT:
            break
    return buffer.getvalue()


def settled(page: Any) -> None:
    """Wait until every picture in view is there and nothing moves."""
    page.wait_for_load_state("networkidle")
    page.evaluate(SEEN)
    page.wait_for_timeout(400)


def main() -> None:
    """Take all pictures and print what was written."""
    parser = argparse.ArgumentParser(prog="python -m bench.screenshots", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--experiments", type=Path, action="append", default=[])
    parser.add_argument("--picture", type=Path, help="of the new item (default: none, a title alone)")
    parser.add_argument("--pages", nargs="+", choices=list(PAGES), default=list(PAGES))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    written: dict[str, int] = {}
    with served(arguments.run, *options(arguments.dataset, arguments.experiments)) as address, browser() as chromium:
        for theme in THEMES:
            context = chromium.new_context(
                base_url=address,
                color_scheme=theme,
                viewport={"width": WIDTH, "height": HEIGHT},
                reduced_motion="reduce",
            )
            page = context.new_page()
            for name in arguments.pages:
                PAGES[name](page, arguments.picture)
                settled(page)
                shot = small(shot_of(page, name))
                file = arguments.out / f"serve-{name}-{theme}.webp"
                with atomic_write(file) as temporary:
                    temporary.write_bytes(shot)
                written[file.name] = len(shot)
            context.close()
    print(json.dumps(written, indent=1))


if __name__ == "__main__":
    main()
