"""A model computes where its parameters are, and so does training it. (Not measured on a GPU.)

Two ways tell it on a machine with a processor alone. A default device on which nothing can be computed with the rest: a
tensor that is made without saying where ends up there, and the step fails as it would beside a GPU. And a device of
the tests' own that computes, ``elsewhere``, on which a whole training ends as it does on the processor.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from elsewhere import There, elsewhere
from viral.data.interactions import Triplets
from viral.evaluation import evaluate
from viral.graph import SparseMatrix, knn_graph, weighted_knn_graph, weighted_sum
from viral.models import EmbeddingRecommender, Recommender
from worlds import ZOO, World, class_of, first_batch, random_world, small_model

LEARNERS = [name for name in ZOO if issubclass(class_of(name), EmbeddingRecommender)]
HISTORIES = [name for name in ZOO if name not in LEARNERS]
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


def ranked(model: Recommender, world: World) -> tuple[Tensor, dict[str, float]]:
    """Scores of some users on the model's device, and what the model reaches."""
    scorer = model.scorer()
    return scorer(torch.tensor([4, 0, 29])), evaluate(scorer, world.split.test, world.split.train, (3,)).mean()


@pytest.mark.parametrize("name", HISTORIES)
def test_scores_of_histories_are_made_where_their_weights_are(name: str, world: World) -> None:
    model = small_model(name, world)
    plain, metrics = ranked(model, world)
    with torch.device("meta"):
        scores = model.scorer()(torch.tensor([4, 0, 29], device="cpu"))
    assert torch.equal(scores, plain)
    with elsewhere():
        scores, found = ranked(model.to("meta"), world)
        assert isinstance(scores, There)
        assert torch.equal(scores.cpu(), plain)
    assert found == metrics


@pytest.mark.parametrize("name", LEARNERS)
def test_a_step_and_its_ranking_elsewhere(name: str, world: World) -> None:
    model, batch = begun(name, world, "cpu")
    terms, tables = step(model, batch)
    scores, metrics = ranked(model, world)
    with elsewhere():
        other, batch = begun(name, world, "meta")
        found, embedded = step(other, batch)
        assert all(isinstance(one, There) for one in (*other.parameters(), *found.values(), *embedded))
        torch.testing.assert_close({key: term.cpu() for key, term in found.items()}, terms)
        torch.testing.assert_close([table.cpu() for table in embedded], tables)
        for one, plain in zip(other.parameters(), model.parameters(), strict=True):
            assert (one.grad is None) == (plain.grad is None)
            if one.grad is not None:
                torch.testing.assert_close(one.grad.cpu(), plain.grad, rtol=1e-3, atol=1e-6)
        other_scores, reached = ranked(other, world)
        torch.testing.assert_close(other_scores.cpu(), scores)
        assert reached == metrics
        back = other.cpu()
    torch.testing.assert_close(ranked(back, world)[0], scores)


@pytest.mark.parametrize("build", [knn_graph, weighted_knn_graph])
def test_item_graphs_lie_where_their_features_do(build: Callable[..., SparseMatrix], world: World) -> None:
    tables = [world.inputs.features[name] for name in ("text", "image")]
    present = torch.arange(18) % 3 > 0
    shares = {"a": 0.3, "b": 0.7}
    plain = weighted_sum(dict(zip(shares, (build(x, 4, present) for x in tables), strict=True)), shares)
    with elsewhere():
        graphs = (build(x.to("meta"), 4, present.to("meta")) for x in tables)
        found = weighted_sum(dict(zip(shares, graphs, strict=True)), shares)
        assert isinstance(found.values, There)
        torch.testing.assert_close(found.cpu().to_torch().to_dense(), plain.to_torch().to_dense())
