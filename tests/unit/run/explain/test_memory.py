"""A score with a memory taken apart: parts, origins and history add up to it."""

from dataclasses import replace

import pytest
import torch

from memories import KINDS, Kind, memory_bundle, remembered_of, scores_of, table_of
from viral.models.scorers import MEMORY
from viral.run.explain import explain
from viral.run.retrieval import FoldIn, Retriever


@pytest.mark.parametrize("kind", KINDS)
def test_every_sum_is_the_score(kind: Kind) -> None:
    bundle = memory_bundle(kind)
    scores, fold_in = scores_of(bundle), FoldIn.of(bundle)
    for user, item in ((3, 9), (0, 5), (2, 1), (11, 140)):
        found = explain(bundle, f"u{user}", f"i{item}", fold_in=fold_in)
        assert found.score == pytest.approx(float(scores[user, item]), abs=1e-5)
        open_ = torch.ones(160, dtype=torch.bool)
        open_[bundle.seen.items[bundle.seen.users == user]] = False
        assert found.rank == int((scores[user] > scores[user, item])[open_].sum()) + 1
        assert list(found.parts) == ["text", "synergy", "unique_visual", MEMORY]
        assert list(found.origins) == ["text", "synergy", "unique_visual", "neighbours", MEMORY]
        assert sum(found.parts.values()) == found.score
        assert sum(found.origins.values()) == pytest.approx(found.score, abs=1e-9)
        assert found.origins[MEMORY] == found.parts[MEMORY] == bundle.scorer.split(user, item)[MEMORY]
        assert found.history + found.beyond == pytest.approx(found.score, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_history_carries_what_is_folded_in_and_what_is_remembered(kind: Kind) -> None:
    bundle = memory_bundle(kind)
    fold_in = FoldIn.of(bundle)
    taken = bundle.seen.items[bundle.seen.users == 3]
    item = int(remembered_of(bundle)[3].abs().argmax())
    said = float(bundle.scorer.scales[3]) * table_of(bundle)[taken, item].double()
    shares = fold_in.shares(taken, item).double() + said
    assert said.abs().max() > 0
    found = explain(bundle, "u3", f"i{item}", fold_in=fold_in)
    best = shares.sort(descending=True)
    kept = [n for n in range(5) if best.values[n] > 0]
    assert [one.item_id for one in found.evidence] == [f"i{int(taken[best.indices[n]])}" for n in kept]
    assert [one.share for one in found.evidence] == pytest.approx([float(best.values[n]) for n in kept], abs=1e-6)
    assert found.history == pytest.approx(float(shares.sum()), abs=1e-5)
    vector = fold_in.vector(taken).double() @ bundle.scorer.vectors.items[item].double()
    assert found.history == pytest.approx(float(vector) + found.parts[MEMORY], abs=1e-4)


def test_without_an_item_graph_or_a_history() -> None:
    bundle = memory_bundle("sparse")
    alone = replace(bundle, material=replace(bundle.material, unlinked=None))
    assert explain(alone, "u3", "i9").origins == {}
    found = explain(bundle, "u2", "i9")
    assert found.evidence == () and found.history == 0 and found.parts[MEMORY] == 0
    assert (
        Retriever(bundle).profile("u2").scores().argmax()
        == torch.tensor([explain(bundle, "u2", f"i{n}", fold_in=FoldIn.of(bundle)).score for n in range(160)]).argmax()
    )
