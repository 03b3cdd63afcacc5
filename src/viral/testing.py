"""For models outside the project: a world whose answer is known, and the contract that every recommender keeps.

``check_recommender(MyModel)`` in a test of one's own is what the models of the zoo are held to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from viral.base.recipe import TrainConfig
from viral.data.features import FeatureTable
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.sampling import TripletSampler
from viral.data.splitting import Split
from viral.data.vocabulary import Vocabulary
from viral.evaluation import evaluate
from viral.models.base import EmbeddingRecommender, Recommender
from viral.training import build_model, fit

MODALITIES = ("text", "description", "image")
TRAIN = TrainConfig(learning_rate=0.02, batch_size=256, max_epochs=40, patience=8, monitor="ndcg@10")


@dataclass(frozen=True)
class World:
    """A split, features of every modality, and the inputs that a model gets."""

    split: Split
    tables: tuple[FeatureTable, ...]
    inputs: ModelInputs


def interactions(pairs: Sequence[tuple[int, int]], num_users: int, num_items: int) -> Interactions:
    """Interactions from (user, item) pairs."""
    table = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    return Interactions(table[:, 0], table[:, 1], num_users, num_items)


def two_tastes(size: int = 40, *, cold: bool = False, width: int = 8) -> World:
    """Even users like even items, odd users odd ones; every modality tells an item's parity.

    The diagonal (u, u) is the test set and (u, u + 2) the validation set; every other liked item is in train. So of
    all items not in train or valid, exactly one is to a user's taste: the withheld one. ``cold`` adds a user and an
    item without any interaction.
    """
    liked = [(u, i) for u in range(size) for i in range(size) if (u - i) % 2 == 0]
    valid = [(u, (u + 2) % size) for u in range(size)]
    test = [(u, u) for u in range(size)]
    train = sorted(set(liked) - set(valid) - set(test))
    total = size + cold
    users = Vocabulary([f"u{n}" for n in range(total)], "user")
    items = Vocabulary([f"i{n}" for n in range(total)], "item")
    train_set, valid_set, test_set = (interactions(pairs, total, total) for pairs in (train, valid, test))
    split = Split(train_set, valid_set, test_set, users, items)
    tables = tuple(_features(items, modality, width, seed) for seed, modality in enumerate(MODALITIES))
    return World(split, tables, ModelInputs.of(split, tables))


def _features(items: Vocabulary, modality: str, width: int, seed: int) -> FeatureTable:
    values = np.random.default_rng(seed).normal(0, 0.1, (len(items), width)).astype(np.float32)
    values[np.arange(len(items)), np.arange(len(items)) % 2] += 1
    return FeatureTable(items.ids, modality, values, "test")


def check_recommender(model: type[Recommender[Any]], config: Any = None, *, train: TrainConfig = TRAIN) -> None:
    """Raise ``AssertionError`` with every part of the contract that ``model`` breaks; ``config``: its own by default.

    It learns the world of two tastes (of all items a user has not seen, the withheld ones come first), its scorer is
    pure and the same at the same seed and after a state dict's round trip, it scores items and users
    without interactions, and every parameter of a model that learns by gradient gets one.
    """
    config = model.Config() if config is None else config
    faults = [*_scoring(model, config), *_training(model, config, train)]
    assert not faults, f"{model.__name__}: " + "; ".join(faults)


def _scoring(model: type[Recommender[Any]], config: Any) -> list[str]:
    """What is wrong with its scores before any training."""
    world = two_tastes(cold=True)
    one, other = (build_model(model, world.inputs, config, 0).eval() for _ in range(2))
    first, faults = _scores(one), []
    if first.shape != (one.num_users, one.num_items) or not first.isfinite().all():
        faults.append("scores are not a number for every user and item, one without interactions included")
    if not torch.equal(first, _scores(one)):
        faults.append("scoring twice gives two answers")
    if not torch.equal(first, _scores(other)):
        faults.append("one seed gives two models")
    other.load_state_dict(build_model(model, world.inputs, config, 1).state_dict())
    other.load_state_dict(one.state_dict())
    if not torch.equal(first, _scores(other.eval())):
        faults.append("its state dict does not bring it back")
    return faults


def _training(model: type[Recommender[Any]], config: Any, train: TrainConfig) -> list[str]:
    """What is wrong with how it learns."""
    world = two_tastes()
    withheld = world.split.valid.union(world.split.test)  # two items a user
    built, faults = build_model(model, world.inputs, config, 0), []
    learner = built.trainable
    if learner is not None:
        idle = _without_gradient(learner, world.split.train)
        faults += [f"no gradient reaches {', '.join(idle)}"] if idle else []
    fit(built, Split(world.split.train, withheld, world.split.test, world.split.users, world.split.items), train)
    found = evaluate(built.scorer(), withheld, world.split.train, cutoffs=(2,)).mean()["recall@2"]
    if found < 1:
        faults.append(f"it does not learn the two tastes: recall@2 of the withheld items is {found:.2f}, not 1")
    return faults


def _scores(model: Recommender[Any]) -> Tensor:
    return model.scorer()(torch.arange(model.num_users))


def _without_gradient(model: EmbeddingRecommender[Any], train: Interactions) -> list[str]:
    """Names of the parameters whose gradient is 0 over an epoch."""
    rng, idle = torch.Generator().manual_seed(0), dict(model.named_parameters())
    model.train()
    model.on_epoch_start(rng)
    for batch in TripletSampler(train).epoch(64, rng):
        model.zero_grad()
        torch.stack(list(model.loss(batch).values())).sum().backward()
        idle = {name: one for name, one in idle.items() if one.grad is None or not one.grad.any()}
    model.zero_grad()
    return list(idle)
