"""Thumbnails: small, safe, and made once."""

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from makers import noise, picture, png
from pages_world import opened
from viral.apps.serve.pages.pictures import CACHE
from viral.apps.serve.pages.rendering import quoted

Own = tuple[TestClient, Path]


def image_of(data: Path, name: str, content: bytes) -> None:
    (data / "images" / f"{name}.png").write_bytes(content)


@pytest.mark.parametrize(("asked", "side"), [("120", 120), ("121", 320), ("9999", 720), ("-5", 120)])
def test_a_picture_comes_as_webp_in_the_next_size_up(own: Own, asked: str, side: int) -> None:
    client, data = own
    image_of(data, "i0", noise(size=(1600, 800)))
    answer = client.get(f"/pictures/i0?size={asked}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    with Image.open(io.BytesIO(answer.content)) as small:
        assert (small.format, small.size) == ("WEBP", (side, side // 2))


def test_a_small_picture_is_not_blown_up(own: Own) -> None:
    client, data = own
    image_of(data, "i0", picture(size=(30, 20)))
    with Image.open(io.BytesIO(client.get("/pictures/i0").content)) as small:
        assert small.size == (30, 20)


def test_it_is_made_once_and_anew_when_the_file_changes(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    client, data = own
    first = client.get("/pictures/i0")
    kept = list((data / CACHE).rglob("*.webp"))
    assert len(kept) == 1 and kept[0].read_bytes() == first.content
    with monkeypatch.context() as patch:
        patch.setattr("viral.apps.serve.pages.pictures.decode", lambda *a, **k: pytest.fail("decoded again"))
        assert client.get("/pictures/i0").content == first.content
        unchanged = client.get("/pictures/i0", headers={"if-none-match": first.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
    image_of(data, "i0", noise("PNG", size=(40, 40)))
    second = client.get("/pictures/i0", headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 200 and second.content != first.content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<svg onload=alert(1)>", "unknown format"),
        (png(20_000, 20_000), "too many pixels"),
        (noise("PNG")[:-100], "truncated or damaged"),
        (b"", "empty"),
    ],
)
def test_what_is_no_picture_is_a_card_that_says_why(own: Own, content: bytes, reason: str) -> None:
    client, data = own
    image_of(data, "i0", content)
    answer = client.get("/pictures/i0")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "image/svg+xml")
    assert reason in answer.text and "onload" not in answer.text


def test_links_are_not_followed(own: Own) -> None:
    client, data = own
    outside = data.parent / "secret.png"
    outside.write_bytes(picture())
    (data / "images" / "i0.png").unlink()
    (data / "images" / "i0.png").symlink_to(outside)
    assert client.get("/pictures/i0").status_code == 404
    (data / "images").rename(data / "other")
    (data / "images").symlink_to(data / "other")
    assert client.get("/pictures/i1").status_code == 404


def test_items_without_a_picture_and_without_existence(client: TestClient) -> None:
    assert client.get("/pictures/nothing").status_code == 404
    assert client.get(f"/pictures/{quoted('../../etc/passwd')}").status_code == 404


def test_a_data_set_that_cannot_be_written_is_shown_all_the_same(shop: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(shop / "data", data, ignore=shutil.ignore_patterns(".cache"))
    (data / ".cache").write_text("in the way")
    with opened(shop / "run", data) as client:
        assert client.get("/pictures/i0").status_code == 200
