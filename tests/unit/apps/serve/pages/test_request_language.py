"""The language of the pages: who chooses it, that it is remembered, and that requests side by side keep their own."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from pages_world import Tree, opened, served
from viral.apps.serve import Settings
from viral.base.errors import UsageError

CHINESE = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}


def spoken(page: httpx.Response) -> str:
    return Tree(page.text).all("html")[0][0]["lang"]


def test_the_address_is_before_the_cookie_before_the_browser(client: TestClient) -> None:
    client.cookies.clear()
    assert spoken(client.get("/login")) == "en"
    assert spoken(client.get("/login", headers=CHINESE)) == "zh"
    assert spoken(client.get("/login", headers=CHINESE | {"cookie": "lang=en"})) == "en"
    assert spoken(client.get("/login?lang=zh", headers={"cookie": "lang=en"})) == "zh"
    client.cookies.clear()
    unknown = client.get("/login?lang=%22%3E", headers={"cookie": "lang=x; theme=dark"})
    assert spoken(unknown) == "en" and "set-cookie" not in unknown.headers


def test_what_the_address_asks_for_is_remembered_but_not_by_programs(client: TestClient) -> None:
    answer = client.get("/users?lang=zh")
    assert answer.headers["set-cookie"].startswith("lang=zh; Path=/")
    assert spoken(client.get("/users")) == "zh"
    client.cookies.clear()
    assert "set-cookie" not in client.get("/v1/health?lang=zh").headers


def test_the_servers_own_language_is_before_the_browsers(shop: Path) -> None:
    with opened(shop / "run", shop / "data", language="zh") as client:
        assert spoken(client.get("/login")) == "zh"
        assert spoken(client.get("/login?lang=en")) == "en"
    with pytest.raises(UsageError, match="no pages in 'fr'"):
        Settings(run=shop / "run", language="fr")


def test_the_switch_leads_to_the_same_page_in_the_other_language(client: TestClient) -> None:
    tree = Tree(client.get("/users?q=u&page=1").text)
    ((link, name),) = tree.all("a", hreflang="zh")
    assert (link["href"], link["lang"], name) == ("/users?q=u&page=1&lang=zh", "zh", "中文")
    elsewhere = client.get("http://localhost//else.example/x?a=b", headers={"accept": "text/html"})
    ((link, _),) = Tree(elsewhere.text).all("a", hreflang="zh")
    assert link["href"] == "/else.example/x?a=b&lang=zh"


def test_scripts_get_their_words_in_the_pages_language(client: TestClient) -> None:
    def words(language: str) -> dict[str, str]:
        return json.loads(Tree(client.get(f"/login?lang={language}").text).all("body")[0][0]["data-words"])

    english, chinese = words("en"), words("zh")
    client.cookies.clear()
    assert english.keys() == chinese.keys() and all(english[key] != chinese[key] for key in english)


def test_requests_side_by_side_and_in_other_threads_keep_their_own(shop: Path) -> None:
    async def task(client: httpx.AsyncClient) -> list[str]:
        places = ["/users", "/doctor/examination?whole=true", "/why/words?user=u1&item=i1"]
        asked = [client.get(place, headers=headers) for place in places * 2 for headers in (CHINESE, {})]
        return [spoken(answer) for answer in await asyncio.gather(*asked)]

    assert served(shop / "run", shop / "data", task, rate=10_000) == ["zh", "en"] * 6
