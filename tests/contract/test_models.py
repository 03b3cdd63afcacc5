"""The contract of every model of the zoo, on a world whose answer is known."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass, replace
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from viral.base.recipe import TrainConfig
from viral.data.sampling import TripletSampler
from viral.evaluation import evaluate
from viral.models import EmbeddingRecommender, Recommender
from viral.training import fit
from worlds import ZOO, World, class_of, small_model, two_tastes

# Recall within the first 10 or 20 of so small a catalogue is soon perfect; nDCG still sees who comes first.
TRAIN = TrainConfig(learning_rate=0.02, batch_size=256, max_epochs=40, patience=8, monitor="ndcg@10")
LEARNERS = [name for name in ZOO if issubclass(class_of(name), EmbeddingRecommender)]
PERSONAL = [name for name in ZOO if name != "popularity"]  # which shows everybody the same, and so cannot tell


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes()


@cache
def trained(name: str) -> Recommender:
    world = two_tastes()
    model = small_model(name, world)
    fit(model, replace(world.split, valid=world.split.valid.union(world.split.test)), TRAIN)
    return model


@pytest.mark.parametrize("name", PERSONAL)
def test_learns_the_two_tastes(name, world):
    withheld = world.split.valid.union(world.split.test)  # two items a user
    metrics = evaluate(trained(name).scorer(), withheld, world.split.train, cutoffs=(2,))
    assert metrics.mean()["recall@2"] == 1.0


@pytest.mark.parametrize("name", LEARNERS)
def test_every_parameter_is_trained(name, world):
    model = small_model(name, world)
    rng = torch.Generator().manual_seed(0)
    model.train()
    model.on_epoch_start(rng)
    largest = dict.fromkeys((key for key, _ in model.named_parameters()), 0.0)
    for batch in TripletSampler(world.split.train).epoch(64, rng):
        model.zero_grad()
        torch.stack(list(model.loss(batch).values())).sum().backward()
        for key, parameter in model.named_parameters():
            if parameter.grad is not None:
                largest[key] = max(largest[key], parameter.grad.abs().max().item())
    assert largest, "a learner without parameters"
    assert [key for key, size in largest.items() if size == 0] == []


def reachable(value: object, done: set[int]) -> Iterator[Tensor]:
    """Every tensor that hangs on an object, through modules, containers and dataclasses."""
    if id(value) in done:
        return
    done.add(id(value))
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from reachable(item, done)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from reachable(item, done)
    elif isinstance(value, nn.Module):
        yield from reachable(vars(value), done)
    elif is_dataclass(value):
        for key in value.__dataclass_fields__:
            yield from reachable(getattr(value, key), done)


def hidden(model: nn.Module) -> list[tuple[int, ...]]:
    owned = {id(t) for t in model.parameters()}
    return [tuple(t.shape) for t in reachable(model, set()) if t.requires_grad and id(t) not in owned]


@pytest.mark.parametrize("name", ZOO)
def test_no_tensor_hides_from_the_optimizer(name, world):
    assert hidden(small_model(name, world)) == []


def test_a_hidden_tensor_would_be_found():
    class Hiding(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(2, 3)]
            self.kept = {"deep": (torch.zeros(5, requires_grad=True),)}

    assert sorted(hidden(Hiding())) == [(3,), (3, 2), (5,)]


@pytest.mark.parametrize("name", ZOO)
def test_every_tensor_of_a_module_has_an_owner(name, world):
    model = small_model(name, world)
    owned = {id(t) for t in [*model.parameters(), *model.buffers()]}
    loose = [
        f"{type(module).__name__}.{key}"
        for module in model.modules()
        for key, value in vars(module).items()
        if isinstance(value, Tensor) and id(value) not in owned
    ]
    assert loose == []


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ZOO)
def test_the_scorer_is_pure(name, training, world):
    model = small_model(name, world).train(training)
    if isinstance(model, EmbeddingRecommender):
        model.on_epoch_start(torch.Generator().manual_seed(1))
    state = {key: value.clone() for key, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    users = torch.arange(model.num_users)
    first, second = model.scorer()(users), model.scorer()(users)
    assert torch.equal(first, second)
    assert model.training is training
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert not first.requires_grad


@pytest.mark.parametrize("name", LEARNERS)
def test_the_scorer_is_the_same_while_training(name, world):
    model = small_model(name, world)
    model.on_epoch_start(torch.Generator().manual_seed(1))
    users = torch.arange(model.num_users)
    assert torch.equal(model.train().scorer()(users), model.eval().scorer()(users))


@pytest.mark.parametrize("name", LEARNERS)
def test_embed_is_pure(name, world):
    model = small_model(name, world).eval()
    a, b = model.embed(), model.embed()
    assert torch.equal(a.users, b.users) and torch.equal(a.items, b.items)
    assert a.users.shape[0] == model.num_users and a.items.shape[0] == model.num_items


@pytest.mark.parametrize("name", LEARNERS)
def test_the_scorer_outlives_further_training(name, world):
    model = small_model(name, world)
    scorer = model.scorer()
    before = scorer(torch.arange(5)).clone()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(-3)
    assert torch.equal(scorer(torch.arange(5)), before)


@pytest.mark.parametrize("name", ZOO)
def test_the_state_dict_round_trips(name, world):
    model = trained(name)
    twin = small_model(name, world, seed=7)
    twin.load_state_dict(model.state_dict())
    users = torch.arange(model.num_users)
    assert torch.equal(model.score(users), twin.score(users))


def scores_after_an_epoch(name: str, world: World, seed: int) -> Tensor:
    model = small_model(name, world, seed)
    fit(model, world.split, TrainConfig(max_epochs=1, batch_size=256, seed=seed))
    return model.score(torch.arange(model.num_users))


@pytest.mark.parametrize("name", ZOO)
def test_the_seed_decides(name, world):
    torch.manual_seed(11)
    first = scores_after_an_epoch(name, world, seed=3)
    torch.manual_seed(12)
    assert torch.equal(scores_after_an_epoch(name, world, seed=3), first)
    if name in LEARNERS:
        assert not torch.allclose(scores_after_an_epoch(name, world, seed=4), first)
