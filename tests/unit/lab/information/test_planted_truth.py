"""The planted truth: the enumeration of liked bits against the shop's own utilities and the full attributes."""

import numpy as np
import pytest

from viral.lab.information.decomposition import PARTS, decompose
from viral.lab.information.planted_truth import planted_truth, table, truth_of
from viral.lab.shop.config import ShopConfig
from viral.lab.shop.world import SIZES, likes, make_world


def values(parts):
    return [getattr(parts, name) for name in PARTS]


def test_bits_say_the_same_as_whole_attributes():
    """Colours, origins and patterns in full, for a user of one taste: (128, 96, 2)."""
    logit = np.array([2.0, 3.0, 1.0, 2.5])
    colour, origin, text_bit, pattern, picture_bit = np.indices((8, 8, 2, 6, 2)).reshape(5, -1)
    utility = (
        logit[0] * likes("redundant")[3, colour]
        + logit[1] * likes("unique_text")[5, origin]
        + logit[2] * likes("unique_picture")[2, pattern]
        + logit[3] * likes("synergistic")[0, text_bit ^ picture_bit]
    )
    chosen = np.exp(utility)
    p = np.zeros((128, 96, 2))
    first, second = (colour * 8 + origin) * 2 + text_bit, (colour * 6 + pattern) * 2 + picture_bit
    p[first, second, 1] = chosen / chosen.sum()
    p[first, second, 0] = 1 / len(chosen)
    assert values(decompose(p)) == pytest.approx(values(truth_of(logit.tolist()).broja), abs=1e-9)


def test_the_table_is_the_shops():
    """The chance of every cell by the generator's own utilities, in a large catalogue."""
    config = ShopConfig(users=1, items=40_000, redundant=2.0, unique_picture=0.5, popularity=0.0, pictures=False)
    world = make_world(config)
    liked = np.stack([likes(kind)[world.preferences[0, n]][world.values[:, n]] for n, kind in enumerate(SIZES)], axis=1)
    chosen = np.exp(world.log_weights(np.array([0]))[0])
    expected = table(world.logit.tolist())
    for cell in [(1, 1, 1, 1), (1, 0, 1, 0), (0, 0, 0, 0), (0, 1, 0, 1)]:
        here = (liked == np.array(cell, dtype=bool)).all(axis=1)
        bits = np.indices((2,) * 3).reshape(3, -1)
        total = sum(
            expected[4 * cell[0] + 2 * cell[1] + a, 4 * cell[0] + 2 * cell[2] + b, 1]
            for a, b in ((a, b) for a in (0, 1) for b in (0, 1))
            if (a ^ b) == cell[3]
        )
        assert bits.shape == (3, 8)
        assert chosen[here].sum() / chosen.sum() / 2 == pytest.approx(total, rel=0.03)


@pytest.mark.parametrize(("kind", "part"), list(zip(SIZES, PARTS, strict=True)))
def test_one_planted_kind_is_one_part(kind, part):
    only = {name: float(name == kind) for name in SIZES}
    truth = planted_truth(make_world(ShopConfig(pictures=False, **only)))
    for parts in (truth.broja, truth.common):
        assert parts.shares()[part] == pytest.approx(1.0)
        assert parts.total > 0.3


def test_two_equal_unique_kinds_are_redundant_to_broja_and_unique_to_the_common_part():
    truth = truth_of([0.0, 3.0, 3.0, 0.0])
    assert truth.broja.unique_text == pytest.approx(0.0, abs=1e-9) and truth.broja.redundant > 0.1
    assert truth.common.redundant == pytest.approx(0.0, abs=1e-9) and truth.common.unique_text > 0.1
