"""What must hold on every page: text stays text, nothing inline, and who may do what."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages_world import HOSTILE, ODD, SCRIPT, Tree, opened
from viral.apps.serve.pages.rendering import HERE, STATIC, address, quoted
from viral.apps.serve.security.tokens import new_token

HTMX = {"hx-request": "true"}
PLACES = [
    "/", "/gallery", "/gallery?q=%3Cscript%3E", "/gallery?category=%3Cb%3Elamps%3C/b%3E&sort=taken", "/users",
    "/users?q=%22%3E%3Cscript%3E",
    "/users/u1", f"/users/{quoted(SCRIPT).replace('%2F', '/')}", "/items/i2", "/items/i3", "/items/i4", "/items/i5",
    f"/items/{quoted(ODD).replace('%2F', '/')}", "/why?user=u1&item=i3", "/why?user=u1&item=i5", "/new",
    "/description?item=i5&edit=true&whole=true", "/why/words?user=u1&item=i2", "/login",
    "/items/%3Cscript%3Ealert(1)%3C/script%3E",
]  # fmt: skip
URLS = {"href", "src", "action", "data-hx-get", "data-hx-post"}


@pytest.mark.parametrize("place", PLACES)
def test_a_page_is_whole_and_nothing_in_it_runs(client: TestClient, place: str) -> None:
    answer = client.get(place, headers={"accept": "text/html"})
    assert answer.status_code == (404 if "%3Cscript%3Ealert" in place and "/items/" in place else 200)
    tree = Tree(answer.text)
    assert not tree.stray, tree.stray[:3]
    for name, attributes, texts in tree.elements:
        assert "style" not in attributes and name != "style", f"an inline style at <{name}>"
        assert not any(key.startswith(("on", "hx-on", "data-hx-on")) for key in attributes), attributes
        if name == "script":
            assert attributes["src"].startswith("/static/") and not "".join(texts).strip()
        for key in URLS & attributes.keys():
            assert re.match(r"/(?!/)|#|data:image/", attributes[key]), f"{key}={attributes[key]}"
    assert not tree.all("b") and not tree.all("img", src="x")
    ids = [attributes["id"] for _, attributes, _ in tree.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "49" not in [text for _, text in tree.all("h1")]


@pytest.mark.parametrize("place", [*PLACES, "/items/i1"])
def test_a_page_has_landmarks_and_names_for_everything(client: TestClient, place: str) -> None:
    tree = Tree(client.get(place, headers={"accept": "text/html"}).text)
    assert len(tree.all("h1")) == 1 and len(tree.all("main")) == 1 and tree.all("a", class_="skip")
    assert tree.all("html")[0][0]["lang"] == "en" and tree.all("title")[0][1].endswith("VIRAL")
    assert all("alt" in image for image, _ in tree.all("img"))
    for tag in ("a", "button"):
        for attributes, text in tree.all(tag):
            assert text or attributes.get("aria-label"), f"a {tag} without a name: {attributes}"


def test_hostile_titles_are_shown_as_they_are(client: TestClient) -> None:
    titles = [text for _, text in Tree(client.get("/gallery").text).all("span", class_="name")]
    assert titles[2] == SCRIPT and titles[5] == HOSTILE["i5"]
    assert "\u202e" not in titles[3] and titles[3].startswith("etihw") and "👩🏽‍🚀" in titles[3]
    assert len(titles[4]) <= 160
    assert all(name.get("dir") == "auto" for name, _ in Tree(client.get("/gallery").text).all("span", class_="name"))


def test_a_title_of_100_kb_is_cut_with_the_whole_behind_it(client: TestClient) -> None:
    tree = Tree(client.get("/items/i4").text)
    assert len(tree.all("h1")[0][1]) <= 300
    assert tree.all("p", class_="long")[0][1] == HOSTILE["i4"].strip()
    gallery = client.get("/gallery")
    assert len(gallery.content) < 60_000


def test_nothing_in_the_templates_is_marked_safe_and_no_url_leads_out() -> None:
    for file in (HERE / "templates").glob("*.html"):
        assert "|safe" not in file.read_text().replace(" ", "") and "autoescape" not in file.read_text(), file.name
    for file in STATIC.glob("*.css"):
        assert "@import" not in file.read_text() and "url(" not in file.read_text(), file.name


def test_an_error_page_says_which_field_is_wrong(client: TestClient) -> None:
    answer = client.get("/pictures/i1?size=%3Cb%3E", headers={"accept": "text/html"})
    (wrong,) = [text for _, text in Tree(answer.text).all("li") if text.startswith("query.size ")]
    assert answer.status_code == 422 and "valid integer" in wrong


def test_an_error_page_says_what_to_do_about_the_data(own: tuple[TestClient, Path]) -> None:
    client, data = own
    next((data / "descriptions").glob("*.parquet")).write_bytes(b"no table")
    page = client.get("/gallery", headers={"accept": "text/html"})
    text = Tree(page.text).text
    assert page.status_code == 409 and "not a file of descriptions" in text
    assert "run `viral enrich` again" in text and str(data) not in page.text
    assert client.get("/gallery", headers={"accept": "*/*"}).json()["hint"].startswith("delete it and run")


def test_the_policy_forbids_what_is_inline(client: TestClient) -> None:
    policy = client.get("/gallery").headers["content-security-policy"]
    assert "script-src 'self'" in policy and "style-src 'self'" in policy and "unsafe" not in policy


def test_the_theme_is_in_the_page_and_only_a_known_one(client: TestClient) -> None:
    def theme(cookie: str) -> str | None:
        page = client.get("/login", headers={"cookie": f"theme={cookie}"})
        return Tree(page.text).all("html")[0][0].get("data-theme")

    assert (theme("dark"), theme("light"), theme("x"), theme('"><script>')) == ("dark", "light", None, None)


def test_what_the_pages_need_is_served(client: TestClient) -> None:
    """Every file that a page or a script of it names, as it lies there, and a script as one: else it is not run."""
    needed = {"vendor/htmx-LICENSE.txt"}
    for page in ("/", "/map", "/doctor", "/experiments"):
        for name, attributes, _ in Tree(client.get(page).text).elements:
            named = attributes.get("src" if name == "script" else "href", "")
            needed |= {named.removeprefix("/static/")} if named.startswith("/static/") else set()
    for script in [one for one in needed if one.endswith(".js")]:
        needed |= set(re.findall(r'^import .* from "\./([\w.]+)"', (STATIC / script).read_text(), re.MULTILINE))
    assert {"style.css", "shop.css", "app.js", "map.js", "map_gl.js"} <= needed
    for file in needed:
        answer = client.get(f"/static/{file}")
        assert answer.content == (STATIC / file).read_bytes(), file
        assert not file.endswith(".js") or answer.headers["content-type"].startswith("text/javascript"), file
    for file in STATIC.glob("*.*s"):  # style sheets and scripts
        assert len(file.read_text().splitlines()) < 250, file.name


def test_addresses_keep_what_is_given_and_leave_out_what_is_empty() -> None:
    assert address("/", {"q": "a&b", "status": "", "page": 3}, page=1) == "/?q=a%26b"
    assert address("/", {"q": ""}) == "/"


def test_readers_look_and_administrators_change(shop: Path, tmp_path: Path) -> None:
    lines = {scope: new_token(scope, scope) for scope in ("read", "admin")}
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(f"{line}\n" for _, line in lines.values()))
    with opened(shop / "run", shop / "data", tokens=tokens) as client:
        people = {"accept": "text/html"}
        away = client.get("/items/i1", headers=people)
        assert (away.status_code, away.headers["location"]) == (303, "/login?next=%2Fitems%2Fi1")
        assert client.get("/pictures/i1").status_code == 401
        login = client.get("/login", headers=people).text
        assert "bundle" not in login and "10 users" not in login
        assert client.post("/login", data={"token": lines["read"][0]}).status_code == 303
        page = client.get("/items/i1", headers=people)
        assert page.status_code == 200 and "data-hx-post" not in page.text
        assert not Tree(client.get("/description?item=i1&edit=true", headers=HTMX).text).all("textarea")
        for path in ("/description", "/description/unlock", "/description/again"):
            assert client.post(path, data={"item": "i1", "text": "A."}, headers=HTMX).status_code == 403
        client.cookies.clear()
        client.post("/login", data={"token": lines["admin"][0]})
        assert "Edit" in Tree(client.get("/items/i1", headers=people).text).text


def test_another_sites_page_changes_nothing(own: tuple[TestClient, Path]) -> None:
    client, data = own
    headers = HTMX | {"origin": "https://elsewhere.example"}
    assert client.post("/description", data={"item": "i0", "text": "A."}, headers=headers).status_code == 403
    assert not (data / "descriptions" / "edits.json").exists()
