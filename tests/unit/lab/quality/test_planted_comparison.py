import numpy as np
import polars as pl
import pytest

from viral.evaluation import paired_test
from viral.lab.quality import description_quality, descriptions_by_prompt
from viral.lab.quality.planted_comparison import gain


@pytest.fixture(scope="module")
def found(shop, encoder):
    return description_quality(shop, descriptions_by_prompt(shop), seed=1, encoder=encoder).planted


def test_guided_words_are_right_and_plain_ones_name_everybodys(found):
    guided, plain = found.by_prompt["title"], found.by_prompt["plain"]
    assert found.items == 48
    for name in ("object", "colour", "pattern", "tag"):
        assert (guided[name].right, guided[name].exact, guided[name].f1, guided[name].invented) == (1, 1, 1, 0)
        assert plain[name].right == 1.0
    assert all(guided[name].foreign == 0.0 for name in ("object", "colour", "pattern", "tag"))
    assert all(plain[name].foreign == 1.0 and plain[name].exact == 0.0 for name in ("colour", "pattern"))


def test_f1_is_what_the_number_of_other_things_says(found, shop):
    truth = pl.read_parquet(shop.path / "truth.parquet")
    others = truth["distractors"].list.len().to_numpy()
    assert found.by_prompt["plain"]["colour"].f1 == pytest.approx(np.mean(2 / (2 + others)))
    without_slogan = float(truth["slogan"].is_null().mean())
    assert 0 < without_slogan < 1
    assert found.by_prompt["plain"]["tag"].exact == pytest.approx(without_slogan)
    assert found.summaries["plain"]["exact"] == pytest.approx(without_slogan / 3)


def test_the_gain_is_in_what_is_left_out_and_not_in_what_is_named(found):
    gains = found.gains["title"]
    assert list(found.gains) == ["title"]
    assert gains["right"].difference == gains["right"].relative == 0.0 and gains["right"].p_value == 1.0
    exact = gains["exact"]
    assert (exact.plain, exact.guided) == (found.summaries["plain"]["exact"], 1.0)
    assert exact.relative == pytest.approx((1 - exact.plain) / exact.plain)
    assert exact.relative_low <= exact.relative <= exact.relative_high and exact.p_value < 0.001


def test_vectors_of_guided_words_tell_the_colour_better(found):
    assert found.read["title"]["colour"]["linear"] > found.read["plain"]["colour"]["linear"]
    assert set(found.read["title"]) == {"object", "colour", "pattern", "tag"}


def test_a_gain_on_nothing_has_no_ratio():
    zeros, half = np.zeros(20), np.tile([0.0, 1.0], 10)
    assert gain(zeros, zeros, seed=0).relative == 0.0
    found = gain(zeros, half, seed=0)
    assert found.relative == found.relative_high == float("inf") and found.difference == 0.5
    assert gain(half, zeros, seed=0).relative == -1.0


def test_the_difference_is_the_packages_paired_test():
    rng = np.random.default_rng(9)
    before, after = rng.random(50), rng.random(50)
    found, test = gain(before, after, seed=4), paired_test(after, before, seed=4)
    assert (found.difference, found.low, found.high, found.p_value) == (
        test.difference,
        test.low,
        test.high,
        test.p_value,
    )
    assert found.relative == pytest.approx(after.mean() / before.mean() - 1)
