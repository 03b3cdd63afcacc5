"""What the parity tests of content models share: a world with gaps, and a model whose weights hide nothing."""

from dataclasses import replace

import torch
from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.models import EmbeddingRecommender
from worlds import World, random_world, small_model

Weights = dict[str, Tensor]
BOTH = {"both": {}, "text alone": {"visual": None}, "picture alone": {"text": None}}


def world_with_gaps() -> World:
    """25 users, 20 items, both with some that train never sees; the picture's features are wider than the text's."""
    world = random_world(25, 20, 0.15, seed=5)
    train = world.split.train
    kept = (train.users != 3) & (train.items != 7)
    train = replace(train, users=train.users[kept], items=train.items[kept])
    g = torch.Generator().manual_seed(2)
    features = {"text": torch.randn(20, 6, generator=g), "image": torch.randn(20, 9, generator=g)}
    return replace(world, split=replace(world.split, train=train), inputs=ModelInputs(train, features))


def make(name: str, world: World, **config: object) -> EmbeddingRecommender:
    """A small model in double precision, no weight of which is where a mistake could hide (a bias of 0)."""
    model = small_model(name, world, seed=1, **({"embedding_dim": 5} | config)).double()
    assert isinstance(model, EmbeddingRecommender)
    with torch.no_grad():
        for parameter in model.parameters():
            draws = torch.Generator().manual_seed(parameter.numel())
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=draws))
    return model


def weights_of(model: EmbeddingRecommender) -> Weights:
    """Copies of the parameters that gather gradients of their own."""
    return {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
