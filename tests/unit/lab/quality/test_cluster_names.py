"""Clusters are named by what sets them apart, and by nothing where nothing does."""

import numpy as np
import pytest

from viral.lab.quality.cluster_names import EVERYTHING, MOST_ITEMS, UNNAMED, ItemWords, cluster_names

MUGS = [ItemWords(f"{colour} mug with handle", ("Coffee mug", colour)) for colour in ("red", "blue") * 20]
SHIRTS = [ItemWords(f"{colour} shirt with collar", ("T-shirt", colour)) for colour in ("red", "blue") * 20]


def codes(*sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


def test_a_cluster_is_named_by_its_category_and_its_words_not_by_what_all_have():
    found = cluster_names(MUGS + SHIRTS, codes(40, 40), 2)
    assert found == ["Coffee mug, handle", "T-shirt, collar"], "mug and shirt are said already, colours set none apart"


def test_a_colour_names_a_cluster_where_the_kind_does_not():
    both = [one for one in MUGS + SHIRTS if "red" in one.title] + [one for one in MUGS + SHIRTS if "blue" in one.title]
    assert cluster_names(both, codes(40, 40), 2) == ["red", "blue"]


def test_where_nothing_is_distinctive_there_is_no_name():
    shuffled = [(MUGS + SHIRTS)[place] for place in np.random.default_rng(0).permutation(80)]
    assert cluster_names(shuffled, codes(40, 40), 2) == [UNNAMED, UNNAMED]
    assert cluster_names([ItemWords()] * 60, codes(30, 30), 2) == [UNNAMED, UNNAMED]


def test_chance_hardly_ever_names_a_cluster():
    """120 clusters drawn at random from a vocabulary of which each item has a few words."""
    named = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        words = [
            ItemWords(" ".join(f"word{chr(97 + n)}" for n in rng.choice(24, 5, replace=False))) for _ in range(300)
        ]
        named += 6 - cluster_names(words, rng.integers(0, 6, 300), 6).count(UNNAMED)
    assert named <= 0.05 * 120


def test_one_cluster_is_everything_and_no_item_is_no_fault():
    assert cluster_names(MUGS, codes(40), 1) == [EVERYTHING]
    assert cluster_names([], np.array([], dtype=int), 3) == [UNNAMED] * 3


def test_a_word_of_few_items_is_no_name():
    odd = [*MUGS[:38], ItemWords("rare teapot"), ItemWords("rare teapot")]
    assert "rare" not in cluster_names(odd + SHIRTS, codes(40, 40), 2)[0]


def test_words_are_written_as_the_titles_write_them():
    mexican = [ItemWords(f"{'Striped' if n % 2 else 'A striped'} Mexican poncho", ("T-shirt",)) for n in range(40)]
    assert cluster_names(mexican + MUGS, codes(40, 40), 2)[0] == "T-shirt, striped Mexican, poncho"


def test_two_words_that_are_one_name_stand_together():
    ties = [ItemWords(f"{colour} bow tie in silk") for colour in ("red", "blue") * 20]
    clocks = [ItemWords(f"{colour} wall clock of wood") for colour in ("red", "blue") * 20]
    names = cluster_names(ties + clocks, codes(40, 40), 2)
    assert "bow tie" in names[0].split(", ") and "wall clock" in names[1].split(", ")


def test_equal_names_are_told_apart():
    three = MUGS + SHIRTS + MUGS + SHIRTS + SHIRTS + SHIRTS
    first, second, third = cluster_names(three, codes(40, 40, 40, 40, 40, 40), 6)[::2][0:3]
    assert first == "Coffee mug, handle" and second == "Coffee mug, handle (2)" and third.startswith("T-shirt")


def test_titles_without_blanks_are_read_too():
    dresses, cups = (
        [ItemWords(f"红色连衣裙{n}号") for n in range(30)],
        [ItemWords(f"蓝色陶瓷杯{n}号") for n in range(30)],
    )
    names = cluster_names(dresses + cups, codes(30, 30), 2)
    assert names[0] in "红色连衣裙" or "连衣裙" in names[0]
    assert "陶瓷杯" in names[1]


def test_items_of_no_cluster_are_left_out():
    places = np.concatenate([codes(40, 40), np.full(40, 255)])
    assert cluster_names(MUGS + SHIRTS + MUGS, places, 2)[0] == "Coffee mug, handle"


def test_many_items_are_read_in_part():
    many = (MUGS * (MOST_ITEMS // 40 + 1)) + (SHIRTS * (MOST_ITEMS // 40 + 1))
    found = cluster_names(many, codes(len(many) // 2, len(many) // 2), 2)
    assert found[0].startswith("Coffee mug")


@pytest.mark.parametrize("odd", ["", "\u202e<b>", "1234", "x", "’", "\u0301" * 50, "a" * 5000])
def test_any_title_is_a_title(odd):
    assert len(cluster_names([ItemWords(odd, (odd,))] * 30 + MUGS, codes(30, 40), 2)) == 2
