"""The API's answers: those of a retriever, and errors that say what to do."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving import application, photo, save_run
from viral.base.errors import UsageError
from viral.base.language import using
from viral.run.explain import because, explain
from viral.run.retrieval import Filters, Retriever

STAMP = ("bundle", "model", "version")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("api")
    app = application(save_run(folder / "run"), feedback=folder / "feedback.jsonl", rate=1e6)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def retriever(client: TestClient) -> Retriever:
    return client.app.state.live.current.retriever


def recommend(client: TestClient, status: int = 200, **body: object) -> dict:
    answer = client.post("/v1/recommend", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def cut(rows: list[dict]) -> list[dict]:
    """Without what a page shows of an item."""
    faces = [{name: row.pop(name) for name in ("category", "image_url", "price")} for row in rows]
    assert all(set(face) == {"category", "image_url", "price"} for face in faces)
    return rows


def test_recommendations_are_those_of_the_retriever(client: TestClient, retriever: Retriever) -> None:
    found = recommend(client, user_id="u3", k=4)
    assert cut(found["recommendations"]) == [asdict(one) for one in retriever.recommend("u3", 4)]
    assert found["bundle"] == client.get("/readyz").json()["bundle"]
    found = recommend(client, item_ids=["i3", "i9"], k=3, diversity=0.5)
    assert cut(found["recommendations"]) == [asdict(o) for o in retriever.recommend_for(["i3", "i9"], 3, diversity=0.5)]
    filters = {"categories": ["mug"], "deny": ["i0"]}
    found = recommend(client, user_id="u3", k=1000, exclude_seen=False, filters=filters)
    expected = retriever.recommend("u3", 30, exclude_seen=False, filters=Filters(categories=["mug"], deny=["i0"]))
    assert cut(found["recommendations"]) == [asdict(one) for one in expected] and len(expected) == 9
    only = recommend(client, user_id="u3", filters={"allow": ["i20", "i21", "nobody's"]})["recommendations"]
    assert {one["item_id"] for one in only} == {"i20", "i21"}
    assert recommend(client, user_id="u3", filters={"allow": []})["recommendations"] == []


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body"),
        ({"user_id": "u1", "users": ["u2"]}, "body"),
        ({"users": ["u2"], "item_ids": []}, "body"),
        ({"users": []}, "body.users"),
        ({"users": ["u1"] * 101}, "body.users"),
        ({"users": ["u1"], "k": 101}, "body"),
        ({"users": [7]}, "body.users"),
        ({"users": [{"user": "u1"}]}, "body.users"),
        ({"user_id": "u1", "item_ids": ["i1"] * 1001}, "body.item_ids"),
        ({"user_id": "u1", "offset": -1}, "body.offset"),
        ({"user_id": "u1", "offset": 1001}, "body.offset"),
        ({"user_id": "u1", "offset": 10**30}, "body.offset"),
        ({"user_id": "u1", "exclude": {"ids": ["i1"]}}, "body.exclude.ids"),
        ({"user_id": "u1", "exclude": ["i1"]}, "body.exclude"),
        ({"user_id": "u1", "unknown": "ignore"}, "body.unknown"),
        ({"user_id": "u1", "popular_days": 0}, "body.popular_days"),
        ({"user_id": "u1", "variant": "a b"}, "body.variant"),
        ({"user_id": "u1", "variant": "v" * 65}, "body.variant"),
        ({"user_id": "u1", "k": 0}, "body.k"),
        ({"user_id": "u1", "k": 1001}, "body.k"),
        ({"user_id": "u1", "k": "5"}, "body.k"),
        ({"user_id": "u1", "kk": 5}, "body.kk"),
        ({"user_id": "u" * 513}, "body.user_id"),
        ({"item_ids": []}, "body"),
        ({"user_id": "u1", "diversity": 1.5}, "body.diversity"),
        ({"user_id": "u1", "filters": {"deny": ["x"] * 10_001}}, "body.filters.deny"),
    ],
)
def test_what_is_not_described_is_refused_with_its_place(client: TestClient, body: dict, where: str) -> None:
    answer = client.post("/v1/recommend", json=body)
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    places = [one["where"] for one in answer.json()["errors"]]
    assert any(place.startswith(where) for place in places), places
    assert not any("[" in place or "constrained" in place for place in places), places


@pytest.mark.parametrize("text", ['{"user_id": "u1", "diversity": NaN}', '{"user_id": "\\ud800"}', '{"user_id":', "[]"])
def test_hostile_json_is_refused(client: TestClient, text: str) -> None:
    answer = client.post("/v1/recommend", content=text, headers={"content-type": "application/json"})
    assert answer.status_code == 422 and answer.json()["status"] == 422


def test_unknown_ids_are_not_found_and_cut(client: TestClient) -> None:
    unknown = recommend(client, 404, user_id="nobody", unknown="error")
    assert unknown["detail"] == "unknown user 'nobody'" and "what is popular is answered" in unknown["hint"]
    assert len(recommend(client, 404, user_id="n" * 500, unknown="error")["detail"]) < 120
    assert "unknown item" in recommend(client, 404, item_ids=["i1", "i99"], unknown="error")["detail"]
    assert "no item is in category" in recommend(client, 404, user_id="u1", filters={"categories": ["car"]})["detail"]
    for path in ("/v1/items/", "/v1/items/i99", "/v1/similar?item_id=i99", "/v1/similar?item_id=i1&by=sound"):
        assert client.get(path).status_code == 404, path


def test_similar_items(client: TestClient, retriever: Retriever) -> None:
    for by in ("fused", "text", "image"):
        found = client.get("/v1/similar", params={"item_id": "i4", "k": 3, "by": by}).json()
        assert cut(found["similar"]) == [asdict(one) for one in retriever.similar("i4", 3, by=by)]
    vases = client.get("/v1/similar", params={"item_id": "i4", "category": ["vase"]}).json()["similar"]
    assert vases and all(one["title"].startswith("vase") for one in vases)
    assert client.get("/v1/similar", params={"item_id": "i5", "by": "image"}).status_code == 409  # it has no picture


def test_explanations(client: TestClient, retriever: Retriever) -> None:
    found = client.get("/v1/explain", params={"user_id": "u2", "item_id": "i7"}).json()
    told = explain(retriever.bundle, "u2", "i7", fold_in=retriever.fold_in).to_json()
    assert found == json.loads(json.dumps(told)) | {name: found[name] for name in (*STAMP, "because")}
    made = explain(retriever.bundle, "u2", "i7", fold_in=retriever.fold_in)
    assert found["because"] == because(made, retriever.bundle)
    chinese = client.get("/v1/explain", params={"user_id": "u2", "item_id": "i7"}, headers={"accept-language": "zh"})
    with using("zh"):
        assert chinese.json()["because"] == because(made, retriever.bundle) != found["because"]
    assert found["model"] == "test" and found["version"] == found["bundle"]
    assert sum(found["parts"].values()) == pytest.approx(found["score"])
    words = client.get("/v1/explain", params={"user_id": "u2", "item_id": "i7", "words": True})
    assert words.status_code == 422 and "reads no such words" in words.json()["detail"]


def test_search_pages_and_puts_titles_first(client: TestClient) -> None:
    found = client.get("/v1/items", params={"q": "PERU mug", "limit": 2, "offset": 1}).json()
    assert found["total"] == 5 and found["offset"] == 1
    assert [one["item_id"] for one in found["items"]] == ["i6", "i12"]
    assert client.get("/v1/items", params={"category": "lamp"}).json()["total"] == 10
    assert client.get("/v1/items", params={"q": "nothing like it"}).json()["items"] == []
    assert client.get("/v1/categories").json() == {"mug": 10, "lamp": 10, "vase": 10}
    assert client.get("/v1/items", params={"limit": 1001}).status_code == 422


def test_an_item(client: TestClient) -> None:
    found = client.get("/v1/items/i2").json()
    assert found["users"] == 3 and found["title"] == "vase number 2" and found["text"] == "from Peru"
    assert found["category"] == "vase" and found["picture"] is None and found["information"] == {}


def test_a_new_item(client: TestClient, retriever: Retriever) -> None:
    form = {"title": "mug number 9", "text": "from Japan", "k": "2"}
    found = client.post("/v1/cold", data=form, files={"picture": ("mug.jpg", photo(), "image/jpeg")}).json()
    assert set(found["similar"]) == {"fused", "text", "image"} and len(found["fans"]) == 2
    assert found["similar"]["text"][0]["item_id"] == "i9" and found["way"] == "neighbors"
    item = retriever.cold("mug number 9", text="from Japan")
    told = client.post("/v1/cold", data=form).json()
    assert told["fans"] == [asdict(fan) for fan in retriever.audience(item, 2)] and told["description"] == ""


def test_a_new_item_that_cannot_be_read(client: TestClient) -> None:
    for data in (b"", b"nonsense", photo()[:200]):
        answer = client.post("/v1/cold", data={"title": "x"}, files={"picture": ("x.jpg", data)})
        assert answer.status_code == 415 and answer.json()["hint"], data[:10]
    assert client.post("/v1/cold", data={"text": "no title"}).status_code == 422
    assert client.post("/v1/cold", data={"title": "x" * 2001}).status_code == 422


def test_feedback_is_kept_and_counted(client: TestClient) -> None:
    file = client.app.state.settings.feedback_file
    events = [
        {"user_id": "u1", "item_id": "i20", "kind": "purchase", "timestamp": 1_700_000_000},
        {"user_id": "new <b>", "item_id": "ی", "kind": "view"},
    ]
    answer = client.post("/v1/feedback", json={"events": events})
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 2, "unknown_users": 1, "unknown_items": 1}
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines[-2] == events[0] and lines[-1] | {"timestamp": 0} == events[1] | {"timestamp": 0}
    assert lines[-1]["timestamp"] > 1_700_000_000
    for bad in ({"kind": "theft"}, {"item_id": "a\nb"}, {"timestamp": -1}, {"timestamp": True}, {"user_id": ""}):
        assert client.post("/v1/feedback", json={"events": [events[0], events[0] | bad]}).status_code == 422, bad
    assert len(file.read_text(encoding="utf-8").splitlines()) == len(lines)  # all or none


def test_feedback_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    app = application(save_run(tmp_path / "run"), max_feedback=200)
    event = {"user_id": "u1", "item_id": "i1", "kind": "like", "timestamp": 1}
    with TestClient(app, base_url="http://localhost") as client:
        codes = [client.post("/v1/feedback", json={"events": [event]}).status_code for _ in range(4)]
    assert codes == [202, 202, 507, 507]
    assert app.state.settings.feedback_file == tmp_path / "run.feedback.jsonl"


HOSTILE = {
    0: "<script>alert(1)</script>",
    1: "\u202egnp.exe \u2067عنوان",
    2: "x" * 100_000,
    3: "🫖 mug 👩‍👩‍👧",
    4: "</title><img src=x onerror=alert(1)>",
    5: "a\nb\u0000c",
}


def test_hostile_titles_are_text(tmp_path: Path) -> None:
    app = application(save_run(tmp_path / "run", titles=HOSTILE))
    with TestClient(app, base_url="http://localhost") as client:
        for row, title in HOSTILE.items():
            answer = client.get(f"/v1/items/i{row}")
            assert answer.json()["title"] == title and answer.headers["content-type"] == "application/json"
        found = client.get("/v1/items", params={"q": "<SCRIPT>"}).json()
        assert [one["item_id"] for one in found["items"]] == ["i0"]
        page = client.get("/v1x/<script>", headers={"accept": "text/html"})
        assert page.status_code == 404 and "<script>" not in page.text.replace("<script src=", "")


def test_health_readiness_and_metrics(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz").json()
    assert ready["ready"] and ready["model"] == "test" and ready["items"] == 30 and ready["broken"] == ""
    client.get("/nowhere/at/all")
    client.get("/v1/items/i1")
    told = client.get("/metrics").text
    assert 'viral_requests_total{method="GET",route="/healthz",status="200"}' in told
    assert 'viral_requests_total{method="GET",route="other",status="404"}' in told
    assert "viral_feedback_events_total" in told and "viral_bundle_broken 0.0" in told
    assert 'route="/v1/items/{item_id:path}"' in told or 'route="/v1/items/{item_id}"' in told


@pytest.mark.parametrize(
    ("when", "seconds"),
    [
        ("2026-11-30T18:30:00+01:00", 1796059800),
        ("2026-11-30 17:30Z", 1796059800),
        ("2026-11-30T09:30:00.999999999-0800", 1796059800),
        ("2024-02-29T00:00:00Z", 1709164800),
        (1796059800, 1796059800),
        (1796059800.0, 1796059800),
    ],
)
def test_times_of_feedback(client: TestClient, when: object, seconds: int) -> None:
    event = {"user_id": "u1", "item_id": "i1", "kind": "view", "timestamp": when}
    assert client.post("/v1/feedback", json={"events": [event]}).status_code == 202
    line = client.app.state.settings.feedback_file.read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(line) == event | {"timestamp": seconds}


@pytest.mark.parametrize(
    "when",
    [
        "2026-11-30T18:30:00", "2026-11-30", "30.11.2026 18:30+01:00", "2023-02-29T00:00Z", "2026-04-31T00:00Z",
        "2026-13-01T00:00Z", "2026-11-30T24:00Z", "1969-12-31T23:59Z", "2100-01-01T00:00Z", "now", "", "1796059800",
        "٢٠٢٦-11-30T18:30Z", "2026-11-30T18:30Z\n", 1796059800.5, 10**12,
    ],
)  # fmt: skip
def test_times_that_are_none(client: TestClient, when: object) -> None:
    event = {"user_id": "u1", "item_id": "i1", "kind": "view", "timestamp": when}
    answer = client.post("/v1/feedback", json={"events": [event]})
    assert answer.status_code == 422 and answer.json()["errors"][0]["where"].startswith("body.events.0.timestamp")


def test_kinds_of_feedback_of_a_shops_own(tmp_path: Path) -> None:
    event = {"user_id": "u1", "item_id": "i1"}
    app = application(save_run(tmp_path / "run"), kinds=("wishlist", "share_2"))
    with TestClient(app, base_url="http://localhost") as client:
        for kind, status in (
            ("wishlist", 202), ("share_2", 202), ("view", 202), ("purchase", 202), ("veiw", 422), ("", 422),
            ("Wishlist", 422), ("w" * 33, 422), ("a\nb", 422),
        ):  # fmt: skip
            answer = client.post("/v1/feedback", json={"events": [event | {"kind": kind}]})
            assert answer.status_code == status, kind
        refused = client.post("/v1/feedback", json={"events": [event | {"kind": "veiw"}]}).json()
        assert "unknown kind 'veiw' of event 0" in refused["detail"] and "wishlist, share_2" in refused["hint"]
        assert 'viral_feedback_events_total{kind="wishlist",variant=""} 1.0' in client.get("/metrics").text
        variant = client.post("/v1/feedback", json={"events": [event | {"kind": "view", "variant": "a b"}]})
        assert variant.status_code == 422
    for wrong in ("", "A", "1a", "a" * 33, "a b"):
        with pytest.raises(UsageError, match="is no kind of feedback"):
            application(tmp_path / "run", kinds=(wrong,))
