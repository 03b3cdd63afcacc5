"""Binary morphology agrees with SciPy's."""

import numpy as np
import pytest
from scipy import ndimage

from viral.enrich.pixel.morphology import closed, dilated, eroded, opened

SQUARE = np.ones((3, 3), dtype=bool)
MASKS = [np.random.default_rng(seed).random((23 + seed, 31)) < 0.4 + 0.1 * seed for seed in range(5)]


@pytest.mark.parametrize("mask", [*MASKS, np.ones((4, 5), bool), np.zeros((4, 5), bool), np.ones((1, 1), bool)])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_results_are_those_of_the_general_filters(mask, times):
    before = mask.copy()
    np.testing.assert_array_equal(eroded(mask, times), ndimage.binary_erosion(mask, iterations=times))
    np.testing.assert_array_equal(dilated(mask, times), ndimage.binary_dilation(mask, iterations=times))
    np.testing.assert_array_equal(opened(mask, times), ndimage.binary_opening(mask, iterations=times))
    np.testing.assert_array_equal(eroded(mask, times, square=True), ndimage.binary_erosion(mask, SQUARE, times))
    np.testing.assert_array_equal(opened(mask, times, square=True), ndimage.binary_opening(mask, SQUARE, times))
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("times", [1, 2])
def test_closing_does_not_wear_the_mask_off_at_the_edge_of_the_picture(mask, times):
    padded = np.pad(mask, times)
    expected = ndimage.binary_closing(padded, iterations=times)[times:-times, times:-times]
    np.testing.assert_array_equal(closed(mask, times), expected | mask)
