"""What a step minimises: a softmax over users' items, with what the model adds to its ranking loss."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from viral.base.recipe import TrainConfig
from viral.data.interactions import Interactions, Triplets
from viral.evaluation import evaluate
from viral.models import EmbeddingRecommender, EmbeddingScorer
from viral.training import fit, objectives
from viral.training import loop as training
from viral.training.objectives import OwnLoss, SoftmaxLoss, objective_of, pairs_of, ranker_of
from worlds import ZOO, World, class_of, first_batch, interactions, small_model, two_tastes

LEARNERS = [name for name in ZOO if issubclass(class_of(name), EmbeddingRecommender)]
CONFIG = TrainConfig(loss="softmax", batch_size=7).of_model({})


@pytest.fixture(scope="module")
def world() -> World:
    """User 16 took nothing and item 16 is in nobody's history."""
    return two_tastes(16, cold=True)


def with_everything(world: World) -> Interactions:
    """User 3 takes all sixteen items that there are."""
    return world.split.train.union(interactions([(3, item) for item in range(16)], 17, 17))


@dataclass
class Watched:
    """What each step of an epoch was given."""

    users: list[Tensor] = field(default_factory=list)
    pairs: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    candidates: list[Tensor | None] = field(default_factory=list)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    found, pairs, loss = Watched(), objectives.pairs_of, objectives.softmax_loss

    def of_users(users: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor]:
        found.users.append(users)
        found.pairs.append(pairs(users, *rest))
        return found.pairs[-1]

    def of_items(*given: Any, candidates: Tensor | None) -> Tensor:
        found.candidates.append(candidates)
        return loss(*given, candidates=candidates)

    monkeypatch.setattr(objectives, "pairs_of", of_users)
    monkeypatch.setattr(objectives, "softmax_loss", of_items)
    return found


def steps(world: World, train: Interactions, seed: int = 0, **config: object) -> Iterator[objectives.TrainingStep]:
    model = small_model("lightgcn", world)
    objective = SoftmaxLoss(model, train, replace(CONFIG, **config))
    return objective.epoch(torch.Generator().manual_seed(seed))


def test_an_epoch_is_of_every_user_once_with_all_that_they_took(world: World, watched: Watched) -> None:
    whole = world.split.train
    kept = (whole.users > 3) | (whole.items < 8)  # so that some took less than others
    train = Interactions(whole.users[kept], whole.items[kept], 17, 17)
    shares = [step.share for step in steps(world, train)]
    assert [len(users) for users in watched.users] == [7, 7, 2]
    assert sorted(torch.cat(watched.users).tolist()) == list(range(16)), "not user 16, who took nothing"
    seen = [
        (int(users[row]), item)
        for users, (rows, items) in zip(watched.users, watched.pairs, strict=True)
        for row, item in zip(rows.tolist(), items.tolist(), strict=True)
    ]
    assert sorted(seen) == sorted(zip(train.users.tolist(), train.items.tolist(), strict=True))
    assert sum(shares) == pytest.approx(1)
    assert shares == [len(rows) / len(train) for rows, _ in watched.pairs]


def test_the_order_is_another_each_epoch(world: World, watched: Watched) -> None:
    for seed in (0, 1, 0):
        list(steps(world, world.split.train, seed))
    first, second, again = (torch.cat(watched.users[n : n + 3]) for n in (0, 3, 6))
    assert torch.equal(first, again) and not torch.equal(first, second)


def test_users_who_took_everything_are_left_out(world: World, watched: Watched) -> None:
    """There is no item that theirs could stand above; item 16, which nobody took, is none for the negatives either."""
    train = with_everything(world)
    list(steps(world, train))
    assert sorted(torch.cat(watched.users).tolist()) == [user for user in range(16) if user != 3]
    objective = SoftmaxLoss(small_model("lightgcn", world), train, CONFIG)
    assert objective.num_skipped == OwnLoss(small_model("lightgcn", world), train, CONFIG).num_skipped > 16 - 3


def test_all_items_are_there_unless_some_are_to_stand_for_them(
    world: World, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(steps(world, world.split.train))
    assert watched.candidates == [None, None, None]
    list(steps(world, world.split.train, sampled_items=5))
    drawn = watched.candidates[3:]
    assert all(len(items.unique()) == 5 and items.max() < 17 for items in drawn)
    assert not torch.equal(drawn[0], drawn[1]), "others in each step"
    list(steps(world, world.split.train, sampled_items=17))
    assert watched.candidates[6:] == [None, None, None]
    monkeypatch.setattr(objectives, "MOST_LOGITS", 7 * 17 - 1)
    monkeypatch.setattr(objectives, "DRAWN", 4)
    list(steps(world, world.split.train))
    assert [None if items is None else len(items) for items in watched.candidates[9:]] == [4, 4, None]


def test_a_step_is_the_mean_over_pairs_written_out(world: World, watched: Watched) -> None:
    """-log of e^(s/τ) over itself and all that the user did not take, s the cosine."""
    model = small_model("lightgcn", world).double()
    objective = SoftmaxLoss(model, world.split.train, replace(CONFIG, temperature=0.3))
    terms, _ = next(objective.epoch(torch.Generator().manual_seed(0)))
    users, items = (F.normalize(table, dim=1) for table in model.embed())
    offsets, taken = world.split.train.rows()
    losses = []
    for user in watched.users[0].tolist():
        own = taken[offsets[user] : offsets[user + 1]]
        logits = items @ users[user] / 0.3
        others = torch.tensor([item for item in range(17) if item not in own.tolist()])
        losses += [-(logits[one] - torch.cat([logits[one, None], logits[others]]).logsumexp(0)) for one in own]
    torch.testing.assert_close(terms["softmax"], torch.stack(losses).mean())


def test_what_stands_beside_the_ranking_stays(world: World) -> None:
    """Of LightGCN the size of what a batch looks up, over one triplet of each user of the batch."""
    model = small_model("lightgcn", world)
    assert model.loss(first_batch(world)).keys() == {"bpr", "reg"}
    step = next(steps(world, world.split.train))
    assert step.terms.keys() == {"softmax", "reg"}
    assert model.side_terms(lambda: first_batch(world)) == {"reg": model.loss(first_batch(world))["reg"]}


def test_a_model_without_more_draws_no_triplets(world: World) -> None:
    model = small_model("viral", world)
    assert model.side_terms(partial(pytest.fail, "a batch was drawn")) == {}
    step = next(SoftmaxLoss(model, world.split.train, CONFIG).epoch(torch.Generator().manual_seed(0)))
    assert step.terms.keys() == {"softmax"}


@pytest.mark.parametrize("name", LEARNERS)
def test_every_model_says_which_of_its_terms_rank(name: str, world: World) -> None:
    model = small_model(name, world).train()
    model.on_epoch_start(torch.Generator().manual_seed(0))
    batch = first_batch(world)
    terms = model.loss(batch).keys()
    assert terms & model.RANKING, "nothing of it would be replaced"
    if name != "viral":
        assert model.side_terms(lambda: batch).keys() == terms - model.RANKING


def test_a_triplet_of_each_user_is_of_what_they_took_and_did_not_take(world: World) -> None:
    train = world.split.train
    objective = SoftmaxLoss(small_model("lightgcn", world), train, CONFIG)
    taken = set(zip(train.users.tolist(), train.items.tolist(), strict=True))
    rng, users, seen = torch.Generator().manual_seed(0), torch.tensor([5, 0, 15, 2]), set()
    for _ in range(60):
        found: Triplets = objective._triplets(users, rng)
        assert torch.equal(found.users, users)
        pairs, others = (
            set(zip(users.tolist(), of.tolist(), strict=True)) for of in (found.positives, found.negatives)
        )
        assert pairs <= taken and not others & taken and not (found.negatives == 16).any()
        seen |= pairs
    assert seen == {(user, item) for user, item in taken if user in users.tolist()}, "each of them comes up"


def test_pairs_of_users_by_hand() -> None:
    train = interactions([(0, 2), (2, 0), (2, 3), (0, 1), (3, 2)], 4, 4)
    rows, items = pairs_of(torch.tensor([2, 1, 0]), *train.rows())
    assert rows.tolist() == [0, 0, 2, 2] and items.tolist() == [0, 3, 1, 2]
    assert [part.tolist() for part in pairs_of(torch.tensor([1]), *train.rows())] == [[], []]


def test_the_configuration_names_the_objective(world: World) -> None:
    model = small_model("lightgcn", world)
    assert isinstance(objective_of(model, world.split.train, CONFIG), SoftmaxLoss)
    assert isinstance(objective_of(model, world.split.train, replace(CONFIG, loss="own")), OwnLoss)


def test_who_was_trained_by_cosines_ranks_by_cosines(world: World) -> None:
    model = small_model("viral-light", world)
    plain, found = model.scorer(), ranker_of(model, CONFIG)
    assert isinstance(found, EmbeddingScorer) and found.parts == plain.parts
    for table, of in ((found.users, plain.users), (found.items, plain.items)):
        torch.testing.assert_close(table, F.normalize(of, dim=1))
        assert torch.allclose(table.norm(dim=1), torch.ones(17))
    assert torch.equal(ranker_of(model, replace(CONFIG, loss="own")).users, plain.users)
    ease = small_model("ease", world)
    assert torch.equal(ranker_of(ease, CONFIG).weights, ease.weights)


def test_lightgcn_learns_by_the_softmax(monkeypatch: pytest.MonkeyPatch) -> None:
    """And validation, which chooses the epoch, looks at the cosines that will rank."""
    world, measured, validate = two_tastes(), [], training.measure_valid

    def watch(scorer: EmbeddingScorer, split: Any) -> dict[str, float]:
        measured.append(scorer.users.norm(dim=1))
        return validate(scorer, split)

    monkeypatch.setattr(training, "measure_valid", watch)
    withheld = world.split.valid.union(world.split.test)  # two items a user
    model = small_model("lightgcn", world)
    config = TrainConfig(loss="softmax", learning_rate=0.05, batch_size=16, max_epochs=40, monitor="ndcg@10")
    before = evaluate(ranker_of(model, CONFIG), withheld, world.split.train, cutoffs=(2,)).mean()["recall@2"]
    report = fit(model, replace(world.split, valid=withheld), config)
    assert report.history[0].losses.keys() == {"softmax", "reg"}
    assert report.history[-1].losses["softmax"] < report.history[0].losses["softmax"]
    after = evaluate(ranker_of(model, CONFIG), withheld, world.split.train, cutoffs=(2,)).mean()["recall@2"]
    assert before < 0.5 < after == 1.0
    assert len(measured) == len(report.history) and all(torch.allclose(x, torch.ones(40)) for x in measured)
