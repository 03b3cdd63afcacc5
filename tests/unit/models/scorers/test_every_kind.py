"""What every kind of scorer promises to its callers."""

from pathlib import Path

import pytest
import torch

from memories import memory_bundle
from viral.models.scorers import KINDS, MEMORY, EmbeddingScorer, Scorer, load_scorer
from viral.run.bundle import Bundle
from viral.run.retrieval import Retriever

USERS, ITEMS = torch.arange(20), 160


def scorers() -> dict[str, Scorer]:
    """User 2 has no history."""
    dense, sparse = (memory_bundle(kind).scorer for kind in ("dense", "sparse"))
    return {
        "vectors": dense.vectors, "dense weights": dense.memory, "sparse weights": sparse.memory,
        "memory, dense": dense, "memory, sparse": sparse,
    }  # fmt: skip


@pytest.fixture(params=list(scorers()))
def scorer(request: pytest.FixtureRequest) -> Scorer:
    return scorers()[request.param]


def seen(scorer: Scorer, user: int) -> torch.Tensor:
    return torch.zeros(0, dtype=torch.int64) if scorer.item_weights is None else scorer.item_weights.history(user)


def test_it_is_written_and_read(scorer: Scorer) -> None:
    assert scorer.kind in KINDS
    again = load_scorer(scorer.manifest(), scorer.tensors())
    assert type(again) is type(scorer)
    assert torch.equal(again(USERS), scorer(USERS)) and again.manifest() == scorer.manifest()
    with pytest.raises(KeyError):
        load_scorer(scorer.manifest() | {"scorer": "os.system"}, scorer.tensors())


def test_parts_and_profiles_add_up_to_the_score(scorer: Scorer) -> None:
    scores = scorer(USERS)
    for user, item in ((0, 0), (2, 9), (13, 159)):
        profile, parts = scorer.profile(user, seen(scorer, user)), scorer.split(user, item)
        assert sum(parts.values()) == pytest.approx(float(scores[user, item]), abs=1e-4)
        torch.testing.assert_close(profile.scores(), scores[user], rtol=1e-4, atol=1e-4)
        pairs = scorer.split_pairs(torch.tensor([user]), torch.tensor([item]))
        assert not pairs or {name: float(value) for name, value in pairs.items()} == pytest.approx(parts, abs=1e-4)


def test_a_user_who_is_folded_in_with_a_known_ones_sides_is_that_user(scorer: Scorer) -> None:
    for user in (0, 2, 7):
        known = scorer.profile(user, seen(scorer, user))
        found = scorer.fold_in(seen(scorer, user), known.vector)
        torch.testing.assert_close(found.scores(), known.scores(), rtol=1e-4, atol=1e-4)
        assert torch.equal(found.seen, seen(scorer, user))


def test_what_histories_add(scorer: Scorer) -> None:
    added = scorer.history_scores(USERS)
    torch.testing.assert_close(scorer.history_means(), added.mean(dim=1), rtol=1e-4, atol=1e-5)
    vectors = torch.zeros(()) if scorer.vectors is None else scorer.vectors.users @ scorer.vectors.items.T
    torch.testing.assert_close(added + vectors, scorer(USERS), rtol=1e-4, atol=1e-4)


def test_new_items_stand_behind_the_known_ones(scorer: Scorer) -> None:
    rows = scorer.item_vectors[torch.tensor([4, 11])]
    longer = scorer.extend(rows)
    assert (longer.num_users, longer.num_items) == (20, ITEMS + 2)
    scores = longer(USERS)
    torch.testing.assert_close(scores[:, :ITEMS], scorer(USERS), rtol=1e-4, atol=1e-4)
    expected = scorer(USERS)[:, [4, 11]]
    if scorer.vectors is not None:  # the memory of a new item is at its mean
        expected = expected - scorer.history_scores(USERS)[:, [4, 11]] + scorer.history_means()[:, None]
    torch.testing.assert_close(scores[:, ITEMS:], expected, rtol=1e-4, atol=1e-4)


def test_interest_is_comparable_among_users(scorer: Scorer) -> None:
    scores = scorer(USERS)
    found = scorer.interest(scorer.item_vectors[11], 11)
    if scorer.vectors is None:
        lengths = torch.tensor([max(1, len(seen(scorer, user))) for user in range(20)])
        expected = scores[:, 11] / lengths
    else:
        expected = (scores[:, 11] - scores.mean(dim=1)) / scores.std(dim=1, correction=0)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_cosines_are_of_vectors_alone(scorer: Scorer) -> None:
    found = scorer.by_cosine()
    if scorer.item_weights is not None:
        assert found is scorer
        return
    assert found.vectors is not None and found.vectors.parts == scorer.vectors.parts
    torch.testing.assert_close(found.vectors.items.norm(dim=1), torch.ones(ITEMS))


def test_the_memory_is_a_part_of_its_own() -> None:
    for name, scorer in scorers().items():
        assert (MEMORY in scorer.split(0, 1)) is name.startswith("memory")


class Backwards(EmbeddingScorer):
    """The worst first: a kind from outside the project."""

    kind = "Backwards"

    @property
    def vectors(self) -> EmbeddingScorer:
        return EmbeddingScorer(-self.users, self.items)

    def __call__(self, users: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        return self.vectors(users, out)


def test_a_kind_from_outside_is_kept_and_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = memory_bundle("dense")
    vectors = made.scorer.vectors
    own = Backwards(vectors.users, vectors.items)
    Bundle(own, made.users, made.items, made.titles, made.seen, {}).save(tmp_path / "b")
    monkeypatch.setitem(KINDS, "Backwards", lambda manifest, tensors: Backwards(tensors["users"], tensors["items"]))
    loaded = Bundle.load(tmp_path / "b")
    assert torch.equal(loaded.scorer(USERS), -vectors(USERS))
    best = Retriever(loaded).recommend("u2", 1)[0]  # who has no history
    assert best.item_id == f"i{int(vectors(torch.tensor([2])).argmin())}"
