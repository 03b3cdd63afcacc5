"""Checkpoints: exact, and nothing else is taken for one."""

import pytest
import torch
from hardening.damage import flips
from safetensors.torch import save_file

from viral.base.errors import DataError
from viral.training.checkpoint import load_checkpoint, save_checkpoint

GROUPS = {
    "model": {"a.weight": torch.linspace(0, 1, 12).reshape(3, 4), "b": torch.tensor(2.5, dtype=torch.float64)},
    "rng": {"state": torch.get_rng_state()},
    "empty": {},
}
PROGRESS = {"best": 0.1 + 0.2, "history": [{"epoch": 0, "losses": {"bpr": 1e-300}}], "word": "ü"}


def test_there_and_back_bit_for_bit(tmp_path):
    save_checkpoint(tmp_path / "c", GROUPS, PROGRESS)
    groups, progress = load_checkpoint(tmp_path / "c")
    assert progress == PROGRESS
    assert groups.keys() == GROUPS.keys() and groups["empty"] == {}
    for group, tensors in GROUPS.items():
        assert groups[group].keys() == tensors.keys()
        for name, tensor in tensors.items():
            assert groups[group][name].dtype == tensor.dtype and torch.equal(groups[group][name], tensor)


def test_a_strided_tensor_keeps_its_values(tmp_path):
    save_checkpoint(tmp_path / "c", {"g": {"t": torch.arange(6).reshape(2, 3).T}}, {})
    assert load_checkpoint(tmp_path / "c")[0]["g"]["t"].tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize("damage", ["empty", "words", "half", "head"])
def test_garbage_is_refused(tmp_path, damage):
    save_checkpoint(tmp_path / "c", GROUPS, PROGRESS)
    whole = (tmp_path / "c").read_bytes()
    content = {
        "empty": b"",
        "words": b"not a checkpoint",
        "half": whole[: len(whole) // 2],
        "head": b"\xff" + whole[1:],
    }
    (tmp_path / "c").write_bytes(content[damage])
    with pytest.raises(DataError, match="damaged") as caught:
        load_checkpoint(tmp_path / "c")
    assert caught.value.where.endswith("c") and "start afresh" in caught.value.hint


def test_another_safetensors_file_is_refused(tmp_path):
    save_file({"a": torch.zeros(2)}, tmp_path / "c")
    with pytest.raises(DataError, match="not a file of format viral-checkpoint-1"):
        load_checkpoint(tmp_path / "c")


def test_a_folder_or_nothing_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataError):
            load_checkpoint(path)


def test_a_flipped_bit_is_noticed_or_harmless(tmp_path):
    save_checkpoint(tmp_path / "c", GROUPS, PROGRESS)
    before, noticed = load_checkpoint(tmp_path / "c"), 0
    for _ in flips(tmp_path / "c", 200):
        try:
            groups, progress = load_checkpoint(tmp_path / "c")
        except DataError:
            noticed += 1
            continue
        assert progress == PROGRESS and groups.keys() == GROUPS.keys()
        for group, tensors in before[0].items():
            assert all(torch.equal(groups[group][name], tensor) for name, tensor in tensors.items())
    assert noticed > 150


def test_a_checkpoint_of_before_there_were_checksums_is_read(tmp_path):
    metadata = {"format": "viral-checkpoint-1", "progress": '{"best": 1}', "groups": '["g"]'}
    save_file({"g/t": torch.ones(2)}, tmp_path / "c", metadata)
    assert load_checkpoint(tmp_path / "c")[1] == {"best": 1}


@pytest.mark.parametrize("change", [{"progress": "["}, {"groups": '["other"]'}, {"progress": "3"}, {"groups": None}])
def test_metadata_that_make_no_sense_are_refused(tmp_path, change):
    metadata = {"format": "viral-checkpoint-1", "progress": "{}", "groups": '["g"]'} | change
    save_file({"g/t": torch.ones(2)}, tmp_path / "c", {k: v for k, v in metadata.items() if v is not None})
    with pytest.raises(DataError, match="damaged"):
        load_checkpoint(tmp_path / "c")
