"""The target: choices and as many non-choices."""

import numpy as np
import pytest
import torch

from viral.base.errors import DataError, UsageError
from viral.data.interactions import Interactions
from viral.lab.information.choice_pairs import draw_pairs, item_folds


def log(users=50, items=60, share=0.2, seed=0):
    taken = np.random.default_rng(seed).random((users, items)) < share * np.linspace(0.2, 1.8, items)
    user, item = taken.nonzero()
    return Interactions(torch.tensor(user), torch.tensor(item), users, items), taken


@pytest.mark.parametrize("negatives", ["uniform", "popularity"])
def test_every_choice_has_one_negative_of_its_user_and_fold(negatives):
    interactions, taken = log()
    folds = item_folds(60, 0)
    found = draw_pairs(interactions, interactions, folds, np.arange(60), negatives, seed=1)
    positive, negative = found.chosen == 1, found.chosen == 0
    assert positive.sum() == negative.sum() == len(interactions)
    np.testing.assert_array_equal(found.users[positive], found.users[negative])
    np.testing.assert_array_equal(found.folds[positive], found.folds[negative])
    np.testing.assert_array_equal(found.folds, folds[found.items])
    assert taken[found.users[positive], found.items[positive]].all()
    assert not taken[found.users[negative], found.items[negative]].any()


def test_matched_negatives_are_as_popular_as_choices():
    interactions, _ = log(400, share=0.05)
    folds, degree = np.zeros(60, dtype=np.int64), interactions.item_degrees().numpy()
    mean = {}
    for kind in ("uniform", "popularity"):
        found = draw_pairs(interactions, interactions, folds, np.arange(60), kind, seed=1)
        mean[kind] = degree[found.items[found.chosen == 0]].mean() / degree[found.items[found.chosen == 1]].mean()
    assert mean["uniform"] < 0.85 < 0.93 < mean["popularity"] < 1.05


def test_what_was_seen_elsewhere_is_no_negative():
    interactions, taken = log()
    held_out = Interactions(interactions.users[::5], interactions.items[::5], 50, 60)
    found = draw_pairs(held_out, interactions, np.zeros(60, dtype=np.int64), np.arange(60), "uniform", seed=0)
    assert not taken[found.users[found.chosen == 0], found.items[found.chosen == 0]].any()


def test_a_user_of_everything_has_no_negative():
    users, items = torch.zeros(60, dtype=torch.int64), torch.arange(60)
    everything = Interactions(torch.cat([users, torch.tensor([1])]), torch.cat([items, torch.tensor([0])]), 2, 60)
    found = draw_pairs(everything, everything, np.zeros(60, dtype=np.int64), np.arange(60), "uniform", seed=0)
    assert found.users.tolist() == [1, 1]


def test_faults():
    interactions, _ = log()
    folds = np.zeros(60, dtype=np.int64)
    with pytest.raises(UsageError, match="unknown negatives"):
        draw_pairs(interactions, interactions, folds, np.arange(60), "hard", seed=0)
    with pytest.raises(DataError, match="39 items are too few"):
        item_folds(39, 0)
    nobody = Interactions(interactions.users[:0], interactions.items[:0], 50, 60)
    with pytest.raises(DataError, match="no pair"):
        draw_pairs(nobody, interactions, folds, np.arange(60), "uniform", seed=0)


def test_folds_are_equal_and_do_not_follow_the_shops_numbers():
    """A fold drawn as the generator draws an attribute would hold out whole kinds of objects, not a chance set."""
    from viral.lab.shop.config import ShopConfig
    from viral.lab.shop.world import make_world

    world = make_world(ShopConfig(items=600, pictures=False))
    folds = item_folds(600, 0)
    assert np.bincount(folds).tolist() == [150] * 4
    for attribute in (world.thing, world.colour, world.origin, world.text_bit):
        counts = np.zeros((4, 12))
        np.add.at(counts, (folds, attribute), 1)
        assert counts[:, : attribute.max() + 1].min() > 0.3 * 150 / (attribute.max() + 1)
