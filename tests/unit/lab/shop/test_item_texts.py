import re

import numpy as np
import polars as pl
import pytest

from viral.lab.shop import ShopConfig, make_shop
from viral.lab.shop.item_texts import EDITIONS, SERIES
from viral.lab.shop.scene import SLOGANS
from viral.lab.shop.world import COLOURS, PATTERNS, TAGS, THINGS


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "shop"
    dataset = make_shop(path, ShopConfig(items=3000, users=20, pictures=False))
    items = pl.read_parquet(path / "items.parquet")
    assert len(dataset.catalog()) == 3000
    return items.join(pl.read_parquet(path / "truth.parquet"), on="item_id", how="left").to_dicts()


def words(row):
    return set(re.findall(r"[a-z]+", f"{row['title']} {row['text']}".lower()))


def test_titles_tell_object_colour_and_edition(rows):
    for row in rows:
        title = row["title"].lower()
        assert row["object"].lower() in title
        assert row["colour"] in title
        assert row["edition"].lower() in title


def test_only_the_words_tell_where_it_is_made(rows):
    for row in rows:
        assert row["origin"] in row["text"]


def test_the_words_never_name_what_only_the_picture_shows(rows):
    secret = {part for name in (*PATTERNS, *TAGS, *SLOGANS) for part in re.findall(r"[a-z]+", name.lower())}
    assert {"striped", "sun", "tone"} <= secret
    for row in rows:
        assert not words(row) & (secret | {"stripes", "dots", "checks", "zigzags", "pattern", "tag", "badge"})


def test_the_words_name_one_colour_and_one_object(rows):
    for row in rows:
        assert words(row) & set(COLOURS) == {row["colour"]}
        assert [name for name in THINGS if name.lower() in row["title"].lower()] == [row["object"]]


def test_the_text_bit_is_told_in_many_words(rows):
    for bit in (0, 1):
        mine = [row for row in rows if row["text_bit"] == bit]
        assert {row["edition"] for row in mine} == set(EDITIONS[bit])
        assert all(any(phrase in row["text"] for phrase in SERIES[bit]) for row in mine)
        assert not any(phrase in row["text"] for row in mine for phrase in SERIES[1 - bit])


@pytest.fixture(scope="module")
def occurrence(rows):
    """Word -> whether it occurs, by row; words of a hundred rows and more."""
    of_row = [words(row) for row in rows]
    table = {word: np.array([word in mine for mine in of_row]) for word in sorted(set().union(*of_row))}
    return {word: has for word, has in table.items() if has.sum() >= 100}


@pytest.mark.parametrize("secret", ["pattern", "picture_bit", "xor"])
def test_no_word_goes_with_an_attribute_that_the_words_must_not_tell(rows, occurrence, secret):
    assert len(occurrence) > 40
    for value in sorted({row[secret] for row in rows}):
        hits = np.array([row[secret] == value for row in rows])
        base = hits.mean()
        for word, has in occurrence.items():
            assert abs(hits[has].mean() - base) < 5 * np.sqrt(base * (1 - base) / has.sum()), (word, value)


def test_words_go_with_what_they_tell(rows, occurrence):
    """The counterpart of the test above: it would see a word that gives something away."""
    hits = np.array([row["text_bit"] == 0 for row in rows])
    assert hits[occurrence["woodland"]].all()
    assert not hits[occurrence["songbird"]].any()
