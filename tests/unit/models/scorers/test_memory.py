"""Vectors with a memory beside them against the formula, and either side of any scorer."""

import pytest
import torch

from memories import KINDS, WEIGHT, Kind, memory_bundle, remembered_of, scores_of
from viral.models.scorers import MEMORY


@pytest.mark.parametrize("kind", KINDS)
def test_scores_and_their_parts(kind: Kind) -> None:
    bundle = memory_bundle(kind)
    scorer, expected = bundle.scorer, scores_of(bundle)
    torch.testing.assert_close(scorer(torch.arange(20)).double(), expected, rtol=1e-4, atol=1e-4)
    room = torch.full((2, 165), 7.0)[:, :160]  # as full ranking gives it: rows apart
    assert scorer(torch.tensor([4, 2]), room) is room
    torch.testing.assert_close(room.double(), expected[[4, 2]], rtol=1e-4, atol=1e-4)
    for user, item in ((3, 9), (2, 1), (0, 5)):
        parts = scorer.split(user, item)
        assert list(parts) == ["text", "synergy", "unique_visual", MEMORY]
        assert sum(parts.values()) == pytest.approx(float(expected[user, item]), abs=1e-5)
        assert parts[MEMORY] == pytest.approx(float(remembered_of(bundle)[user, item]), abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_memory_spreads_alike_for_everybody(kind: Kind) -> None:
    scorer = memory_bundle(kind).scorer
    spread = scorer.history_scores(torch.arange(20)).std(dim=1, correction=0)
    assert spread[2] == 0 and scorer.scales[2] == 0
    assert spread[spread > 0].tolist() == pytest.approx([WEIGHT] * 19, rel=1e-4)
    assert scorer.scale_of(scorer.memory.history(4)) == pytest.approx(float(scorer.scales[4]))


@pytest.mark.parametrize("kind", KINDS)
def test_means_over_all_items(kind: Kind) -> None:
    bundle = memory_bundle(kind)
    expected = remembered_of(bundle).mean(dim=1)
    assert expected.abs().max() > 0.01
    torch.testing.assert_close(bundle.scorer.history_means().double(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_parts_of_pairs_in_any_order(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viral.graph.blocks.BLOCK_ENTRIES", 3 * 160)  # three users at once
    scorer, rng = memory_bundle(kind).scorer, torch.Generator().manual_seed(3)
    users, items = torch.randint(20, (50,), generator=rng), torch.randint(160, (50,), generator=rng)
    found = scorer.split_pairs(users, items)
    for row, (user, item) in enumerate(zip(users.tolist(), items.tolist(), strict=True)):
        assert {name: float(values[row]) for name, values in found.items()} == pytest.approx(
            scorer.split(user, item), abs=1e-5
        )
    assert all(len(values) == 0 for values in scorer.split_pairs(users[:0], items[:0]).values())


def test_either_side_of_any_scorer() -> None:
    scorer = memory_bundle("dense").scorer
    assert scorer.vectors is scorer.vectors and scorer.item_weights is scorer.memory
    assert scorer.vectors.vectors is scorer.vectors and scorer.vectors.item_weights is None
    assert scorer.memory.vectors is None and scorer.memory.item_weights is scorer.memory
    assert scorer.memory.split_pairs(torch.tensor([0]), torch.tensor([0])) == {}
