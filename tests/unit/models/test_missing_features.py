"""Items without features of their own: what was filled in must not make them neighbours of anybody."""

import dataclasses

import pytest
import torch

from viral.graph import SparseMatrix
from worlds import World, random_world, small_model

ABSENT = [3, 8, 9]
OF_FEATURES = ("cohesion", "dragon", "freedom", "gume", "lattice", "mentor", "mgcn", "smore", "viral", "viral-light")


@pytest.fixture(scope="module")
def world() -> World:
    """A random world in which three items have the mean of the others in every modality."""
    whole = random_world(20, 15, 0.3, seed=4)
    given = whole.inputs
    present = torch.ones(15, dtype=torch.bool)
    present[ABSENT] = False
    features = {m: x.clone() for m, x in given.features.items()}
    for x in features.values():
        x[~present] = x[present].mean(dim=0)
    inputs = dataclasses.replace(given, features=features, present=dict.fromkeys(features, present))
    return dataclasses.replace(whole, inputs=inputs)


def item_graphs(model: torch.nn.Module) -> dict[str, SparseMatrix]:
    """Every sparse matrix among the items that the model holds."""
    square = (15, 15)
    return {n: m for n, m in model.named_modules() if isinstance(m, SparseMatrix) and m.shape == square}


@pytest.mark.parametrize("name", OF_FEATURES)
def test_an_item_without_features_is_near_to_nobody(name, world):
    graphs = item_graphs(small_model(name, world))
    assert graphs
    for matrix in graphs.values():
        dense = matrix.to_torch().to_dense()
        torch.testing.assert_close(dense[ABSENT][:, ABSENT], torch.eye(len(ABSENT)))
        dense.fill_diagonal_(0)
        assert not dense[ABSENT].any() and not dense[:, ABSENT].any()
        assert dense.any(), "the others have neighbours"
