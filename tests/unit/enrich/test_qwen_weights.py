"""A checkpoint of which something is missing is called so before anything is loaded."""

import json

import pytest

from makers import write
from viral.base.errors import DataError
from viral.enrich.qwen.weights import folder_revision

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 841576\n"


def weights(size=16):
    header = json.dumps({"__metadata__": {"a": "b"}, "w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}})
    return len(header).to_bytes(8, "little") + header.encode() + bytes(size)


def checkpoint(tmp_path, **files):
    write(tmp_path / "config.json", "{}")
    write(tmp_path / "model.safetensors", weights())
    for name, content in files.items():
        write(tmp_path / name, content)
    return tmp_path


def test_a_whole_checkpoint_has_a_name(tmp_path):
    assert folder_revision(checkpoint(tmp_path)).startswith("sha256-")
    index = json.dumps({"weight_map": {"w": "model.safetensors"}})
    assert folder_revision(checkpoint(tmp_path, **{"model.safetensors.index.json": index})).startswith("sha256-")


@pytest.mark.parametrize(
    ("name", "content", "said", "hint"),
    [
        ("model.safetensors", POINTER, "a Git LFS pointer", "git lfs pull"),
        ("tokenizer.json", POINTER, "a Git LFS pointer", "git lfs pull"),
        ("config.json", b"<html>401</html>", "a web page", "fetch it again"),
        ("model.safetensors", b"", "not whole", "hf download"),
        ("model.safetensors", weights()[:5], "not whole", "hf download"),
        ("model.safetensors", weights()[:40], "not whole", "hf download"),
        ("model.safetensors", weights(15), r"not whole \(\d+ of \d+ bytes\)", "hf download"),
        ("model.safetensors", b"\x02" + bytes(7) + b"[]", "its header cannot be read", "hf download"),
        (
            "model.safetensors.index.json",
            json.dumps({"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}),
            "1 of the 2 files of the weights are missing: model-00002-of-00002",
            "hf download",
        ),
        ("model.safetensors.index.json", "[]", "the list of the weights cannot be read", "hf download"),
    ],
)
def test_what_is_not_whole_is_named(tmp_path, name, content, said, hint):
    with pytest.raises(DataError, match=said) as caught:
        folder_revision(checkpoint(tmp_path, **{name: content}))
    assert hint in caught.value.hint and str(tmp_path) in caught.value.where
