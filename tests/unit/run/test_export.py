"""What other programs get ranks as we do."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from memories import KINDS, Kind, memory_bundle
from viral.base.errors import DataError, UsageError
from viral.base.files import read_json
from viral.evaluation.ranking import top_items
from viral.run import export as exporting
from viral.run.bundle import Bundle
from viral.run.export import export
from worlds import World, random_world, small_model

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 40, 0.2, seed=0)


def bundle_of(name: str, world: World) -> Bundle:
    titles = tuple(f"Title {n}" for n in range(40))
    scorer = small_model(name, world).scorer()
    return Bundle(scorer, world.split.users, world.split.items, titles, world.split.train, {"model": name})


def ask(folder: Path, bundle: Bundle, users: list[int], k: int) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(folder / "scorer.onnx"), providers=["CPUExecutionProvider"])
    seen = np.zeros((30, 40), dtype=bool)
    seen[bundle.seen.users, bundle.seen.items] = True
    needed = {i.name for i in session.get_inputs()}
    given: dict[str, Any] = {"users": np.array(users), "taken": seen[users].astype(np.float32), "mask": seen[users]}
    given["k"] = np.array([k])
    return session.run(["scores", "items"], {name: value for name, value in given.items() if name in needed})


@pytest.mark.parametrize("name", ["lightgcn", "viral", "viral-light", "ease", "contentknn"])
def test_the_graph_ranks_as_we_do(name: str, world: World, tmp_path: Path) -> None:
    bundle = bundle_of(name, world)
    manifest = export(bundle, tmp_path / "out")
    assert manifest == read_json(tmp_path / "out" / "export.json") and manifest["model"] == name
    users = [3, 0, 29]
    (expected,) = top_items(bundle.scorer, torch.tensor(users), bundle.seen, 7)
    scores, items = ask(tmp_path / "out", bundle, users, 7)
    assert items.tolist() == expected.tolist()
    ours = bundle.scorer(torch.tensor(users)).gather(1, expected)
    assert np.allclose(scores, ours, atol=1e-5)
    assert ask(tmp_path / "out", bundle, [5], 3)[1].shape == (1, 3)  # any batch, any k


@pytest.mark.parametrize("name", ["viral", "viral-light", "ease"])
def test_vectors_multiply_to_scores(name: str, world: World, tmp_path: Path) -> None:
    bundle = bundle_of(name, world)
    manifest = export(bundle, tmp_path / "out")
    items = pq.read_table(tmp_path / "out" / "items.parquet")
    assert items["item_id"].to_pylist() == list(bundle.items.ids) and items["title"][3].as_py() == "Title 3"
    vectors = np.stack(items["vector"].to_numpy())
    assert vectors.shape == (40, manifest["dimensions"])
    if name == "ease":
        assert not (tmp_path / "out" / "users.parquet").exists()
        users = np.zeros((30, 40), dtype=np.float32)
        users[bundle.seen.users, bundle.seen.items] = 1
    else:
        table = pq.read_table(tmp_path / "out" / "users.parquet")
        assert table["user_id"].to_pylist() == list(bundle.users.ids)
        assert len(manifest["parts"]) == {"viral": 5, "viral-light": 3}[name]
        users = np.stack(table["vector"].to_numpy())
    assert np.allclose(users @ vectors.T, bundle.scorer(torch.arange(30)), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_has_the_memory(kind: Kind, tmp_path: Path) -> None:
    bundle = memory_bundle(kind)
    manifest = export(bundle, tmp_path / "out")
    assert manifest["memory"]["weight"] == 0.7 and "scorer.onnx" in manifest["memory"]["about"]
    assert manifest["dimensions"] == 12 and list(manifest["inputs"]) == ["users", "mask", "k"]
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "scorer.onnx"), providers=["CPUExecutionProvider"])
    seen = np.zeros((20, 160), dtype=bool)
    seen[bundle.seen.users, bundle.seen.items] = True
    for users, k in ((list(range(20)), 20), ([7, 2, 7], 160), ([2], 5)):  # user 2 took nothing
        expected = bundle.scorer(torch.tensor(users)).masked_fill(torch.from_numpy(seen[users]), -torch.inf).topk(k)
        given = {"users": np.array(users), "mask": seen[users], "k": np.array([k])}
        scores, items = session.run(["scores", "items"], given)
        there = np.isfinite(scores)
        assert (items[there] == expected.indices.numpy()[there]).all() and there.sum() > 4
        assert np.allclose(scores, expected.values, atol=1e-5)
    assert len(pq.read_table(tmp_path / "out" / "users.parquet")["vector"][0].as_py()) == 12


def test_a_memory_too_large_for_one_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viral.models.families.closed_form.MAX_BYTES", 100_000)
    with pytest.raises(DataError, match="160 items need a dense item-item matrix"):
        export(memory_bundle("sparse"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_large_tensors_lie_beside_the_graph(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "LARGE", 1000)
    bundle = bundle_of("lightgcn", world)
    export(bundle, tmp_path / "out")
    assert (tmp_path / "out" / "scorer.onnx.data").stat().st_size >= 4 * 16 * 70
    (expected,) = top_items(bundle.scorer, torch.tensor([1]), bundle.seen, 5)
    assert ask(tmp_path / "out", bundle, [1], 5)[1].tolist() == expected.tolist()


def test_a_folder_that_is_there_is_not_overwritten_unasked(world: World, tmp_path: Path) -> None:
    bundle = bundle_of("popularity", world)
    export(bundle, tmp_path / "out")
    with pytest.raises(UsageError, match="already exists"):
        export(bundle, tmp_path / "out")
    assert export(bundle, tmp_path / "out", overwrite=True)["dimensions"] == 1


def test_without_onnx_it_says_what_to_install(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match="needs onnx") as caught:
        export(bundle_of("lightgcn", world), tmp_path / "out")
    assert "viral[onnx]" in caught.value.hint and not (tmp_path / "out").exists()
