"""Training on another device than the processor: the same run, which comes back. (Not measured on a GPU.)"""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.optim import optimizer

from elsewhere import There, elsewhere
from viral.base.devices import find_device, random_states, seeded, set_random_states
from viral.base.errors import UsageError
from viral.base.recipe import Recipe, TrainConfig
from viral.run.pipeline import train
from viral.training import EpochRecord, fit
from viral.training import loop as training
from worlds import World, dataset_folder, small_model, two_tastes

# those that keep something from epoch to epoch, and one
CARRIED = ("bpr", "lattice", "freedom", "dualgnn", "viral", "viral-light")
CONFIG = TrainConfig(learning_rate=0.01, batch_size=50, max_epochs=3, seed=2, monitor="ndcg@10")


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(16)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> str:
    """A device that torch's optimiser takes for one of its own."""
    monkeypatch.setattr(optimizer, "_get_fused_kernels_supported_devices", lambda: ["cpu", "meta"])
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    return "meta"


def stop(record: EpochRecord) -> None:
    if record.epoch == 1:
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", CARRIED)
def test_a_run_that_stops_there_goes_on_there_and_ends_as_here(
    name: str, world: World, device: str, tmp_path: Path
) -> None:
    plain, checkpoint = small_model(name, world).double(), tmp_path / "c"
    expected = fit(plain, world.split, CONFIG)
    with elsewhere():
        stopped, resumed = small_model(name, world).double(), small_model(name, world, seed=1).double()
        with pytest.raises(KeyboardInterrupt):
            fit(stopped, world.split, CONFIG, checkpoint=checkpoint, on_epoch=stop, device=device)
        assert all(isinstance(one, There) for one in stopped.state_dict().values())
        report = fit(resumed, world.split, CONFIG, checkpoint=checkpoint, device=device)
    assert [record.valid for record in report.history] == [record.valid for record in expected.history]
    assert not any(isinstance(one, There) for one in resumed.state_dict().values()), "it comes back"
    torch.testing.assert_close(resumed.state_dict(), plain.state_dict(), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(resumed.scorer().items, plain.scorer().items, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("there_first", [True, False])
def test_a_run_that_stops_on_one_device_goes_on_on_another(
    there_first: bool, world: World, device: str, tmp_path: Path
) -> None:
    plain, checkpoint = small_model("viral-light", world).double(), tmp_path / "c"
    fit(plain, world.split, CONFIG)
    first, second = (device, "cpu") if there_first else ("cpu", device)
    with elsewhere():
        with pytest.raises(KeyboardInterrupt):
            model = small_model("viral-light", world).double()
            fit(model, world.split, CONFIG, checkpoint=checkpoint, on_epoch=stop, device=first)
        resumed, epochs = small_model("viral-light", world, seed=1).double(), []
        fit(resumed, world.split, CONFIG, checkpoint=checkpoint, on_epoch=epochs.append, device=second)
    assert [record.epoch for record in epochs] == [1, 2]
    torch.testing.assert_close(resumed.state_dict(), plain.state_dict(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["nowhere", "meta", "cuda:99"])
def test_a_device_that_is_not_there_is_named_before_anything_is_done(name: str, world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"cannot compute on device '{name}'") as caught:
        fit(small_model("bpr", world), world.split, CONFIG, device=name)
    assert "cpu" in caught.value.hint
    with pytest.raises(UsageError, match="cannot compute"):
        train(dataset_folder(tmp_path / "d", world), Recipe(model="bpr"), tmp_path / "run", device=name)
    assert not (tmp_path / "run").exists()


def test_the_device_is_no_part_of_what_a_run_is(world: World, device: str, tmp_path: Path) -> None:
    dataset, recipe = dataset_folder(tmp_path / "d", world), Recipe(model="lightgcn", train=replace(CONFIG, seed=1))
    here = train(dataset, recipe, tmp_path / "here")
    with elsewhere():
        there = train(dataset, recipe, tmp_path / "there", device=device)
        assert train(dataset, recipe, tmp_path / "here", device=device) == here, "it is done already"
    assert there["identity"] == here["identity"] and there["metrics"].keys() == here["metrics"].keys()
    files = {path.name for path in (tmp_path / "here" / "bundle").iterdir()}
    assert {path.name for path in (tmp_path / "there" / "bundle").iterdir()} == files


def test_the_states_of_a_gpu_are_kept_beside_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, gpu = [torch.tensor([7], dtype=torch.uint8)], torch.device("cuda:0")
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: drawn[-1])
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: drawn.append(state))
    before = torch.get_rng_state()
    with seeded(torch.device("cpu"), 3):
        states = random_states(gpu)
        numbers = torch.rand(3)
        set_random_states(states, gpu)
        assert torch.equal(torch.rand(3), numbers) and drawn[1:] == [states["cuda"]]
        set_random_states(random_states(find_device("cpu")), gpu)
        set_random_states(states, torch.device("cpu"))
        assert len(drawn) == 2, "nothing to set, or nowhere"
    assert torch.equal(torch.get_rng_state(), before)
