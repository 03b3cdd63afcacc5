"""The map's points as its script reads them, what colours them, and what is kept beside the run."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

from memories import memory_bundle, remembered_of
from pages_world import Tree, make_run, opened
from viral.apps.serve.pages import map_layout
from viral.apps.serve.pages.map_layout import FOLDER, NONE
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.lab.quality.cosine_clusters import k_means
from viral.run.bundle import Bundle

PAGES = ["/map", "/map?space=image&colour=cluster", "/map?colour=category&group=1", "/map?colour=dominance&group=99"]


def unpacked(body: bytes) -> tuple[dict[str, Any], np.ndarray, dict[str, np.ndarray]]:
    """Head, points and codes, read as ``map.js`` does: everything starts at a multiple of four."""
    size = int.from_bytes(body[:4], "little")
    head = json.loads(body[4 : 4 + size])
    count, at = head["items"], 4 + size
    points = np.frombuffer(body, "<f4", 2 * count, at).reshape(count, 2)
    at, codes = at + 8 * count, {}
    for one in head["colourings"]:
        assert at % 4 == 0
        codes[one["name"]] = np.frombuffer(body, np.uint8, count, at)
        at += count + -count % 4
    assert at == len(body)
    return head, points, codes


def test_every_item_has_a_finite_place_within_the_square(client: TestClient) -> None:
    answer = client.get("/map/points")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/octet-stream"
    head, points, _ = unpacked(answer.content)
    assert head["items"] == head["drawn"] == len(points) == 12
    assert np.isfinite(points).all() and np.abs(points).max() == pytest.approx(1, abs=1e-6)
    assert len(np.unique(points, axis=0)) > 6


def test_what_has_no_vector_has_no_place_and_is_counted_out(client: TestClient) -> None:
    bundle: Bundle = client.app.state.live.current.bundle  # type: ignore[attr-defined]
    there = bundle.material.present["image"].numpy()
    head, points, codes = unpacked(client.get("/map/points?space=image").content)
    assert 0 < (~there).sum() < 12 and head["drawn"] == there.sum()
    assert (np.isfinite(points).all(axis=1) == there).all()
    assert ((codes["cluster"] == NONE) == ~there).all()


def test_the_points_are_not_sent_again_to_who_has_them(client: TestClient) -> None:
    first = client.get("/map/points")
    again = client.get("/map/points", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/map/points?space=text", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200 and other.content != first.content


def test_categories_are_those_of_the_catalogue(client: TestClient, shop: Path) -> None:
    head, _, codes = unpacked(client.get("/map/points").content)
    groups = next(one["groups"] for one in head["colourings"] if one["name"] == "category")
    items = Catalog.read(shop / "data").items
    assert dict(map(tuple, groups)) == Counter(item.category for item in items)
    order = client.app.state.live.current.bundle.items.ids  # type: ignore[attr-defined]
    wanted = {item.id: item.category for item in items}
    assert [groups[code][0] for code in codes["category"]] == [wanted[item_id] for item_id in order]


def test_the_table_says_a_category_once(client: TestClient) -> None:
    for colour, columns in (("category", 2), ("cluster", 3)):
        tree = Tree(client.get(f"/map?colour={colour}").text)
        assert len(tree.all("th", scope="col")) == columns
        assert len(tree.all("td")) == 12 * (columns - 1)


def test_the_dominant_part_is_that_which_adds_most_to_scores(client: TestClient) -> None:
    """The root mean square over users of each part of the score, computed score by score."""
    scorer = client.app.state.live.current.bundle.scorer  # type: ignore[attr-defined]
    head, _, codes = unpacked(client.get("/map/points").content)
    names = [name for name, _ in next(one["groups"] for one in head["colourings"] if one["name"] == "dominance")]
    assert names == [part.replace("_", " ") for part in scorer.split(0, 0)]  # in words
    for item in range(scorer.num_items):
        adds = np.array([list(scorer.split(user, item).values()) for user in range(scorer.num_users)])  # (U, P)
        assert codes["dominance"][item] == int(np.argmax(np.sqrt(np.mean(np.square(adds), axis=0))))


def test_a_memory_is_one_of_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = memory_bundle("sparse")
    names, weights = map_layout.dominance(bundle)
    assert names == ("text", "synergy", "unique_visual", "memory") and weights.shape == (160, 4)
    remembered = remembered_of(bundle)
    torch.testing.assert_close(weights[:, 3], remembered.square().mean(dim=0).sqrt(), rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(map_layout, "MOST_USERS", 7)  # every third of twenty
    some = map_layout.dominance(bundle)[1]
    torch.testing.assert_close(some[:, 3], remembered[::3].square().mean(dim=0).sqrt(), rtol=1e-4, atol=1e-5)
    assert torch.equal(some[:, :3], weights[:, :3])
    assert map_layout.vectors(bundle, "fused")[0] is bundle.scorer.vectors.items


def test_clusters_are_the_planted_ones() -> None:
    rng = torch.Generator().manual_seed(1)
    planted = torch.tensor([0] * 30 + [1] * 20 + [2] * 10)
    rows = torch.eye(3, 8)[planted] + 0.05 * torch.randn(60, 8, generator=rng)
    found = k_means(torch.nn.functional.normalize(rows, dim=1), 3, torch.Generator().manual_seed(0))
    assert torch.equal(found, planted)  # the largest is the first


def test_positions_are_kept_under_the_hash_of_the_vectors(shop: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(shop / "run", run)
    shutil.rmtree(run / FOLDER, ignore_errors=True)
    bundle = Bundle.load(run / "bundle")
    first = map_layout.layout(bundle, "fused", "pca", run)
    (kept,) = (run / FOLDER).iterdir()  # nothing temporary beside it
    assert kept.suffix == ".npy"
    planted = np.load(kept)
    planted[:2] = 0.125  # what is read from the file, and not computed, shows it
    np.save(kept, planted)
    assert map_layout.layout(bundle, "fused", "pca", run).points[0].tolist() == [0.125, 0.125]
    kept.write_bytes(kept.read_bytes()[:-5])  # a damaged one is computed anew and replaced
    again = map_layout.layout(bundle, "fused", "pca", run)
    assert np.array_equal(again.points, first.points) and again.explained == first.explained
    assert np.load(kept).shape == (2 * 12 + 1,)
    bundle.scorer.item_vectors[3] += 1.0  # other vectors: another file
    map_layout.layout(bundle, "fused", "pca", run)
    assert len(list((run / FOLDER).iterdir())) == 2


def test_a_writer_that_fails_leaves_nothing(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(file: Path, values: np.ndarray, **_: object) -> None:
        Path(file).write_bytes(values.tobytes()[:7])
        raise OSError("the disk is full")

    monkeypatch.setattr("viral.apps.serve.pages.map_layout.np.save", half)
    bundle = Bundle.load(shop / "run" / "bundle")
    placed = map_layout.layout(bundle, "fused", "pca", tmp_path)
    assert np.isfinite(placed.points).all()
    assert not any(file.is_file() for file in tmp_path.rglob("*"))


def test_a_model_without_vectors_has_a_map_too(shop: Path, tmp_path: Path) -> None:
    run = make_run(Dataset.open(shop / "data"), tmp_path / "run", "popularity")
    with opened(run, shop / "data") as client:
        head, points, codes = unpacked(client.get("/map/points").content)
        assert head["items"] == len(points) == 12 and set(codes) == {"category", "cluster"}


def test_a_point_has_its_cluster_where_the_points_were_made_elsewhere(shop: Path) -> None:
    """A browser that has the points, and a worker that did not make them."""
    with opened(shop / "run", shop / "data") as client:
        groups = dict(client.get("/map/items/2?space=text").json()["groups"])
        head, _, codes = unpacked(client.get("/map/points?space=text").content)
        clusters = next(one["groups"] for one in head["colourings"] if one["name"] == "cluster")
        assert groups["Cluster"] == clusters[codes["cluster"][2]][0]
        assert client.get("/map/items/2?space=nowhere").status_code == 422


def test_one_point_is_an_item_with_its_groups(client: TestClient) -> None:
    found = client.get("/map/items/2").json()
    assert found["id"] == "i2" and found["title"].startswith("<script>")  # the script sets it as text
    assert found["href"] == "/items/i2" and found["picture"] == "/pictures/i2?size=320"
    assert ["Category", "mugs"] in found["groups"]
    assert client.get("/map/items/11").json()["picture"] == ""
    for odd in ("12", "-1", "99999999999999999999999"):
        assert client.get(f"/map/items/{odd}").status_code in (404, 422)


@pytest.mark.parametrize("query", ["space=nowhere", "layout=umap", "colour=price", "space=" + "x" * 65])
def test_what_is_not_there_is_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"/map?{query}", headers={"accept": "text/html"})
    assert answer.status_code in (400, 422) and "Traceback" not in answer.text


@pytest.mark.parametrize("place", PAGES)
def test_the_page_has_the_same_as_a_table_and_nothing_inline(client: TestClient, place: str) -> None:
    tree = Tree(client.get(place).text)
    assert not tree.stray
    for name, attributes, texts in tree.elements:
        assert name != "style" and "style" not in attributes and not any(key.startswith("on") for key in attributes)
        assert name != "script" or (attributes["src"].startswith("/static/") and not "".join(texts).strip())
    rows = tree.all("tr")[1:]
    assert len(rows) == (6 if "group=1" in place else 12)
    assert not tree.all("b") and "<b>lamps</b>" in tree.text
