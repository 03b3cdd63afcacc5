"""Do the estimators rank planted worlds? The small grid finds gross faults; the slow one is the acceptance."""

import numpy as np
import pytest

from viral.lab.information.validate import GRIDS, ValidationGrid, agreement, run_grid, weights


def test_grids_are_of_different_weights_and_one_sided_ones_have_one_unique_kind():
    for kind in GRIDS:
        drawn = weights(kind, ValidationGrid(worlds=9))
        assert drawn.shape == (9, 4) and len(np.unique(drawn[:, 0])) == 9
        np.testing.assert_allclose(drawn.sum(axis=1), 1.0)
    assert (np.minimum(drawn[:, 1], drawn[:, 2]) == 0).all()


@pytest.mark.slow
def test_one_sided_worlds_are_ranked_as_planted():
    """Both definitions, every kind, against the exact truth and the planted weights: Spearman at least 0.9."""
    found = agreement(run_grid("one_sided", ValidationGrid()))
    for definition in ("broja", "common"):
        assert min(found[definition]["truth"]) >= 0.9
        assert min(found[definition]["weights"]) >= 0.9
