"""Nearest neighbours against brute force."""

import sys

import pytest
import torch

from viral.graph import SparseMatrix, knn_graph, nearest_neighbors, weighted_knn_graph, weighted_sum
from viral.graph import approximate_neighbors as inverted
from viral.graph import neighbors as nearest


def brute_force(features: torch.Tensor, k: int) -> list[set[int]]:
    unit = features.double() / features.double().norm(dim=1, keepdim=True)
    cosine = unit @ unit.T
    cosine.fill_diagonal_(2)
    return [set(row.argsort(descending=True)[:k].tolist()) for row in cosine]


@pytest.mark.parametrize("k", [1, 4, 31])
@pytest.mark.parametrize("tile", [1, 7, 31, 1000])
def test_brute_force(k, tile, monkeypatch):
    monkeypatch.setattr(nearest, "TILE", tile)
    features = torch.randn(31, 6, generator=torch.Generator().manual_seed(k))
    similarities, indices = nearest_neighbors(features, k)
    assert [set(row.tolist()) for row in indices] == brute_force(features, k)
    assert indices[:, 0].tolist() == list(range(31))
    cosine = torch.nn.functional.cosine_similarity(features[:, None], features[indices], dim=-1)
    torch.testing.assert_close(similarities, cosine)
    assert (similarities.diff(dim=1) <= 0).all()


@pytest.mark.parametrize("k", [1, 4, 30])
def test_tiles_find_those_that_are_present(k, monkeypatch):
    monkeypatch.setattr(nearest, "TILE", 7)
    rng = torch.Generator().manual_seed(k)
    features, present = torch.randn(40, 6, generator=rng), torch.rand(40, generator=rng) < 0.6
    present[14:21], present[21:28] = False, True  # a tile of nobody and a tile of all
    similarities, indices = nearest_neighbors(features, k, present)
    there, rows = similarities > -torch.inf, present.nonzero()[:, 0]
    expected = dict(zip(rows.tolist(), brute_force(features[rows], k), strict=True))
    for item, (near, found) in enumerate(zip(there, indices, strict=True)):
        assert found[near].tolist()[0] == item
        assert set(found[near].tolist()) == ({int(rows[n]) for n in expected[item]} if present[item] else {item})
    cosine = torch.nn.functional.cosine_similarity(features[:, None], features[indices], dim=-1)
    torch.testing.assert_close(similarities[there], cosine[there])


def test_memory_follows_the_tile_and_every_product_serves_both_sides(monkeypatch):
    seen = []
    offer = nearest.TopColumns.offer
    monkeypatch.setattr(nearest.TopColumns, "offer", lambda self, *of: seen.append(of[0].shape) or offer(self, *of))
    monkeypatch.setattr(nearest, "TILE", 8)
    nearest_neighbors(torch.randn(50, 3), 2)
    assert len(seen) == 7 * 7 and max(max(shape) for shape in seen) == 8


def clusters(present: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    rng = torch.Generator().manual_seed(0)
    centres = torch.randn(40, 16, generator=rng)
    features = centres[torch.randint(40, (3000,), generator=rng)] + 0.3 * torch.randn(3000, 16, generator=rng)
    features[7] = features[2000]  # an exact copy
    return features, torch.rand(3000, generator=rng) > 0.3 if present else None


@pytest.mark.parametrize("some_absent", [False, True])
def test_inverted_lists_find_what_is_exact(some_absent, capsys):
    pytest.importorskip("faiss")
    features, present = clusters(some_absent)
    exact, near = nearest_neighbors(features, 9, present)
    similarities, found = nearest_neighbors(features, 9, present, approximate_above=100)
    assert "recall 0.99" in (said := capsys.readouterr().err) or "recall 1.000" in said
    assert found[:, 0].tolist() == list(range(3000))
    there = exact > -torch.inf
    assert torch.equal(similarities > -torch.inf, there)
    hit = (near[:, :, None] == found[:, None]).any(dim=2)[there].double().mean()
    assert hit >= 0.99
    torch.testing.assert_close(similarities[there], exact[there], atol=0.02, rtol=0)


def test_lists_that_find_too_little_are_not_used(monkeypatch, capsys):
    pytest.importorskip("faiss")
    monkeypatch.setattr(inverted, "LEAST_PROBES", 1)
    monkeypatch.setattr(inverted, "MOST", 10**9)
    features = torch.randn(2000, 32, generator=torch.Generator().manual_seed(0))  # near to nobody in particular
    _, found = nearest_neighbors(features, 5, approximate_above=100)
    assert "too few" in capsys.readouterr().err
    assert torch.equal(found, nearest_neighbors(features, 5)[1])


def test_without_faiss_it_is_exact_and_says_what_that_costs(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "faiss", None)
    features, _ = clusters(False)
    _, found = nearest_neighbors(features, 3, approximate_above=100)
    said = capsys.readouterr().err
    assert "viral[ann]" in said and "TFLOP" in said
    assert torch.equal(found, nearest_neighbors(features, 3)[1])


def test_an_item_is_its_own_neighbour_among_exact_copies():
    similarities, indices = nearest_neighbors(torch.ones(6, 3), 2)
    assert indices[:, 0].tolist() == list(range(6))
    torch.testing.assert_close(similarities, torch.ones(6, 2))


def test_an_item_without_features_is_like_nothing_but_itself():
    features = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 0.1]])
    similarities, indices = nearest_neighbors(features, 2)
    assert indices[0, 0] == 0 and similarities[0, 1] == 0
    assert indices[1].tolist() == [1, 2]


def test_fewer_items_than_neighbours():
    graph = knn_graph(torch.randn(3, 2), 10)
    torch.testing.assert_close(graph.to_torch().to_dense(), torch.full((3, 3), 1 / 3))


def test_the_graph_is_the_mean_of_the_neighbours():
    features = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    graph = knn_graph(features, 3).to_torch().to_dense()
    for row, neighbours in zip(graph, brute_force(features, 3), strict=True):
        assert set(row.nonzero()[:, 0].tolist()) == neighbours
        torch.testing.assert_close(row[row > 0], torch.full((3,), 1 / 3))


def test_the_weighted_graph_has_the_cosines_scaled_by_the_row_sums():
    features = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    unit = torch.nn.functional.normalize(features, dim=1)
    weights = torch.zeros(12, 12)
    for row, neighbours in enumerate(brute_force(features, 5)):
        for column in neighbours:
            weights[row, column] = max(0.0, (unit[row] @ unit[column]).item())
    scale = weights.sum(dim=1).rsqrt()
    graph = weighted_knn_graph(features, 5).to_torch().to_dense()
    torch.testing.assert_close(graph, scale[:, None] * weights * scale)
    assert (graph != graph.T).any(), "an item may be near another that has nearer ones"


def test_an_item_without_features_breaks_no_weighted_graph():
    graph = weighted_knn_graph(torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.1]]), 3).to_torch().to_dense()
    assert graph.isfinite().all() and (graph >= 0).all()


PRESENT = torch.tensor([True, False, True, True, False, True])


@pytest.mark.parametrize("build", [knn_graph, weighted_knn_graph])
def test_filled_in_features_make_nobody_neighbours(build):
    features = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)).abs()
    features[~PRESENT] = features[PRESENT].mean(dim=0)  # which is near to everybody
    graph = build(features, 3, PRESENT).to_torch().to_dense()
    alone = build(features[PRESENT], 3).to_torch().to_dense()
    torch.testing.assert_close(graph[PRESENT][:, PRESENT], alone)
    torch.testing.assert_close(graph[~PRESENT], torch.eye(6)[~PRESENT])
    assert not graph[PRESENT][:, ~PRESENT].any()


@pytest.mark.parametrize("build", [knn_graph, weighted_knn_graph])
def test_fewer_items_with_features_than_neighbours(build):
    graph = build(torch.ones(6, 2), 5, PRESENT)
    torch.testing.assert_close(graph.to_torch().to_dense()[PRESENT][:, PRESENT], torch.full((4, 4), 1 / 4))
    assert len(graph.values) == 4 * 4 + 2


def random_sparse(seed: int) -> SparseMatrix:
    g = torch.Generator().manual_seed(seed)
    rows, columns = torch.randint(0, 5, (9,), generator=g), torch.randint(0, 6, (9,), generator=g)
    return SparseMatrix.of(rows, columns, torch.randn(9, generator=g), (5, 6))


def test_a_weighted_sum_is_the_dense_one():
    graphs = {"a": random_sparse(0), "b": random_sparse(1)}
    summed = weighted_sum(graphs, {"b": 0.3, "a": 2.0})
    expected = 2 * graphs["a"].to_torch().to_dense() + 0.3 * graphs["b"].to_torch().to_dense()
    torch.testing.assert_close(summed.to_torch().to_dense(), expected)
    places = [tuple(place) for place in torch.stack(summed.entries()[:2]).T.tolist()]
    assert len(places) == len(set(places)), "a place is stored once"


def test_a_weighted_sum_needs_the_same_names():
    with pytest.raises(ValueError, match="different modalities"):
        weighted_sum({"a": random_sparse(0)}, {"b": 1.0})
