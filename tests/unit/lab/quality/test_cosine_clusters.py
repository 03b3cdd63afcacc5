import numpy as np
import pytest

from viral.base.errors import DataError
from viral.lab.quality.cosine_clusters import chance_purity, clustering, neighbour_purity, silhouettes


def brute_purity(vectors, labels, k):
    """Item by item: sort all others by cosine, count the own group among the first k."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    shares = []
    for i in range(len(unit)):
        others = sorted((j for j in range(len(unit)) if j != i), key=lambda j: -float(unit[i] @ unit[j]))
        shares.append(sum(labels[j] == labels[i] for j in others[:k]) / k)
    return np.array(shares)


def brute_silhouettes(vectors, labels):
    """From the table of all distances, by Rousseeuw's definition."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distance = 1 - unit @ unit.T
    found = []
    for i in range(len(unit)):
        own = [j for j in range(len(unit)) if labels[j] == labels[i] and j != i]
        if not own:
            found.append(0.0)
            continue
        a = np.mean([distance[i, j] for j in own])
        b = min(
            np.mean([distance[i, j] for j in range(len(unit)) if labels[j] == other])
            for other in set(labels) - {labels[i]}
        )
        found.append((b - a) / max(a, b))
    return np.array(found)


@pytest.fixture
def world():
    """Forty items of five groups that overlap; one item is alone in its group."""
    rng = np.random.default_rng(2)
    labels = np.array([*([0] * 15), *([1] * 12), *([2] * 8), *([3] * 4), 4])
    vectors = rng.normal(size=(40, 9)) + 0.8 * rng.normal(size=(5, 9))[labels] + 0.3
    order = rng.permutation(40)
    return vectors[order].astype(np.float32), labels[order]


@pytest.mark.parametrize("k", [1, 5, 39])
def test_purity_is_what_brute_force_finds(world, k):
    vectors, labels = world
    assert neighbour_purity(vectors, labels, k) == pytest.approx(brute_purity(vectors, labels, k))


def test_silhouettes_are_what_brute_force_finds(world):
    vectors, labels = world
    assert silhouettes(vectors, labels) == pytest.approx(brute_silhouettes(vectors.astype(float), labels), abs=1e-6)


def test_length_does_not_count(world):
    vectors, labels = world
    scaled = vectors * np.linspace(0.1, 50, len(vectors), dtype=np.float32)[:, None]
    one, other = clustering(vectors, labels, 5), clustering(scaled, labels, 5)
    assert (other.purity, other.silhouette) == pytest.approx((one.purity, one.silhouette), abs=1e-5)


def test_clear_groups_are_pure_and_shuffled_ones_are_chance():
    rng = np.random.default_rng(4)
    labels = np.arange(300) % 3
    vectors = 8 * np.eye(3)[labels] + rng.normal(size=(300, 3))
    clear = clustering(vectors, labels, 10)
    assert clear.purity > 0.99 and clear.silhouette > 0.8
    shuffled = clustering(vectors, rng.permutation(labels), 10)
    assert shuffled.purity == pytest.approx(shuffled.chance, abs=0.03) and abs(shuffled.silhouette) < 0.06
    assert (clear.items, clear.groups, clear.neighbours) == (300, 3, 10)


def test_chance_is_a_random_other_items(world):
    _, labels = world
    pairs = [labels[i] == labels[j] for i in range(40) for j in range(40) if i != j]
    assert chance_purity(labels) == pytest.approx(np.mean(pairs))


def test_few_items_have_few_neighbours_and_one_group_has_no_silhouette():
    found = clustering(np.eye(3), np.zeros(3, dtype=np.int64), 10)
    assert found.neighbours == 2 and found.purity == found.chance == 1.0 and np.isnan(found.silhouette)
    with pytest.raises(DataError, match="too few"):
        clustering(np.eye(1), np.zeros(1, dtype=np.int64), 10)


def test_equal_vectors_and_vectors_of_zeros_are_no_fault():
    vectors = np.zeros((6, 4))
    found = clustering(vectors, np.arange(6) % 2, 2)
    assert found.silhouette == 0.0 and 0 <= found.purity <= 1
