import filecmp
import os
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from viral.base.errors import UsageError
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.data.pictures import open_picture
from viral.data.splitting import split
from viral.lab.shop import TRUTH_FILE, USERS_FILE, ShopConfig, make_shop, make_world
from viral.lab.shop.drawing import RGB
from viral.lab.shop.world import COLOURS, ORIGINS, PATTERNS, TAGS, THINGS

SMALL = ShopConfig(users=60, items=96, seed=5)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_shop(tmp_path_factory.mktemp("shop") / "data", SMALL)


@pytest.fixture(scope="module")
def truth(shop):
    return pl.read_parquet(shop.path / TRUTH_FILE)


def pixels(shop, row):
    return np.asarray(open_picture(shop.path / "images" / f"{row['item_id']}.jpg")).astype(float)


def inside(picture, box):
    left, top, right, bottom = box
    return picture[top:bottom, left:right].reshape(-1, 3)


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def all_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_same_configuration_makes_the_same_bytes(shop, tmp_path):
    again = make_shop(tmp_path / "again", SMALL)
    names = all_files(shop.path)
    assert names == all_files(again.path)
    same, different, unreadable = filecmp.cmpfiles(shop.path, again.path, names, shallow=False)
    assert (different, unreadable) == ([], [])
    assert len(same) == SMALL.items + 6


def test_another_seed_makes_another_shop(shop, tmp_path):
    other = make_shop(tmp_path / "other", ShopConfig(users=60, items=96, seed=6, pictures=False))
    assert other.fingerprint != shop.fingerprint
    assert other.catalog().fingerprint != shop.catalog().fingerprint


def test_the_folder_is_a_data_set(shop):
    opened = Dataset.open(shop.path)
    assert opened.manifest["source"]["licence"] == "CC0, generated"
    assert opened.manifest["source"]["options"]["seed"] == 5
    counts = opened.manifest["counts"]
    assert (counts["users"], counts["items"], counts["images"]) == (60, 96, 96)
    assert counts["train"] + counts["valid"] + counts["test"] == counts["interactions"]
    catalog = Catalog.read(shop.path)
    assert all(item.image and item.image.is_file() for item in catalog)
    assert {item.category for item in catalog} == set(THINGS)
    parts = split(opened.interactions(), catalog.ids)
    assert (parts.valid.user_degrees() >= 1).all()
    assert (parts.test.user_degrees() >= 1).all()


def test_the_truth_is_the_world(shop, truth):
    world = make_world(SMALL)
    assert truth["item_id"].to_list() == list(shop.catalog().ids)
    for column, names, values in (
        ("object", THINGS, world.thing),
        ("colour", COLOURS, world.colour),
        ("origin", ORIGINS, world.origin),
        ("pattern", PATTERNS, world.pattern),
        ("tag", TAGS, world.picture_bit),
    ):
        assert truth[column].to_list() == [names[value] for value in values]
    assert (truth["text_bit"] ^ truth["picture_bit"] == truth["xor"]).all()


def test_the_users_truth_explains_their_choices(shop, truth):
    tastes = pl.read_parquet(shop.path / USERS_FILE)
    assert tastes.columns == ["user_id", "redundant", "unique_text", "unique_picture", "synergistic"]
    assert tastes.height == 60
    log = shop.interactions().join(tastes, on="user_id").join(truth, on="item_id")
    bits = pl.when(pl.col("xor") == 0).then(pl.lit("same")).otherwise(pl.lit("different"))
    shares = log.select(
        pl.col("colour").is_in(pl.col("redundant")).mean().alias("redundant"),
        pl.col("origin").is_in(pl.col("unique_text")).mean().alias("unique_text"),
        pl.col("pattern").is_in(pl.col("unique_picture")).mean().alias("unique_picture"),
        bits.is_in(pl.col("synergistic")).mean().alias("synergistic"),
    ).row(0)
    assert min(shares) > 0.7


def test_nothing_touches_anything_else_and_all_is_inside(truth):
    size = SMALL.image_size
    for row in truth.iter_rows(named=True):
        boxes = [row["box"], *(other["box"] for other in row["distractors"])]
        assert 1 <= len(row["distractors"]) <= 3
        for left, top, right, bottom in [*boxes, row["tag_box"]]:
            assert 0 <= left < right <= size
            assert 0 <= top < bottom <= size
        assert overlap(row["box"], row["tag_box"])
        assert not any(overlap(a, b) for a, b in combinations(boxes, 2))
        assert not any(overlap(row["tag_box"], box) for box in boxes[1:])


def test_distractors_share_nothing_with_the_product(truth):
    for row in truth.iter_rows(named=True):
        for column in ("object", "colour", "pattern"):
            shown = [row[column], *(other[column] for other in row["distractors"])]
            assert len(set(shown)) == len(shown)


def test_the_product_has_its_colour_in_the_picture(shop, truth):
    """Most of the vivid pixels in every box are nearest to the colour that the truth names."""
    names = list(RGB)
    palette = np.array([RGB[name] for name in names], dtype=float)
    for row in truth.iter_rows(named=True):
        picture = pixels(shop, row)
        for thing in (row, *row["distractors"]):
            inner = inside(picture, thing["box"])
            vivid = inner[inner.max(axis=1) - inner.min(axis=1) > 90]
            nearest = np.argmin(((vivid[:, None] - palette) ** 2).sum(axis=2), axis=1)
            votes = np.bincount(nearest, minlength=len(names))
            assert names[votes.argmax()] == thing["colour"], row["item_id"]


def test_the_tag_is_light_or_dark_with_its_word(shop, truth):
    for row in truth.iter_rows(named=True):
        brightness = np.median(inside(pixels(shop, row), row["tag_box"]))
        assert (brightness > 180) == (row["tag"] == "SUN"), row["item_id"]
        assert abs(brightness - 128) > 60


def test_patterns_differ_in_how_much_white_they_show(shop, truth):
    """Plain products show (nearly) none of the second colour, all others a good part."""
    shares = {pattern: [] for pattern in PATTERNS}
    for row in truth.filter(pl.col("object") == "T-shirt").iter_rows(named=True):
        left, top, right, bottom = row["box"]
        inner = inside(pixels(shop, row), (left, top, right, bottom - (bottom - top) // 4))  # above the tag
        low, spread = inner.min(axis=1), inner.max(axis=1) - inner.min(axis=1)
        white = ((low > 170) & (spread < 12)).sum()
        shares[row["pattern"]].append(white / (white + (spread > 60).sum()))
    others = [share for pattern, all_shares in shares.items() if pattern != "plain" for share in all_shares]
    assert shares["plain"]
    assert others
    assert max(shares["plain"]) < min(others)


def test_without_pictures_only_tables_are_written(tmp_path):
    dataset = make_shop(tmp_path / "tables", ShopConfig(users=30, items=40, pictures=False))
    assert not (dataset.path / "images").exists()
    assert dataset.manifest["counts"]["images"] == 0
    assert all(item.image is None for item in dataset.catalog())
    assert "box" not in pl.read_parquet(dataset.path / TRUTH_FILE).columns
    assert "pattern" in pl.read_parquet(dataset.path / TRUTH_FILE).columns


def test_pictures_do_not_change_the_tables(shop, tmp_path):
    bare = make_shop(tmp_path / "bare", ShopConfig(users=60, items=96, seed=5, pictures=False))
    assert bare.interactions().equals(shop.interactions())
    assert bare.catalog().fingerprint == shop.catalog().fingerprint


def test_distractors_can_be_left_out(tmp_path):
    dataset = make_shop(tmp_path / "alone", ShopConfig(users=10, items=20, distractors=0, image_size=128))
    truth = pl.read_parquet(dataset.path / TRUTH_FILE)
    assert truth["distractors"].list.len().max() == 0
    assert {open_picture(item.image).size for item in dataset.catalog() if item.image} == {(128, 128)}


def test_an_existing_folder_is_kept_unless_told_otherwise(shop, tmp_path):
    target = tmp_path / "full"
    target.mkdir()
    (target / "mine.txt").write_text("keep")
    config = ShopConfig(users=10, items=20, pictures=False)
    with pytest.raises(UsageError, match="already exists"):
        make_shop(target, config)
    assert os.listdir(target) == ["mine.txt"]  # noqa: PTH208 - hidden files too
    make_shop(target, config, overwrite=True)
    assert not (target / "mine.txt").exists()
