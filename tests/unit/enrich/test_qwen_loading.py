"""Models that cannot be had: a sentence that says so, and no code or pickle of a checkpoint is ever run."""

import importlib.util
import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny_qwen
from makers import picture
from viral.base.errors import UsageError, ViralError
from viral.enrich import describer_named
from viral.enrich.protocol import Picture, Prompt
from viral.enrich.qwen import QwenConfig, QwenDescriber

PROMPT = Prompt("short", "What?", "")
PICTURE = Picture("a", "", picture(size=(60, 60)))


@pytest.fixture
def folder(tmp_path):
    return tiny_qwen.make(tmp_path / "tiny")


def describe(folder, **settings):
    return QwenDescriber(QwenConfig(model=str(folder), max_new_tokens=2, **settings)).describe([PICTURE], PROMPT)


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["model=/no/such/folder"], "/no/such/folder: no such folder"),
        (["model=my-model"], "no such folder"),
        (["model=Some/Model"], "needs a commit"),
        (["model=Some/Model", "revision=main"], "'main' is no commit"),
        (["revision=abc"], "'abc' is no commit"),
        (["min_pixels=9000", "max_pixels=8000"], "min_pixels = 9000 is above max_pixels"),
        (["temperature=-1"], "temperature"),
        (["batch_size=0"], "batch_size"),
        (["repetition_penalty=0.0"], "repetition_penalty"),
        (["dtype=int8"], "dtype"),
        (["device=cpu", "device_map=auto"], "both"),
        (["tempersture=0.5"], "did you mean temperature"),
    ],
)
def test_settings_that_cannot_be_are_usage_errors(settings, message):
    with pytest.raises(UsageError) as caught:
        describer_named("qwen", settings)
    assert message in str(caught.value)


def test_a_folder_has_no_revision(tmp_path):
    with pytest.raises(UsageError, match="a folder has no revision"):
        QwenConfig(model=str(tmp_path), revision="0" * 40)


def test_hub_models_are_pinned():
    assert QwenDescriber().revision == "Qwen/Qwen2.5-VL-7B-Instruct@cc594898137f460bfe9f0759e9844b3ce807cfb5"
    other = QwenConfig(model="Some/Model", revision="0123456789" * 4)
    assert QwenDescriber(other).revision == "Some/Model@" + "0123456789" * 4


def test_without_a_network_a_hub_model_is_a_sentence(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ViralError) as caught:
        QwenDescriber().describe([PICTURE], PROMPT)
    assert "cannot be loaded" in caught.value.what
    assert "hf download Qwen/Qwen2.5-VL-7B-Instruct --revision cc594898" in caught.value.hint


@pytest.mark.parametrize(("device", "message"), [("gpu", "unknown device"), ("cuda", "no GPU")])
def test_a_device_that_is_not_there(folder, monkeypatch, device, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match=message):
        describe(folder, device=device)


@pytest.mark.skipif(importlib.util.find_spec("accelerate") is not None, reason="accelerate is installed")
def test_a_device_map_needs_accelerate(folder):
    with pytest.raises(UsageError, match="accelerate"):
        describe(folder, device_map="auto")


def test_a_folder_without_weights_in_safetensors(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(str(folder / "trapped"))))
    config = QwenConfig(model=str(folder))
    with pytest.raises(ViralError, match="no weights in safetensors"):
        QwenDescriber(config).revision  # noqa: B018
    with pytest.raises(ViralError, match="cannot be loaded"):
        describe(folder)
    assert not (folder / "trapped").exists()


class Trap:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_code_in_a_checkpoint_is_not_run(folder):
    (folder / "trap.py").write_text(f"open({str(folder / 'trapped')!r}, 'w')\nclass Trap:\n    pass\n")
    kinds = {name: "trap.Trap" for name in ("AutoConfig", "AutoModelForImageTextToText", "AutoProcessor")}
    change(folder / "config.json", model_type="trap", auto_map=kinds)
    change(folder / "preprocessor_config.json", auto_map=kinds, processor_class="Trap")
    with pytest.raises(ViralError, match="cannot be loaded"):
        describe(folder)
    assert not (folder / "trapped").exists()


def test_a_text_model_is_not_a_vision_model(folder):
    change(folder / "config.json", model_type="bert", architectures=["BertModel"])
    with pytest.raises(ViralError, match="cannot be loaded"):
        describe(folder)


def test_a_file_that_was_cut(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ViralError, match="cannot be loaded"):
        describe(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(ViralError, match="cannot be loaded"):
        describe(folder)


def test_a_tensor_that_is_missing_is_not_replaced_by_chance(folder):
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in sorted(weights) if name.endswith("q_proj.weight"))
    del weights[name]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ViralError, match="lack 1 tensors"):
        describe(folder)


def test_a_model_without_a_chat_template(folder):
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ViralError, match="no chat template"):
        describe(folder)
