"""The k-core against brute force."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from viral.data.filtering import k_core

PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40, unique=True)


def log(pairs: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {"user_id": [f"u{u}" for u, _ in pairs], "item_id": [f"i{i}" for _, i in pairs], "n": range(len(pairs))},
        schema={"user_id": pl.String, "item_id": pl.String, "n": pl.Int64},
    )


def brute_force(pairs: list[tuple[int, int]], k: int) -> list[tuple[int, int]]:
    """Drop one row that is in the way at a time."""
    pairs = list(pairs)
    while True:
        for pair in pairs:
            if sum(u == pair[0] for u, _ in pairs) < k or sum(i == pair[1] for _, i in pairs) < k:
                pairs.remove(pair)
                break
        else:
            return pairs


@given(PAIRS, st.integers(1, 4))
def test_the_fixed_point(pairs, k):
    kept = k_core(log(pairs), k)
    assert list(zip(kept["user_id"], kept["item_id"], strict=True)) == [
        (f"u{u}", f"i{i}") for u, i in brute_force(pairs, k)
    ]


def test_one_pass_is_not_enough():
    """Dropping item 2 takes user 1 below two interactions, which takes item 1, and so on to nothing."""
    chain = [(0, 0), (0, 1), (1, 1), (1, 2)]
    assert k_core(log(chain), 2).height == 0
    square = [(5, 5), (5, 6), (6, 5), (6, 6)]
    kept = k_core(log(chain + square), 2)
    assert kept["n"].to_list() == [4, 5, 6, 7]
