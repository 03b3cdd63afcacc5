"""Errors of rows left out, in closed form, against fitting again without each row."""

import numpy as np
import pytest

from viral.lab.information.regression import PENALTIES, ridge


def solved(x: np.ndarray, target: np.ndarray, penalty: float, new: np.ndarray) -> np.ndarray:
    """Ridge with a free constant, by the normal equations."""
    mean, offset = x.mean(axis=0), target.mean(axis=0)
    gram = (x - mean).T @ (x - mean) + penalty * np.eye(x.shape[1])
    return (new - mean) @ np.linalg.solve(gram, (x - mean).T @ (target - offset)) + offset


def left_out(x: np.ndarray, target: np.ndarray, penalty: float) -> float:
    """The squared error over rows, each predicted by a fit without it."""
    rows = np.arange(len(x))
    found = [solved(x[rows != row], target[rows != row], penalty, x[row : row + 1])[0] for row in rows]
    return float(((np.array(found) - target) ** 2).sum())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
def test_the_penalty_is_the_one_that_foretells_rows_left_out_best(noise: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(10, 6)) + 2  # so few that what the constant learns of a row counts
    target = x @ rng.normal(size=(6, 3)) / 4 + noise * rng.normal(size=(10, 3)) + 5
    errors = [left_out(x, target, penalty * len(x)) for penalty in PENALTIES]
    chosen = float(PENALTIES[int(np.argmin(errors))])
    new = rng.normal(size=(8, 6)) + 2
    np.testing.assert_allclose(ridge(x, target, new), solved(x, target, chosen * len(x), new), rtol=1e-8, atol=1e-8)
    assert (chosen == PENALTIES[0]) == (noise == 0), "noise asks for a penalty"
