"""``viral enrich --describer qwen`` as it is typed."""

import json

import pytest
from typer.testing import CliRunner

import tiny_qwen
from makers import damaged
from viral.apps.cli import app


def viral(*words, code=0):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_qwen.make(tmp_path_factory.mktemp("qwen") / "tiny")


def test_a_data_set_is_described_once(folder, tmp_path):
    shop = damaged(tmp_path / "shop").path
    words = ("enrich", shop, "--describer", "qwen", "--set", f"model={folder}", "--set", "max_new_tokens=8", "--json")
    first = viral(*words)
    told = json.loads(first.stdout)
    assert told["counts"]["done"] == 4 and told["describer"].startswith("qwen/sha256-")
    assert told["spent"]["asked"] == 4 and told["spent"]["tokens_out"] > 0 and told["spent"]["tokens_in"] > 400
    assert "loading" in first.stderr
    again = viral(*words)
    assert json.loads(again.stdout)["counts"] == told["counts"]
    assert json.loads(again.stdout)["spent"]["asked"] == 0 and "loading" not in again.stderr
    # Another model in the same folder is asked anew, and takes the other's place.
    tiny_qwen.make(tmp_path / "other", seed=1)
    other = viral(*words[:4], "--set", f"model={tmp_path / 'other'}", *words[6:])
    assert json.loads(other.stdout)["spent"]["asked"] == 4
    assert json.loads(other.stdout)["describer"] != told["describer"]


def test_a_wrong_folder_is_a_sentence(tmp_path):
    shop = damaged(tmp_path / "shop").path
    empty = tmp_path / "empty"
    empty.mkdir()
    for model, code, message in ((empty, 1, "no weights in safetensors"), (tmp_path / "none", 2, "no such folder")):
        done = viral("enrich", shop, "--describer", "qwen", "--set", f"model={model}", code=code)
        assert message in done.stderr and "Traceback" not in done.output
