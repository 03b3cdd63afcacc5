"""Control features have the shape of what they stand for, and tell nothing of the item beside which they stand."""

import pytest
import torch

from viral.base.errors import DataError
from viral.data.controls import CONTROLS, random, shuffled
from viral.data.inputs import ModelInputs
from worlds import World, random_world

ABSENT = [2, 5, 6]


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(10, 30, 0.3, seed=0)


@pytest.fixture(scope="module")
def inputs(world: World) -> ModelInputs:
    """Of text, three items have what was filled in."""
    there = torch.ones(30, dtype=torch.bool)
    there[ABSENT] = False
    text = world.inputs.features["text"].clone()
    text[ABSENT] = text[there].mean(dim=0)
    return ModelInputs(world.split.train, world.inputs.features | {"text": text}, {"text": there})


def rows_of(table: torch.Tensor) -> list[list[float]]:
    return sorted(table.tolist())


def test_shuffled_rows_are_the_same_rows_elsewhere(inputs: ModelInputs) -> None:
    text, there = inputs.feature("text"), inputs.given("text")
    found = shuffled(text, there)
    assert rows_of(found) == rows_of(text) and torch.equal(found[ABSENT], text[ABSENT])
    assert (found[there] != text[there]).any(dim=1).float().mean() > 0.8, "few stay by luck"
    assert torch.equal(found, shuffled(text, there)), "for every model and seed the same"


def test_random_rows_are_directions_of_the_same_width(inputs: ModelInputs) -> None:
    text, there = inputs.feature("text"), inputs.given("text")
    found = random(text, there)
    assert found.shape == text.shape and torch.equal(found[ABSENT], text[ABSENT])
    assert torch.allclose(found[there].norm(dim=1), torch.ones(27))
    cosines = torch.cosine_similarity(found[there], text[there], dim=1)
    assert cosines.abs().max() < 0.99 and cosines.mean().abs() < 0.3
    assert torch.equal(found, random(text, there))


def test_the_global_random_state_is_left_alone(inputs: ModelInputs) -> None:
    before = torch.get_rng_state()
    for kind in CONTROLS:
        inputs.feature(f"{kind}:text")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", CONTROLS)
def test_inputs_give_a_control_by_its_name(kind: str, inputs: ModelInputs) -> None:
    expected = CONTROLS[kind](inputs.feature("text"), inputs.given("text"))
    assert torch.equal(inputs.feature(f"{kind}:text"), expected)
    assert torch.equal(inputs.given(f"{kind}:text"), inputs.given("text"))
    assert inputs.given(f"{kind}:image").all()


def test_a_control_of_what_is_not_there_names_what_is(inputs: ModelInputs) -> None:
    with pytest.raises(DataError, match=r"no 'sound' features \(it has: description, image, text\)"):
        inputs.feature("shuffled:sound")
    with pytest.raises(DataError, match="no 'turned:text' features"):
        inputs.feature("turned:text")


def test_a_table_that_is_called_like_a_control_is_itself(world: World) -> None:
    own = torch.randn(30, 2)
    there = torch.arange(30) % 2 == 0
    inputs = ModelInputs(world.split.train, world.inputs.features | {"random:text": own}, {"random:text": there})
    assert inputs.feature("random:text") is own and torch.equal(inputs.given("random:text"), there)
