"""A model computes where its parameters are: nothing new may be made elsewhere. (Not measured on a GPU.)

On a machine with a processor alone this is told by a default device on which nothing can be computed with the rest: a
tensor that a model makes without saying where ends up there, and the step fails as it would beside a GPU.
"""

import pytest
import torch
from torch import Tensor

from viral.data import Triplets
from viral.models import MODELS, EmbeddingRecommender
from worlds import World, first_batch, random_world, small_model

LEARNERS = [name for name, model in MODELS.items() if issubclass(model, EmbeddingRecommender)]
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"))]


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)


def begun(name: str, world: World, device: str) -> tuple[EmbeddingRecommender, Triplets]:
    """A model at the start of an epoch and its first batch, there; what it draws hangs on no device."""
    model = small_model(name, world).to(device).train()
    torch.manual_seed(1)
    model.on_epoch_start(torch.Generator().manual_seed(1))
    return model, first_batch(world, 20).to(torch.device(device))


def step(model: EmbeddingRecommender, batch: Triplets) -> tuple[dict[str, Tensor], list[Tensor]]:
    terms = model.loss(batch)
    torch.stack(list(terms.values())).sum().backward()
    return terms, [*model.embed()]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", LEARNERS)
def test_nothing_is_made_elsewhere(name: str, device: str, world: World) -> None:
    plain, tables = step(*begun(name, world, "cpu"))
    model, batch = begun(name, world, device)
    with torch.device("meta"):
        terms, found = step(model, batch)
    assert all(table.device.type == device for table in found)
    if device == "cpu":
        torch.testing.assert_close(terms, plain)
        torch.testing.assert_close(found, tables)
