from importlib.util import find_spec

import numpy as np
import pytest

from viral.base import extras
from viral.base.errors import UsageError
from viral.lab.quality.map_projection import project, resolve


def distances(points):
    return np.linalg.norm(points[:, None] - points[None], axis=2)


@pytest.mark.parametrize("shape", [(40, 6), (12, 90)])
def test_principal_components_are_those_of_a_singular_value_decomposition(shape):
    vectors = np.random.default_rng(1).normal(size=shape) * np.linspace(3, 0.1, shape[1])
    found = project(vectors, "pca", seed=0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    left, spread, _ = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
    assert distances(found.points) == pytest.approx(distances(left[:, :2] * spread[:2]), abs=1e-8)
    assert np.abs(found.points.T @ found.points)[0, 1] < 1e-8 and found.points[:, 0].var() >= found.points[:, 1].var()
    assert found.explained == pytest.approx((spread[:2] ** 2).sum() / (spread**2).sum())
    assert found.method == "pca"


def test_a_picture_of_two_dimensions_is_shown_whole():
    angles = np.linspace(0, 2, 15)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    turned = circle @ np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))[0][:2]
    found = project(turned, "pca", seed=0)
    assert distances(found.points) == pytest.approx(distances(circle), abs=1e-9)
    assert found.explained == pytest.approx(1.0)


@pytest.mark.parametrize("vectors", [np.ones((4, 3)), np.zeros((3, 2)), np.eye(1), np.array([[1.0], [-1.0], [1.0]])])
def test_vectors_without_two_dimensions_are_drawn_where_they_are(vectors):
    found = project(vectors, "pca", seed=0)
    assert found.points.shape == (len(vectors), 2) and np.isfinite(found.points).all()
    assert found.explained == pytest.approx(1.0)


def test_the_sign_of_an_axis_does_not_depend_on_the_order_of_the_items():
    vectors = np.random.default_rng(3).normal(size=(20, 5))
    order = np.random.default_rng(4).permutation(20)
    assert project(vectors[order], "pca", seed=0).points == pytest.approx(
        project(vectors, "pca", seed=0).points[order], abs=1e-9
    )


def test_methods_are_chosen_by_what_is_installed(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert resolve("auto") == resolve("pca") == "pca"
    with pytest.raises(UsageError, match="not installed") as error:
        resolve("tsne")
    assert "pip install" in error.value.hint
    monkeypatch.setattr(extras, "find_spec", lambda name: object())
    assert (resolve("auto"), resolve("tsne"), resolve("pca")) == ("tsne", "tsne", "pca")
    with pytest.raises(UsageError, match="unknown method"):
        resolve("umap")


@pytest.mark.skipif(find_spec("openTSNE") is None, reason="openTSNE is an optional extra")
def test_tsne_keeps_groups_together_and_repeats_itself():
    rng = np.random.default_rng(5)
    labels = np.arange(45) % 3
    vectors = 6 * np.eye(3)[labels] + rng.normal(size=(45, 3))
    first, again = (project(vectors, "tsne", seed=1) for _ in range(2))
    assert first.method == "tsne" and first.explained is None
    assert np.array_equal(first.points, again.points)
    nearest = distances(first.points) + 1e9 * np.eye(45)
    assert (labels[nearest.argmin(axis=1)] == labels).mean() > 0.9
    assert project(vectors[:4], "tsne", seed=1).method == "pca", "four items have no neighbourhoods"
