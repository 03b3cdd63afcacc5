import base64
import io

import pytest
from PIL import Image

from viral.lab.report.thumbnails import Thumbnails


def test_a_thumbnail_is_the_picture_made_small(tmp_path):
    path = tmp_path / "wide.png"
    image = Image.new("RGB", (800, 400), "red")
    image.paste("blue", (400, 0, 800, 400))
    image.save(path)
    thumbnail = Thumbnails().of(path, 160)
    assert (thumbnail.width, thumbnail.height, thumbnail.problem) == (160, 80, "")
    with Image.open(io.BytesIO(base64.b64decode(thumbnail.uri.split(",")[1]))) as small:
        left, right = small.convert("RGB").getpixel((40, 40)), small.convert("RGB").getpixel((120, 40))
    assert left == pytest.approx((255, 0, 0), abs=12) and right == pytest.approx((0, 0, 255), abs=12)


def test_a_small_picture_is_not_blown_up_and_a_sliver_keeps_a_pixel(tmp_path):
    tiny, sliver = tmp_path / "tiny.png", tmp_path / "sliver.png"
    Image.new("RGB", (20, 30)).save(tiny)
    Image.new("RGB", (3000, 1)).save(sliver)
    shown = Thumbnails()
    assert (shown.of(tiny, 160).width, shown.of(tiny, 160).height) == (20, 30)
    assert (shown.of(sliver, 160).width, shown.of(sliver, 160).height) == (160, 1)


def test_the_budget_is_kept_and_said(pictures):
    size = len(Thumbnails().of(pictures[0], 160).uri)
    shown = Thumbnails(budget=2 * size)
    problems = [shown.of(pictures[0], 160).problem for _ in range(3)]
    assert problems == ["", "", "left out to keep the page small"]


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("1", (6000, 6000)).save(path)
    assert Thumbnails().of(path, 160).problem == "picture too many pixels"
