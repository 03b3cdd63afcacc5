"""On a Chinese page no English is left, but for the shop's own words, commands, and what says that it is English."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages_world import VOID, opened
from viral.enrich import all_descriptions

HTMX = {"hx-request": "true"}
SPOKEN = ("aria-label", "placeholder", "alt", "title")
FORMATS = frozenset({"jpeg", "png", "webp", "csv", "json", "html", "git", "lfs"})
NAMES = FORMATS | {
    "viral", "english", "recall", "ndcg", "api", "post", "feedback", "recommend", "pca", "sne", "enter", "shift",
}  # fmt: skip
PLACES = {
    "home": "/", "gallery": "/gallery", "nothing found": "/gallery?q=zzzz", "nothing edited": "/gallery?status=edited",
    "users": "/users", "nobody found": "/users?q=zzzz", "user": "/users/u1", "item": "/items/i0",
    "item without picture": "/items/a/b%20c%3Fd%23e%26f%3Dg%2Bh", "edit": "/description?item=i0&edit=true",
    "new": "/new", "doctor": "/doctor?status=done", "examination": "/doctor/examination?whole=true",
    "login": "/login", "no such item": "/items/none", "why": "/why?user=u1&item=i9",
    "words": "/why/words?user=u1&item=i9", "map": "/map", "experiments": "/experiments",
    "two trainings": "/experiments/compare", "run": "/experiments/study/run",
}  # fmt: skip


class Words(HTMLParser):
    """The Latin words that a reader meets, without what is the shop's or is marked as English."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._hidden: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        aside = tag in ("code", "bdi", "script", "style", "noscript") or given.get("lang") == "en"
        if tag not in VOID and (aside or self._hidden):
            self._hidden.append(tag)
        if not self._hidden or (aside and len(self._hidden) == 1 and given.get("lang") != "en"):
            self._note(*(given.get(name, "") for name in SPOKEN))

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag in self._hidden:
            while self._hidden.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._note(data)

    def _note(self, *texts: str) -> None:
        self.found += [word.lower() for text in texts for word in re.findall(r"[A-Za-z]{2,}", text)]


@pytest.fixture(scope="module")
def chinese(shop: Path) -> Iterator[TestClient]:
    with opened(shop / "run", shop / "data", language="zh", rate=10_000) as client:
        yield client


@pytest.fixture(scope="module")
def own(chinese: TestClient) -> frozenset[str]:
    """The words of the shop's data."""
    snapshot = chinese.app.state.live.current  # type: ignore[attr-defined]
    texts = [f"{item.id} {item.title} {item.text} {item.category}" for item in snapshot.catalog]
    texts += [row.text for one in all_descriptions(snapshot.dataset) for row in one.rows]
    texts += snapshot.bundle.users.ids
    texts += ["logging title"]  # who described them, and by which prompt
    return frozenset(word.lower() for text in texts for word in re.findall(r"[A-Za-z]{2,}", text))


@pytest.mark.parametrize("name", list(PLACES))
def test_a_page_is_chinese(chinese: TestClient, own: frozenset[str], name: str) -> None:
    answer = chinese.get(PLACES[name], headers={"accept": "text/html"})
    assert answer.status_code in (200, 404) and 'lang="zh"' in answer.text
    assert sorted(set(Words(answer.text).found) - own - NAMES) == []


@pytest.mark.parametrize("place", ["/apply", "/home/data", "/new/warm", "/description?item=i6", "/new/step/none"])
def test_a_part_of_a_page_is_chinese(chinese: TestClient, own: frozenset[str], place: str) -> None:
    page = chinese.get(place, headers=HTMX)
    assert page.status_code == 200 and sorted(set(Words(page.text).found) - own - NAMES) == []


def test_an_answer_to_a_form_is_chinese(chinese: TestClient, own: frozenset[str]) -> None:
    for form in ({"title": "Red mug"}, {"title": ""}, {"title": "x" * 2000}):
        page = chinese.post("/new", data=form, headers=HTMX)
        assert sorted(set(Words(page.text).found) - own - NAMES - {"x" * 2000}) == [], form


def test_english_words_are_found_where_they_are() -> None:
    page = '<p title="Copy it">Hello <bdi>Name</bdi> <span lang="en">left <b>out</b></span> all <code>viral</code></p>'
    assert Words(page).found == ["copy", "it", "hello", "all"]
