"""Recommending to users, visits, both, many and strangers; pages, exclusions, popular items, edits at once."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient

from makers import damaged
from serving import application, bundle, save_run
from viral.apps.serve.security.rate_limit import Buckets
from viral.data.dataset import Dataset
from viral.enrich import edit, unlock
from viral.run.bundle_extras import Material


def with_faces(folder: Path) -> Path:
    """A run whose items have prices, and two of them addresses of pictures."""
    made = bundle()
    columns = dict(made.material.columns)
    columns["price"] = [f"EUR {n}.90" if n % 2 else "" for n in range(30)]
    columns["image_url"] = ["https://shop.example/0.jpg", "javascript:alert(1)", *[""] * 28]
    columns["brand"], columns["colour"] = ["Ado"] * 30, ["blue", *[""] * 29]
    material = Material(columns, made.material.features, made.material.present, made.material.encoders)
    whole = type(made)(made.scorer, made.users, made.items, made.titles, made.seen, {"model": "test"}, material)
    whole.save(folder / "bundle")
    return folder


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = application(with_faces(tmp_path_factory.mktemp("recommend") / "run"), rate=1e6)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def ask(client: TestClient, status: int = 200, **body: object) -> dict:
    answer = client.post("/v1/recommend", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def ids(found: dict, name: str = "recommendations") -> list[str]:
    return [one["item_id"] for one in found[name]]


def test_an_answer_says_from_what_it_comes_and_shows_its_items(client: TestClient) -> None:
    found = ask(client, user_id="u3", k=27)
    assert found["model"] == "test" and found["version"] == found["bundle"] and len(found["version"]) == 16
    assert found["user_id"] == "u3" and found["source"] == "user" and found["variant"] is None
    shown = {one["item_id"]: one for one in found["recommendations"]}
    assert shown["i0"]["image_url"] == "https://shop.example/0.jpg" and shown["i0"]["price"] is None
    assert shown["i1"]["image_url"] is None and shown["i1"]["price"] == "EUR 1.90"  # no address of the web
    assert shown["i1"]["category"] == "lamp" and shown["i1"]["pinned"] is False


def test_a_visit_of_a_user(client: TestClient) -> None:
    alone = ask(client, user_id="u3", k=27)
    found = ask(client, user_id="u3", item_ids=["i20", "gone", "i21", "gone"], k=27)
    assert found["source"] == "user_and_visit" and found["unknown_item_ids"] == ["gone"]
    assert set(ids(alone)) - set(ids(found)) == {"i20", "i21"}
    assert ids(found) != [one for one in ids(alone) if one not in ("i20", "i21")]  # another order
    assert ids(ask(client, user_id="u3", item_ids=["gone"], k=27)) == ids(alone)  # nothing of it is known
    begun = ask(client, user_id="u3", item_ids=[], k=27)
    assert begun["source"] == "user" and begun["recommendations"] == alone["recommendations"]
    assert ask(client, user_id="stranger", item_ids=["i20"])["source"] == "visit"


def test_strangers_get_what_is_popular(client: TestClient) -> None:
    degrees = client.app.state.live.current.bundle.seen.item_degrees().tolist()
    expected = [f"i{i}" for i in sorted(range(30), key=lambda i: (-degrees[i], i))]
    for body in ({"user_id": "stranger"}, {"item_ids": ["gone"]}, {"user_id": "x", "item_ids": ["gone"]}):
        found = ask(client, **body, k=30)
        assert found["source"] == "popular" and ids(found) == expected
        assert found["recommendations"][0]["parts"] == {"popularity": 3.0}
    mugs = ask(client, user_id="stranger", filters={"categories": ["mug"]}, exclude={"item_ids": ["i3"]}, k=2)
    assert ids(mugs) == ["i6", "i9"]
    assert "what is popular" in ask(client, 404, user_id="stranger", unknown="error")["hint"]
    assert ask(client, 404, user_id="u1", item_ids=["i1", "gone"], unknown="error")["detail"] == "unknown item 'gone'"
    assert client.get("/v1/recommend").json()["source"] == "popular"


def test_pages_are_parts_of_one_list(client: TestClient) -> None:
    for more in ({"user_id": "u3"}, {"item_ids": ["i4"]}, {"user_id": "stranger"}, {"user_id": "u3", "diversity": 0.5}):
        whole = ask(client, **more, k=30)
        pages = [ask(client, **more, k=7, offset=start) for start in range(0, 35, 7)]
        found = [one for page in pages for one in ids(page)]
        assert found == ids(whole) or ("diversity" in more and sorted(found) == sorted(ids(whole)))
        assert [one["rank"] for one in pages[1]["recommendations"]] == list(range(8, 15)) and pages[1]["offset"] == 7
    assert ask(client, user_id="u3", offset=1000)["recommendations"] == []


def test_exclusions(client: TestClient) -> None:
    found = ask(client, user_id="u3", k=30, exclude={"item_ids": ["i20", "gone"], "categories": ["mug", "car"]})
    assert "i20" not in ids(found) and not any(int(one[1:]) % 3 == 0 for one in ids(found)) and ids(found)
    both = ask(client, user_id="u3", k=30, exclude={"item_ids": ["i20"]}, filters={"deny": ["i23"]})
    assert len(ids(both)) == 25


def test_an_address_alone_is_answered_alike(client: TestClient) -> None:
    params = {
        "user_id": "u3", "item_id": ["i20", "gone"], "k": 4, "offset": 2, "category": ["mug", "lamp"],
        "exclude": ["i6"], "exclude_category": "lamp", "diversity": 0.4, "exclude_seen": False, "rules": False,
    }  # fmt: skip
    found = client.get("/v1/recommend", params=params).json()
    body = {
        "user_id": "u3", "item_ids": ["i20", "gone"], "k": 4, "offset": 2, "filters": {"categories": ["mug", "lamp"]},
        "exclude": {"item_ids": ["i6"], "categories": ["lamp"]}, "diversity": 0.4, "exclude_seen": False,
    }  # fmt: skip
    assert found == ask(client, **body) and found["recommendations"]
    for wrong in ({"k": 0}, {"offset": -1}, {"offset": 1001}, {"variant": "a b"}, {"unknown": "x"}, {"user_id": ""},
        {"diversity": "nan"}, {"diversity": 2}, {"popular_days": 0},
    ):  # fmt: skip
        assert client.get("/v1/recommend", params=wrong).status_code == 422, wrong
    assert client.get("/v1/recommend", params={"user_id": "x", "unknown": "error"}).status_code == 404


def test_many_at_once(client: TestClient) -> None:
    users = ["u1", "stranger", {"user_id": "u3", "item_ids": ["i20", "gone"]}, {"item_ids": ["i4"]}, {}, "", "u1"]
    found = ask(client, users=users, k=4)
    answers = found["answers"]
    assert [one["source"] for one in answers] == [
        "user", "popular", "user_and_visit", "visit", "popular", "popular", "user"
    ]  # fmt: skip
    assert [one["user_id"] for one in answers] == ["u1", "stranger", "u3", None, None, "", "u1"]
    assert all(one["error"] is None and one["version"] == found["version"] for one in answers)
    assert answers[0] == ask(client, user_id="u1", k=4) | {"error": None}
    assert answers[2] == ask(client, user_id="u3", item_ids=["i20", "gone"], k=4) | {"error": None}


def test_a_fault_of_one_of_many_is_that_ones_alone(client: TestClient) -> None:
    found = ask(client, users=["u1", "stranger", {"item_ids": ["gone"]}], unknown="error", k=2)["answers"]
    assert [one["error"] and one["error"]["status"] for one in found] == [None, 404, 404]
    assert found[1]["error"]["detail"] == "unknown user 'stranger'" and found[1]["recommendations"] == []
    assert set(found[1]) == set(found[0]) and len(found[0]["recommendations"]) == 2


def test_a_call_for_many_costs_as_many(tmp_path: Path) -> None:
    app = application(save_run(tmp_path / "run"))
    app.state.gate.buckets = Buckets(0.001, 50.0)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.post("/v1/recommend", json={"users": ["u1"] * 45}).status_code == 200
        codes = [client.post("/v1/recommend", json={"user_id": "u1"}).status_code for _ in range(7)]
        assert codes == [200] * 5 + [429] * 2


def test_popular(client: TestClient) -> None:
    found = client.get("/v1/popular", params={"k": 3}).json()
    assert ids(found, "popular") == ["i2", "i3", "i4"] and found["days"] is None and found["model"] == "test"
    rest = client.get("/v1/popular", params={"k": 2, "offset": 1, "category": ["mug", "lamp"]}).json()
    assert ids(rest, "popular") == ["i4", "i6"] and rest["popular"][0]["rank"] == 2
    assert client.get("/v1/popular", params={"category": "car"}).status_code == 404
    assert client.get("/v1/popular", params={"days": 7}).status_code == 409
    for wrong in ({"k": 1001}, {"offset": 10**9}, {"days": 0}, {"days": 10**9}):
        assert client.get("/v1/popular", params=wrong).status_code == 422


DAY = 86_400


@pytest.mark.parametrize("scale", [1, 1000], ids=["seconds", "milliseconds"])
def test_what_was_popular_lately(tmp_path: Path, scale: int) -> None:
    run, data = save_run(tmp_path / "run"), tmp_path / "data"
    now = 1_700_000_000
    rows = [("i9", 40), ("i9", 40), ("i9", 39), ("i7", 3), ("i7", 2), ("i8", 1), ("unknown", 0)]
    made_of(data, [(item, (now - days * DAY) * scale) for item, days in rows])
    with TestClient(application(run, dataset=data), base_url="http://localhost") as client:
        week = client.get("/v1/popular", params={"days": 7, "k": 3}).json()
        assert [(one["item_id"], one["score"]) for one in week["popular"]] == [("i7", 2), ("i8", 1), ("i2", 0)]
        assert ids(client.get("/v1/popular", params={"days": 60, "k": 1}).json(), "popular") == ["i9"]
        stranger = ask(client, user_id="stranger", popular_days=7, k=2)
        assert stranger["source"] == "popular" and ids(stranger) == ["i7", "i8"]


def made_of(folder: Path, rows: list[tuple[str, int]]) -> Dataset:
    """A data set with a log of these items and times."""
    items = sorted({item for item, _ in rows} | {f"i{n}" for n in range(30)})
    catalogue = {"item_id": items, "title": items, "text": items, "image": [None] * len(items)}
    log = {"user_id": ["u"] * len(rows), "item_id": [i for i, _ in rows], "timestamp": [when for _, when in rows]}
    frame = pl.DataFrame(catalogue, schema_overrides={"image": pl.String})
    return damaged(folder, items=frame, log=pl.DataFrame(log))


def test_an_edit_is_shown_at_once(tmp_path: Path) -> None:
    dataset = made_of(tmp_path / "data", [("i1", 1)])
    run = save_run(tmp_path / "run")
    with TestClient(application(run, dataset=dataset.path), base_url="http://localhost") as client:
        before = client.get("/v1/items/i1").json()
        assert before["edited"] is False and before["description"] == ""
        edit(dataset, "i1", "A green lamp <b>")
        found = client.get("/v1/items/i1").json()
        assert found["edited"] is True and found["description"] == "A green lamp <b>"
        page = client.get("/v1/items", params={"q": "lamp number 1"}).json()["items"]
        assert [one["edited"] for one in page if one["item_id"] == "i1"] == [True]
        unlock(dataset, "i1")
        assert client.get("/v1/items/i1").json() == before
        (dataset.path / "descriptions" / "edits.json").write_text("{")
        assert client.get("/v1/items/i1").status_code == 409


def test_an_item_has_what_the_catalogue_says(client: TestClient) -> None:
    found = client.get("/v1/items/i0").json()
    assert (found["price"], found["brand"], found["colour"]) == (None, "Ado", "blue")
    assert found["image_url"] == "https://shop.example/0.jpg" and found["picture"] is None
    assert client.get("/v1/items/i1").json()["image_url"] is None


def test_health_at_a_glance(client: TestClient) -> None:
    found = client.get("/v1/health").json()
    assert found["status"] == "ok" and found["broken"] == [] and found["rules"] is None and found["variants"] == {}
    assert found["items"] == 30 and found["model"] == "test" and found["exposure"] is None
    json.dumps(found, allow_nan=False)
