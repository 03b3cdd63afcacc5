import dataclasses

import numpy as np
import pytest

from viral.lab.shop import KINDS, ShopConfig, make_world
from viral.lab.shop.choices import choose
from viral.lab.shop.world import COLOURS, ORIGINS, PATTERNS, SIZES, THINGS, World, likes, num_liked


def tables(**changes):
    config = ShopConfig(pictures=False, **changes)
    return config, make_world(config)


def matches(world: World, users, items):
    """Whether each chosen item has what its user likes, by kind: (E, 4)."""
    return np.stack(
        [
            likes(kind)[world.preferences[users, number], world.values[items, number]]
            for number, kind in enumerate(KINDS)
        ],
        axis=1,
    )


def test_attributes_are_balanced_and_independent():
    _, world = tables(items=48_000)
    attributes = {
        "thing": (world.thing, len(THINGS)),
        "colour": (world.colour, len(COLOURS)),
        "origin": (world.origin, len(ORIGINS)),
        "pattern": (world.pattern, len(PATTERNS)),
        "text_bit": (world.text_bit, 2),
        "picture_bit": (world.picture_bit, 2),
        "xor": (world.xor, 2),
    }
    for name, (values, size) in attributes.items():
        counts = np.bincount(values, minlength=size)
        assert counts.max() - counts.min() <= 1, name
    names = list(attributes)
    for first in range(len(names)):
        for second in range(first):
            (a, m), (b, n) = attributes[names[first]], attributes[names[second]]
            table = np.bincount(a * n + b, minlength=m * n)
            expected = 48_000 / (m * n)
            chi_square = float(((table - expected) ** 2 / expected).sum())
            freedom = (m - 1) * (n - 1)
            assert chi_square < freedom + 5 * np.sqrt(2 * freedom), (names[first], names[second])


def test_neither_bit_tells_the_exclusive_or():
    _, world = tables(items=400)
    assert world.xor.mean() == 0.5
    for bit in (world.text_bit, world.picture_bit):
        assert world.xor[bit == 0].mean() == 0.5
        assert world.xor[bit == 1].mean() == 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_user_likes_half_of_the_values_of_each_kind(kind):
    table = likes(kind)
    assert table.shape == (SIZES[kind], SIZES[kind])
    assert (table.sum(axis=1) * 2 == SIZES[kind]).all()
    assert len({tuple(row) for row in table}) == SIZES[kind]
    assert num_liked(kind) * 2 == SIZES[kind]
    assert num_liked(kind, 0.01) == 1 and num_liked(kind, 1) == SIZES[kind] - 1
    assert likes(kind, 0.34).sum(axis=1).tolist() == [num_liked(kind, 0.34)] * SIZES[kind]


@pytest.mark.parametrize("number", range(4))
def test_with_all_weight_on_one_kind_only_that_kind_decides(number):
    weights = dict.fromkeys(KINDS, 0.0) | {KINDS[number]: 2.0}
    config, world = tables(users=2000, seed=3, **weights)
    users, items = choose(world, config)
    share = matches(world, users, items).mean(axis=0)
    assert share[number] > 0.99
    others = np.delete(share, number)
    assert np.abs(others - 0.5).max() < 0.03


def test_equal_weights_lift_the_kinds_equally():
    config, world = tables(users=3000, items=1000)
    users, items = choose(world, config)
    share = matches(world, users, items).mean(axis=0)
    assert share.min() > 0.8
    assert share.max() - share.min() < 0.05


def test_counts_of_choices():
    config, world = tables(users=5000, interactions_per_user=8)
    users, items = choose(world, config)
    per_user = np.bincount(users, minlength=config.users)
    assert per_user.min() == 3
    assert per_user.mean() == pytest.approx(8, abs=0.15)
    assert len(np.unique(users * config.items + items)) == len(users)
    assert items.min() >= 0
    assert items.max() < config.items


def test_choices_follow_gumbel_top_k():
    """The sampler's rate of choosing each item is that of a simulation that ranks utility + Gumbel noise."""
    config, world = tables(users=20_000, items=24, interactions_per_user=4, temperature=0.3, popularity=0.5)
    world = dataclasses.replace(world, preferences=np.tile(world.preferences[:1], (config.users, 1)))
    users, items = choose(world, config)
    wanted = np.bincount(users, minlength=config.users)
    rng = np.random.default_rng(99)
    noisy = world.log_weights(np.arange(config.users)) + rng.gumbel(size=(config.users, config.items))
    rank = np.argsort(np.argsort(-noisy, axis=1), axis=1)
    expected = (rank < wanted[:, None]).mean(axis=0)
    seen = np.bincount(items, minlength=config.items) / config.users
    deviation = np.sqrt(2 * expected * (1 - expected) / config.users)
    assert np.abs(seen - expected).max() < 4.5 * deviation.max()
    assert expected.max() > 3 * expected.min()


def test_the_strictest_tastes_take_the_best_items():
    """Where the draws cannot reach what is left, the rest is ranked: nobody misses a better item."""
    config, world = tables(users=200, items=60, interactions_per_user=12, temperature=0.001, popularity=0)
    users, items = choose(world, config)
    utility = world.log_weights(np.arange(config.users))
    chosen = np.zeros(utility.shape, dtype=bool)
    chosen[users, items] = True
    worst_chosen = np.where(chosen, utility, np.inf).min(axis=1)
    best_left = np.where(chosen, -np.inf, utility).max(axis=1)
    assert (worst_chosen >= best_left - 1e-6).all()


def test_popular_items_are_chosen_more_often():
    config, world = tables(users=4000, popularity=0.3)
    _, items = choose(world, config)
    degree = np.bincount(items, minlength=config.items)
    assert np.corrcoef(degree, world.appeal)[0, 1] > 0.3


def test_how_many_items_a_user_takes_does_not_depend_on_how_strict_tastes_are():
    """Also where all that a user likes is used up, and the rest has to be found among what they do not like."""
    only_colour = dict.fromkeys(KINDS, 0.0) | {"redundant": 1.0}
    counts = []
    for temperature in (0.001, 1.0):
        config, world = tables(
            users=300, items=20, interactions_per_user=10, popularity=2, temperature=temperature, **only_colour
        )
        users, _ = choose(world, config)
        counts.append(np.bincount(users, minlength=config.users))
    assert (counts[0] == counts[1]).all()
    assert counts[0].max() == 10
