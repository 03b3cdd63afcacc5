"""k-means and the clustered estimate."""

import numpy as np
import pytest

from viral.base.errors import UsageError
from viral.lab.information.choice_pairs import Pairs
from viral.lab.information.feature_clusters import cluster_labels, kmeans, user_groups


def blobs(seed=0, count=30):
    rng = np.random.default_rng(seed)
    centres = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])
    truth = np.repeat(np.arange(4), count)
    return centres[truth] + rng.normal(size=(4 * count, 2)), truth


def test_blobs_are_found():
    x, truth = blobs()
    found = kmeans(x, 4, np.arange(len(x)), 0)
    assert len({(a, b) for a, b in zip(truth.tolist(), found.tolist(), strict=True)}) == 4


def test_rows_that_did_not_fit_go_to_the_nearest_centre():
    x, truth = blobs()
    fit = np.arange(0, len(x), 2)
    found = kmeans(x, 4, fit, 0)
    assert len({(a, b) for a, b in zip(truth.tolist(), found.tolist(), strict=True)}) == 4
    moved = x.copy()
    moved[1::2] = 100.0
    np.testing.assert_array_equal(kmeans(moved, 4, fit, 0)[fit], found[fit])


def test_the_seed_repeats():
    x, _ = blobs()
    np.testing.assert_array_equal(kmeans(x, 7, np.arange(len(x)), 3), kmeans(x, 7, np.arange(len(x)), 3))


def test_equal_rows_are_no_fault():
    assert set(kmeans(np.ones((20, 3)), 4, np.arange(20), 0).tolist()) <= {0, 1, 2, 3}


def test_more_centres_than_rows_are_refused():
    with pytest.raises(UsageError, match="21 clusters of 20 rows"):
        kmeans(np.ones((20, 3)), 21, np.arange(20), 0)


def test_users_are_grouped_by_direction():
    towards = np.repeat(np.array([[1.0, 0.0], [0.0, 1.0]]), 10, axis=0)
    groups = user_groups(towards * np.linspace(1, 50, 20)[:, None], 2, 0)
    assert len(set(groups[:10])) == len(set(groups[10:])) == 1 and groups[0] != groups[10]


def test_cells_are_of_both_sources():
    x, truth = blobs()
    items = np.arange(len(x))
    pairs = Pairs(np.zeros_like(items), items, items % 2, np.zeros_like(items))
    found = cluster_labels((x, x[:, :1]), pairs, np.array([0]), items, 4, 0)
    np.testing.assert_array_equal(found.both, found.text * 4 + found.visual)
    assert found.common_text is None and len(set(found.text[truth == 2])) == 1
