"""Scores of held-out items in small planted shops, end to end and with the knowledge taken away."""

from dataclasses import replace

import numpy as np
import pytest

from viral.lab.information.estimation import InformationEstimate
from viral.lab.information.item_parts import item_parts
from viral.lab.information.log_measures import InformationSettings, by_clusters, by_scores, require_one, score_pairs
from viral.lab.information.predicted_choices import log_factors
from viral.lab.information.validate import ValidationGrid, word_features, world_of

GRID = ValidationGrid(users=600, items=300, interactions_per_user=20.0, noise=0.02)
SETTINGS = InformationSettings(clusters=(8,), bootstrap=20, groups=2)


@pytest.fixture(scope="module")
def shops():
    """A shop for each planted kind, and its features."""
    made = {}
    for number, kind in enumerate(("redundant", "unique_text", "unique_visual", "synergistic")):
        world, split, config = world_of(np.eye(4)[number], GRID, number)
        made[kind] = split, word_features(world, GRID.noise, config.seed)
    return made


@pytest.fixture(scope="module")
def scored(shops):
    return {kind: score_pairs(*shop, 0) for kind, shop in shops.items()}


@pytest.mark.parametrize("kind", ["redundant", "unique_text", "unique_visual", "synergistic"])
@pytest.mark.parametrize("negatives", ["uniform", "popularity"])
def test_what_was_planted_is_found(scored, kind, negatives):
    found = by_scores(scored[kind][negatives], SETTINGS)[8]
    assert isinstance(found, InformationEstimate)
    for definition in ("broja", "common"):
        assert found.parts(definition).shares()[kind] > 0.75
    assert 0.08 < found.parts().total < 0.32  # a part of the truth, 0.311 bits
    interval = found.broja[kind]
    assert 0 < interval.low < interval.bits < interval.high


def test_exchanged_features_tell_nothing(shops):
    """The same log with the features of other items: whatever is found then is made up."""
    split, (text, visual) = shops["redundant"]
    order = np.random.default_rng(0).permutation(len(text))
    found = by_scores(score_pairs(split, (text[order], visual[order]), 0, ("popularity",))["popularity"], SETTINGS)[8]
    assert isinstance(found, InformationEstimate)
    assert abs(found.parts().total) < 0.01


def test_an_item_is_held_out_whole(shops):
    """Random vectors name every item; only a model that saw an item in training could use its name."""
    split, (text, visual) = shops["unique_text"]
    rng = np.random.default_rng(1)
    names = (rng.standard_normal(text.shape), rng.standard_normal(visual.shape))
    found = by_scores(score_pairs(split, names, 0, ("popularity",))["popularity"], SETTINGS)[8]
    assert isinstance(found, InformationEstimate)
    assert abs(found.parts().total) < 0.01


def test_items_add_up_to_the_whole(scored):
    for kind in ("redundant", "synergistic"):
        labels, pairs = scored[kind]["uniform"].labels(8), scored[kind]["uniform"].pairs
        items = item_parts(labels, pairs, 301)
        count = items["pairs"]["count"]
        assert count.sum() == len(pairs.users) and np.isnan(items["broja"]["redundant"][300])
        overall = by_scores(scored[kind]["uniform"], SETTINGS)[8]
        for definition in ("broja", "common"):
            for name, values in items[definition].items():
                mean = float(np.nansum(values * count) / count.sum())
                assert mean == pytest.approx(getattr(overall, definition)[name].plug_in, abs=1e-6)


def test_exchanged_sources_exchange_an_items_unique_parts(scored):
    labels, pairs = scored["unique_text"]["uniform"].labels(4), scored["unique_text"]["uniform"].pairs
    one = item_parts(labels, pairs, 300)["broja"]
    two = item_parts(replace(labels, text=labels.visual, visual=labels.text), pairs, 300)["broja"]
    for name, other in (("unique_text", "unique_visual"), ("redundant", "redundant"), ("synergistic", "synergistic")):
        np.testing.assert_allclose(one[name], two[other], atol=1e-6)


def test_clusters_of_held_out_pairs_find_what_they_can(shops):
    """Groups of users and cells of features; synergy needs both, and pairs enough."""
    split, features = shops["redundant"]
    found = by_clusters(split, features, log_factors(split.train), SETTINGS, "uniform")[8]
    assert isinstance(found, InformationEstimate)
    assert found.information["text"].low > 0.005
    assert found.common is None


def test_too_many_cells_are_refused_with_a_reason(shops):
    split, features = shops["redundant"]
    settings = InformationSettings(clusters=(64, 400 - 256), bootstrap=0)
    found = by_clusters(split, features, log_factors(split.train), settings, "uniform")
    assert all(isinstance(answer, str) and "--clusters" in answer for answer in found.values())
    with pytest.raises(Exception, match="no table has enough counts"):
        require_one({"clusters": found})


def test_the_seed_repeats(shops, scored):
    again = score_pairs(*shops["unique_text"], 0, ("uniform",))["uniform"]
    np.testing.assert_array_equal(again.scores["both"], scored["unique_text"]["uniform"].scores["both"])
