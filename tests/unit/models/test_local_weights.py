"""Item-item weights solved item by item: the dense solution where every item is a candidate, and its cut elsewhere."""

import pytest
import torch

from viral.base.recipe import MemoryConfig
from viral.models.families.closed_form import item_weights
from viral.models.families.local_weights import local_weights
from worlds import World, random_world

NUMBERS = MemoryConfig(reg_weight=2.0, feature_weight=3.0, feature_reg=0.5, user_power=0.5, dropout=0.3)


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(40, 14, 0.5, seed=6)


@pytest.mark.parametrize("modalities", [(), ("text",), ("text", "image")])
def test_with_every_item_as_candidate_it_is_the_dense_solution(modalities, world):
    found = local_weights(world.inputs, modalities, 200, NUMBERS) @ torch.eye(14)
    torch.testing.assert_close(found, item_weights(world.inputs, modalities, NUMBERS), rtol=1e-3, atol=1e-4)


def test_a_column_has_no_more_than_its_candidates_and_never_its_own_item(world):
    found = local_weights(world.inputs, ("text",), 4, NUMBERS) @ torch.eye(14)
    assert (found != 0).sum(dim=0).max() <= 4
    assert not found.diagonal().any()


def test_few_candidates_are_solved_for_among_themselves(world):
    """One candidate: the weight is a division."""
    found = local_weights(world.inputs, (), 1, NUMBERS)
    dense = found @ torch.eye(14)
    rows, columns, _ = found.entries()
    from viral.models.families.closed_form import weighted_gram

    gram = weighted_gram(world.inputs.train, 0.5)
    for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
        expected = gram[i, j] / (gram[i, i] * (1 + 0.3 / 0.7) + 2.0)
        assert float(dense[i, j]) == pytest.approx(float(expected), rel=1e-4)
