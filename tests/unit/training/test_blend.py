"""Vectors and memory in one score: the memory is a closed form, its weight the best on validation or nothing."""

from dataclasses import dataclass, replace
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from viral.base.errors import UsageError
from viral.base.recipe import MemoryConfig, TrainConfig
from viral.data.inputs import ModelInputs
from viral.evaluation import evaluate
from viral.models import EmbeddingScorer, HistoryScorer, Scorer, SparseHistoryScorer
from viral.models.families import closed_form
from viral.models.families.local_weights import local_weights
from viral.models.scorers import MemoryScorer
from viral.training import item_memory as blend
from viral.training.item_memory import (
    FEATURE_WEIGHTS,
    WEIGHTS,
    Tried,
    choose,
    finish,
    fixed,
    largest,
    memory_of,
    remember,
    spreads,
)
from worlds import World, dense, interactions, random_world, small_model, two_tastes

EASE = MemoryConfig(kind="ease")
GIVEN = MemoryConfig(kind="ease", reg_weight=3.0, feature_weight=5.0, feature_reg=2.0, user_power=0.7, dropout=0.3)
OWN = TrainConfig(loss="own").of_model({})


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(40, 30, 0.25, seed=6)


@pytest.fixture(scope="module")
def vectors() -> EmbeddingScorer:
    """Of users and items alike random, in spreads that differ from user to user."""
    rng = torch.Generator().manual_seed(0)
    users = torch.randn(40, 8, generator=rng) * torch.linspace(0.5, 3, 40)[:, None]
    return EmbeddingScorer(users, torch.randn(30, 8, generator=rng), {"text": (0, 3), "taste": (3, 8)})


@dataclass
class Table:
    """Scores as they are."""

    scores: Tensor  # (U, I)

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        found = self.scores[users].float()
        return found if out is None else out.copy_(found)

    @property
    def num_users(self) -> int:
        return len(self.scores)

    @property
    def num_items(self) -> int:
        return self.scores.shape[1]


def user_values(scorer: Scorer, world: World) -> Tensor:
    """Recall@20 + NDCG@20 on validation, for every user."""
    found = evaluate(scorer, world.split.valid, world.split.train, (20,), metrics=("recall", "ndcg")).per_user
    return found["recall@20"] + found["ndcg@20"]


def value_of(scorer: Scorer, world: World) -> float:
    metrics = evaluate(scorer, world.split.valid, world.split.train, (20,)).mean()
    return metrics["recall@20"] + metrics["ndcg@20"]


def no_diagonal(inverse: Tensor, target: Tensor) -> Tensor:
    """The solution P T whose diagonal is 0: P T - P diag(γ), (I, I)."""
    free = inverse @ target
    return (free - inverse * (free.diagonal() / inverse.diagonal())).fill_diagonal_(0)


def weights_of(inputs: ModelInputs, config: MemoryConfig, names: tuple[str, ...]) -> Tensor:
    """min ‖√D (X - XW)‖² + ‖√Λ W‖² + β‖W - S‖², diag(W) = 0, and S the same of features, in float64: (I, I)."""
    x = dense(inputs.train)
    eye, counts = torch.eye(x.shape[1], dtype=x.dtype), x.sum(dim=1)
    users = (counts.clamp(min=1) / counts.clamp(min=1).mean()) ** -config.user_power
    gram = x.T @ (users[:, None] * x)
    held = config.reg_weight * eye + config.dropout / (1 - config.dropout) * torch.diag(gram.diagonal())
    if not names:
        return no_diagonal(torch.linalg.inv(gram + held), gram)
    kernel = torch.zeros_like(gram)
    for name in names:
        features = F.normalize(inputs.features[name].double(), dim=1) * inputs.given(name)[:, None]
        kernel += features @ features.T / len(names)
    of_features = no_diagonal(torch.linalg.inv(kernel + config.feature_reg * eye), kernel)
    beta = config.feature_weight
    return no_diagonal(torch.linalg.inv(gram + held + beta * eye), gram + beta * of_features)


@pytest.mark.parametrize("names", [(), ("text",), ("text", "image")], ids=str)
def test_the_memory_is_the_closed_form_of_choices_and_features(names: tuple[str, ...], world: World) -> None:
    found = memory_of(world.inputs, GIVEN, names)
    assert isinstance(found, HistoryScorer)
    expected = weights_of(world.inputs, GIVEN, names)
    torch.testing.assert_close(found.weights.double(), expected, rtol=1e-3, atol=1e-5)
    sums = dense(world.inputs.train) @ expected
    torch.testing.assert_close(found(torch.arange(40)).double(), sums, rtol=1e-3, atol=1e-4)
    if names:
        shared = ("reg_weight", "feature_weight", "feature_reg", "user_power", "dropout")
        visual = {"visual": "image"} if "image" in names else {}
        model = small_model("l3ae", world, **{name: getattr(GIVEN, name) for name in shared}, **visual)
        torch.testing.assert_close(found.weights, model.weights, rtol=1e-4, atol=1e-6)


def test_items_without_features_are_rows_of_zeros(world: World) -> None:
    """What stands in their place is the others' mean, which tells nothing of them."""
    there = torch.arange(30) % 4 > 0
    inputs = replace(world.inputs, present={"text": there})
    config = replace(GIVEN, feature_weight=200.0)
    found = memory_of(inputs, config, ("text",))
    torch.testing.assert_close(found.weights.double(), weights_of(inputs, config, ("text",)), rtol=1e-3, atol=1e-5)
    assert not torch.allclose(found.weights, memory_of(world.inputs, config, ("text",)).weights, atol=1e-3)


def test_only_the_largest_weights_are_kept(world: World) -> None:
    whole = memory_of(world.inputs, GIVEN, ("text",)).weights
    found = memory_of(world.inputs, replace(GIVEN, neighbors=4), ("text",))
    assert isinstance(found, SparseHistoryScorer)
    kept = found.weights.to_torch().to_dense()
    assert ((kept != 0).sum(dim=1) == 4).all() and torch.equal(kept[kept != 0], whole[kept != 0])
    least = torch.where(kept != 0, kept.abs(), torch.inf).amin(dim=1)
    assert (torch.where(kept == 0, whole.abs(), 0.0).amax(dim=1) <= least).all()
    assert isinstance(memory_of(world.inputs, replace(GIVEN, neighbors=30), ()), HistoryScorer), "that is all of them"


def test_the_largest_are_so_by_absolute_value() -> None:
    table = torch.tensor([[0.0, -3.0, 1.0, 2.0], [4.0, 0.0, -0.5, -5.0]])
    assert largest(table, 2).to_torch().to_dense().tolist() == [[0, -3, 0, 2], [4, 0, 0, -5]]


def test_spreads_are_the_standard_deviations_over_items(vectors: EmbeddingScorer) -> None:
    scores = vectors(torch.arange(40))
    torch.testing.assert_close(spreads(vectors), scores.std(dim=1, correction=0))
    flat = replace(vectors, items=torch.ones(30, 8))
    assert torch.equal(spreads(flat), torch.zeros(40))


def scores_by_hand(vectors: EmbeddingScorer, world: World, choice: tuple[float, float]) -> Tensor:
    """s(u, i) = ⟨u, i⟩ + w σ̄ m_ui / σ_u, σ̄ the vectors' mean spread and σ_u that of the memory's sums m_u: (U, I)."""
    feature_weight, weight = choice
    plain = vectors.users.double() @ vectors.items.double().T
    sums = dense(world.inputs.train) @ weights_of(world.inputs, replace(EASE, feature_weight=feature_weight), ("text",))
    spread = sums.std(dim=1, correction=0, keepdim=True)
    return plain + weight * plain.std(dim=1, correction=0).mean() * torch.where(spread > 0, sums / spread, 0)


def test_what_validation_cannot_tell_from_the_best_and_is_nearest_to_even_is_taken(
    vectors: EmbeddingScorer, world: World
) -> None:
    """Every choice is measured here once more, from the formulas."""
    values = {
        choice: user_values(Table(scores_by_hand(vectors, world, choice)), world)
        for choice in product(FEATURE_WEIGHTS, WEIGHTS)
    }
    best = max(values, key=lambda choice: values[choice].mean())
    behind = {choice: values[best] - of for choice, of in values.items()}
    close = {c for c, lost in behind.items() if lost.mean() <= 0.5 * lost.std(correction=0) / len(lost) ** 0.5}
    assert 1 < len(close) < len(values), "some are told apart and some are not"
    order = (0.5, 1.0, 0.25, 2.0, 0.0, 4.0)
    expected = min(order.index(weight) for _, weight in close)
    found = remember(vectors, world.inputs, world.split, EASE, ("text",))
    told = tuple(found.memory[name] for name in ("feature_weight", "weight"))
    assert told in close and told[1] == order[expected]
    assert found.memory["kind"] == "ease" and found.memory["features"] == ["text"]
    assert isinstance(found.scorer, MemoryScorer) and found.scorer.vectors is vectors
    torch.testing.assert_close(
        found.scorer(torch.arange(40)).double(), scores_by_hand(vectors, world, told), rtol=1e-3, atol=1e-3
    )
    parts = found.scorer.split(3, 4)
    assert list(parts) == ["text", "taste", "memory"]
    assert sum(parts.values()) == pytest.approx(scores_by_hand(vectors, world, told)[3, 4].item(), abs=1e-3)


def test_the_memorys_part_has_the_same_spread_for_every_user(vectors: EmbeddingScorer, world: World) -> None:
    found = remember(vectors, world.inputs, world.split, replace(EASE, weight=2.0), ()).scorer
    assert isinstance(found, MemoryScorer)
    remembered = found.history_scores(torch.arange(40)).std(dim=1, correction=0)
    torch.testing.assert_close(remembered, (2 * spreads(vectors).mean()).expand(40), rtol=1e-4, atol=1e-5)
    assert found.scale_of(found.memory.history(3)) == pytest.approx(float(found.scales[3]), rel=1e-4)


def test_a_memory_helps_vectors_that_know_nothing() -> None:
    world = two_tastes()
    rng = torch.Generator().manual_seed(0)
    blind = EmbeddingScorer(torch.randn(40, 4, generator=rng), torch.randn(40, 4, generator=rng))
    found = remember(blind, world.inputs, world.split, EASE, ("text",))
    assert found.memory["weight"] > 0 and value_of(found.scorer, world) > value_of(blind, world) + 0.2


def test_where_no_memory_is_best_the_model_ranks_alone() -> None:
    """Vectors that know the validation item already: the smallest weight, 0, wins against what is as good."""
    world = two_tastes()
    wanted = torch.zeros(40, 40)
    wanted[world.split.valid.users, world.split.valid.items] = 1.0
    knowing = EmbeddingScorer(wanted, torch.eye(40))
    found = remember(knowing, world.inputs, world.split, EASE, ("text",))
    assert found.scorer is knowing
    assert (found.memory["features"], found.memory["weight"]) == (["text"], 0.0)


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float | None]]:
    """The memories that were made, by λ and β."""
    found, make = [], blend.memory_of

    def watch(inputs: ModelInputs, config: MemoryConfig, names: tuple[str, ...]) -> object:
        found.append((config.reg_weight, config.feature_weight))
        return make(inputs, config, names)

    monkeypatch.setattr(blend, "memory_of", watch)
    return found


def test_what_was_chosen_before_is_chosen_no_more(
    vectors: EmbeddingScorer, world: World, solved: list[tuple[float, float | None]]
) -> None:
    first = remember(vectors, world.inputs, world.split, EASE, ("text",))
    assert solved == [(EASE.reg_weight, beta) for beta in FEATURE_WEIGHTS]
    config = fixed(EASE, first.memory)
    assert config == replace(EASE, **{name: first.memory[name] for name in ("weight", "feature_weight")})
    solved.clear()
    other = replace(world.split, valid=world.split.test)  # by which another would be chosen, or not
    again = remember(vectors, world.inputs, other, config, ("text",))
    assert again.memory == first.memory and len(solved) == 1
    assert torch.equal(again.scorer(torch.arange(40)), first.scorer(torch.arange(40)))
    assert fixed(EASE, {}) == EASE


def test_a_weight_of_nothing_stays_nothing(vectors: EmbeddingScorer, world: World) -> None:
    told = {"kind": "ease", "features": ["text"], "weight": 0.0, "feature_weight": 30.0}
    found = remember(vectors, world.inputs, world.split, fixed(EASE, told), ("text",))
    assert found.scorer is vectors and found.memory == told


def test_a_part_of_the_choice_can_be_given(
    vectors: EmbeddingScorer, world: World, solved: list[tuple[float, float | None]]
) -> None:
    remember(vectors, world.inputs, world.split, replace(EASE, reg_weight=7.0, feature_weight=1.0), ("text",))
    assert solved == [(7.0, 1.0)]
    solved.clear()
    remember(vectors, world.inputs, world.split, EASE, ())
    assert solved == [(EASE.reg_weight, 0.0)], "without features there is no weight of them"
    given = remember(vectors, world.inputs, world.split, replace(EASE, weight=0.25), ("text",))
    assert given.memory["weight"] == 0.25


def test_without_validation_what_is_given_is_taken(vectors: EmbeddingScorer, world: World) -> None:
    empty = replace(world.split, valid=interactions([], 40, 30))
    found = remember(vectors, world.inputs, empty, replace(EASE, weight=2.0, feature_weight=1.0), ("text",))
    assert (found.memory["weight"], found.memory["feature_weight"]) == (2.0, 1.0)
    assert remember(vectors, world.inputs, empty, EASE, ("text",)).scorer is vectors


def test_off_is_the_model_alone(world: World) -> None:
    model = small_model("lightgcn", world)
    found = finish(model, world.inputs, world.split, OWN, MemoryConfig(kind="off"))
    assert found.memory == {} and torch.equal(found.scorer.users, model.scorer().users)


def test_a_model_that_reads_nothing_can_be_given_features(world: World) -> None:
    model = small_model("lightgcn", world)
    config = replace(GIVEN, weight=1.0)
    told = {"kind": "ease", "weight": 1.0}
    for features, names, weight in ((None, (), 0.0), (("text",), ("text",), 5.0)):
        found = finish(model, world.inputs, world.split, OWN, replace(config, features=features))
        assert found.memory == told | {"features": list(names), "feature_weight": weight}
        expected = memory_of(world.inputs, replace(GIVEN, feature_weight=weight), names)
        assert torch.equal(found.scorer.memory.weights, expected.weights)
    ours = finish(small_model("viral", world, sources=("image",)), world.inputs, world.split, OWN, config)
    assert ours.memory["features"] == ["image"], "by itself, those that the model reads"


def test_beside_cosines_the_memory_stands_beside_cosines(world: World) -> None:
    model = small_model("lightgcn", world)
    softmax = TrainConfig(loss="softmax").of_model({})
    found = finish(model, world.inputs, world.split, softmax, replace(EASE, weight=1.0)).scorer
    assert isinstance(found, MemoryScorer) and torch.allclose(found.vectors.users.norm(dim=1), torch.ones(40))


@pytest.mark.parametrize("name", ["ease", "itemknn", "popularity"])
def test_a_model_without_vectors_is_refused(name: str, world: World) -> None:
    with pytest.raises(UsageError, match="has no vectors that a memory could stand beside") as caught:
        finish(small_model(name, world), world.inputs, world.split, OWN, EASE)
    assert "memory.kind=off" in caught.value.hint


def kept_of(found: object) -> Tensor:
    """How many weights each item has for others: (I,)."""
    assert isinstance(found, SparseHistoryScorer)
    return (found.weights.to_torch().to_dense() != 0).sum(dim=1)


def test_of_many_items_some_weights_are_kept_unless_told_how_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blend, "KEPT", 6)
    for most in (29, 30):
        monkeypatch.setattr(blend, "MANY_ITEMS", most)
        found = memory_of(world.inputs, GIVEN, ("text",))
        assert isinstance(found, HistoryScorer) if most == 30 else (kept_of(found) == 6).all()
        assert (kept_of(memory_of(world.inputs, replace(GIVEN, neighbors=4), ("text",))) == 4).all()


def test_where_all_by_all_would_be_too_large_it_is_solved_item_by_item(
    vectors: EmbeddingScorer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("text",)
    monkeypatch.setattr(blend, "CANDIDATES", 12)
    monkeypatch.setattr(closed_form, "MAX_BYTES", 4 * 30 * 30 - 1)
    for neighbors, count in ((None, 12), (5, 5)):
        found = memory_of(world.inputs, replace(GIVEN, neighbors=neighbors), names)
        assert isinstance(found, SparseHistoryScorer)
        expected = local_weights(world.inputs, names, count, GIVEN)
        assert torch.equal(found.weights.to_torch().to_dense(), expected.to_torch().to_dense())
    chosen = remember(vectors, world.inputs, world.split, EASE, names)
    assert isinstance(chosen.scorer, MemoryScorer) and isinstance(chosen.scorer.memory, SparseHistoryScorer)
    assert value_of(chosen.scorer, world) >= value_of(vectors, world)
    monkeypatch.setattr(closed_form, "MAX_BYTES", 4 * 30 * 30)
    assert isinstance(memory_of(world.inputs, GIVEN, names), HistoryScorer)


def tried(*rows: tuple[float, list[float]]) -> list[Tried]:
    return [Tried(w, 30.0, torch.tensor(values, dtype=torch.float64), EmbeddingScorer(torch.eye(2), torch.eye(2)))
            for w, values in rows]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "weight"),
    [
        ([(0.0, [1.0, 1.0, 1.0]), (0.5, [0.5, 0.5, 0.5])], 0.0),  # worse for everybody: no doubt
        ([(0.0, [1.0, 0.0, 1.0]), (0.5, [0.0, 0.9, 1.0])], 0.5),  # a little worse, by chance
        ([(0.25, [1.0, 0.0, 1.0]), (4.0, [0.0, 1.1, 1.0])], 0.25),  # a little better, farther from even
        ([(0.0, [1.0, 1.0, 0.0]), (0.5, [1.0, 1.0, 0.0]), (1.0, [0.0, 0.0, 0.0])], 0.0),  # changes nothing
        ([(2.0, [1.0, 1.0]), (4.0, [3.0, 3.0])], 4.0),
    ],
)
def test_the_choice_by_hand(rows: list[tuple[float, list[float]]], weight: float) -> None:
    assert choose(tried(*rows)).weight == weight
