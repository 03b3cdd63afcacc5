import numpy as np
import pytest

from viral.base.errors import DataError
from viral.lab.quality.title_agreement import agreement, agreement_by_meaning, partners, without_words


def cosine(a, b):
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@pytest.fixture
def pair():
    """Titles, and descriptions that lean towards their own."""
    rng = np.random.default_rng(5)
    titles = rng.normal(size=(30, 12))
    return 0.5 * titles + rng.normal(size=(30, 12)), titles


def test_every_number_is_what_its_definition_says(pair):
    described, titles = pair
    found = agreement(described, titles, seed=1)
    count = len(titles)
    own = [cosine(described[i], titles[i]) for i in range(count)]
    others = [[cosine(described[i], titles[j]) for j in range(count) if j != i] for i in range(count)]
    assert found.items == count
    assert found.own == pytest.approx(np.mean(own), abs=1e-6)
    assert found.other == pytest.approx(np.mean(others), abs=1e-6)
    assert found.difference == pytest.approx(found.own - found.other, abs=1e-9)
    assert found.nearer == pytest.approx(np.mean([np.mean(np.array(o) < s) for o, s in zip(others, own, strict=True)]))
    assert found.gaps == pytest.approx(np.array(own) - np.mean(others, axis=1), abs=1e-6)
    error = found.gaps.std(ddof=1) / np.sqrt(count)
    assert (found.low, found.high) == pytest.approx(
        (found.difference - 2 * error, found.difference + 2 * error), abs=0.03
    )


def test_matched_descriptions_are_told_from_unmatched_ones(pair):
    described, titles = pair
    assert agreement(described, titles, seed=0).p_value < 0.01
    strangers = np.random.default_rng(6).normal(size=described.shape)
    assert agreement(strangers, titles, seed=0).p_value > 0.05
    opposed = agreement(-described, titles, seed=0)
    assert opposed.p_value > 0.99, "the test is one-sided"


def test_under_no_relation_small_p_values_are_as_rare_as_they_should_be():
    rng = np.random.default_rng(8)
    p = [agreement(rng.normal(size=(12, 6)), rng.normal(size=(12, 6)), seed=n).p_value for n in range(25)]
    assert 0.3 < np.mean(p) < 0.7 and np.mean(np.array(p) <= 0.1) <= 0.25


def test_descriptions_that_are_all_alike_agree_with_nothing(pair):
    _, titles = pair
    found = agreement(np.ones((30, 12)), titles, seed=0)
    assert found.difference == pytest.approx(0, abs=0.05) and found.p_value > 0.05


def test_equal_titles_count_half():
    found = agreement(np.eye(3), np.ones((3, 3)), seed=0)
    assert found.nearer == 0.5 and found.difference == pytest.approx(0, abs=1e-6) and found.p_value == 1.0


def test_the_same_seed_gives_the_same_numbers(pair):
    first, again, other = (agreement(*pair, seed=seed) for seed in (3, 3, 4))
    assert first.to_json() == again.to_json()
    assert (first.low, first.high) != (other.low, other.high)
    assert "gaps" not in first.to_json()


def test_too_little_to_compare_is_said():
    with pytest.raises(DataError, match="too few"):
        agreement(np.ones((1, 4)), np.ones((1, 4)), seed=0)
    with pytest.raises(ValueError, match="titles"):
        agreement(np.ones((3, 4)), np.ones((2, 4)), seed=0)


@pytest.mark.parametrize("count", [2, 3, 50])
def test_nobody_is_their_own_partner_and_everybody_is_somebodys(count):
    found = partners(count, seed=7)
    assert sorted(found) == list(range(count)) and not (found == np.arange(count)).any()


def test_the_titles_words_are_taken_out_whole_in_any_case():
    text = "The item is STRIPED in red, a reddish mug. It supports “Red” and “mug's”."
    assert without_words(text, "Red mug") == "The item is STRIPED in a reddish It supports and mug's"
    assert without_words(text, "Red mug", "striped item").startswith("The is in a reddish")
    assert without_words("red", "RED") == ""


def test_what_is_left_is_compared_with_both_titles_alike():
    own, other = np.eye(4)[[0, 1]], np.eye(4)[[2, 3]]
    found = agreement_by_meaning(own + 0.5 * other, own, other, seed=0)
    length = np.sqrt(1.25)
    assert (found.own, found.other) == pytest.approx((1 / length, 0.5 / length), abs=1e-6)
    assert found.difference == pytest.approx(0.5 / length, abs=1e-6) and found.nearer == 1.0
    same = agreement_by_meaning(own, other, other, seed=0)
    assert (same.difference, same.nearer, same.p_value) == (0.0, 0.5, 1.0)
