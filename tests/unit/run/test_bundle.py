"""A bundle recommends by itself, and is refused where it was changed."""

import json
from pathlib import Path

import pytest
import torch
from hardening.damage import flips
from safetensors.torch import load_file, save_file

from memories import KINDS, Kind, memory_bundle
from viral.base.errors import DataError
from viral.base.files import sha256_file
from viral.data.catalog import Catalog, Item
from viral.data.vocabulary import Vocabulary
from viral.graph import SparseMatrix
from viral.models import HistoryScorer, SparseHistoryScorer
from viral.models.scorers import MemoryScorer
from viral.models.viral.config import BeyondConfig
from viral.models.viral.paper_config import VIRALConfig
from viral.run.bundle import Bundle, make_bundle, read_manifest
from viral.run.retrieval.new_items import config_of
from worlds import ZOO, World, small_model, two_tastes

FILES = ["bundle.json", "items.parquet", "scorer.safetensors", "seen.safetensors", "users.json"]


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(12, cold=True)


def bundle(world: World, name: str = "lightgcn") -> Bundle:
    ids = world.split.items.ids
    catalog = Catalog(tuple(Item(i, f"Title of {i}, “é”", "words", None) for i in reversed(ids)))
    about = {"model": name, "metrics": {"recall@20": 0.1 + 0.2}}
    scorer = small_model(name, world).scorer()
    return make_bundle(scorer, catalog, world.split.users, world.split.items, world.split.train, about)


@pytest.fixture
def saved(world, tmp_path) -> Path:
    bundle(world).save(tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.mark.parametrize("name", ZOO)
def test_there_and_back(name, world, tmp_path):
    original = bundle(world, name)
    original.save(tmp_path / "b")
    loaded = Bundle.load(tmp_path / "b")
    users = torch.arange(13)
    assert torch.equal(loaded.scorer(users), original.scorer(users))
    assert loaded.scorer.split(3, 4) == original.scorer.split(3, 4)
    assert (loaded.users, loaded.items) == (world.split.users, world.split.items)
    assert loaded.titles == tuple(f"Title of i{n}, “é”" for n in range(13))  # by id, not by the catalogue's order
    assert torch.equal(loaded.seen.keys(), world.split.train.keys())
    assert loaded.about == {"model": name, "metrics": {"recall@20": 0.1 + 0.2}}
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == FILES


def of_scorer(scorer, world):
    return Bundle(scorer, world.split.users, world.split.items, ("",) * 13, world.split.train, {})


def test_item_weights_are_kept_dense_or_sparse_as_they_are(world, tmp_path):
    weights = torch.rand(13, 13, generator=torch.Generator().manual_seed(0))
    weights[torch.rand(13, 13, generator=torch.Generator().manual_seed(1)) > 0.1] = 0
    rows, columns = weights.nonzero(as_tuple=True)
    sparse = SparseMatrix.of(rows, columns, weights[rows, columns], (13, 13))
    for kind, table in ((HistoryScorer, weights), (SparseHistoryScorer, sparse)):
        original = of_scorer(kind(*world.split.train.rows(), table), world)
        original.save(tmp_path / "b")
        loaded = Bundle.load(tmp_path / "b").scorer
        assert type(loaded) is kind
        assert torch.equal(loaded(torch.arange(13)), original.scorer(torch.arange(13)))
        stored = load_file(tmp_path / "b" / "scorer.safetensors").keys()
        assert stored - {"offsets", "items"} == (
            {"weights"} if kind is HistoryScorer else {"rows", "columns", "values"}
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_memory_is_kept_beside_the_vectors(kind: Kind, tmp_path):
    original = memory_bundle(kind)
    original.save(tmp_path / "b")
    loaded = Bundle.load(tmp_path / "b").scorer
    assert isinstance(loaded, MemoryScorer) and type(loaded.memory) is type(original.scorer.memory)
    assert torch.equal(loaded(torch.arange(20)), original.scorer(torch.arange(20)))
    assert loaded.split(3, 4) == original.scorer.split(3, 4)
    assert (loaded.weight, loaded.vectors.parts) == (original.scorer.weight, original.scorer.vectors.parts)
    stored, sides = load_file(tmp_path / "b" / "scorer.safetensors"), {"dense": {"memory/weights"}}
    sides["sparse"] = {"memory/rows", "memory/columns", "memory/values"}
    assert stored.keys() == original.scorer.tensors().keys() == sides[kind] | {
        "vectors/users", "vectors/items", "memory/offsets", "memory/items", "scales"
    }  # fmt: skip
    manifest = json.loads((tmp_path / "b" / "bundle.json").read_text())
    del manifest["sha256"]  # as of before there was one
    assert (manifest["scorer"], manifest["weight"]) == ("MemoryScorer", 0.7)
    assert manifest["parts"] == {"text": [0, 4], "synergy": [4, 8], "unique_visual": [8, 12]}


@pytest.mark.parametrize("missing", ["scales", "memory/offsets", "vectors/users"])
def test_a_memory_that_is_not_whole_is_refused(missing, tmp_path):
    memory_bundle("dense").save(tmp_path / "b")
    file = tmp_path / "b" / "scorer.safetensors"
    save_file({name: x for name, x in load_file(file).items() if name != missing}, file)
    manifest = json.loads((tmp_path / "b" / "bundle.json").read_text())
    del manifest["sha256"]  # as of before there was one
    manifest["hashes"][file.name] = sha256_file(file)
    (tmp_path / "b" / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="not a scorer"):
        Bundle.load(tmp_path / "b")


def test_a_bundle_of_before_is_read(world, tmp_path):
    """Indices were of 64 bits once, and the scorer's name was that of a dense one."""
    original = bundle(world, "itemknn")
    original.save(tmp_path / "b")
    manifest = json.loads((tmp_path / "b" / "bundle.json").read_text())
    del manifest["sha256"]  # as of before there was one
    assert manifest["scorer"] == "HistoryScorer"
    file = tmp_path / "b" / "scorer.safetensors"
    tensors = {name: x.long() if name in ("rows", "columns") else x for name, x in load_file(file).items()}
    save_file(tensors, file)
    manifest["hashes"][file.name] = sha256_file(file)
    (tmp_path / "b" / "bundle.json").write_text(json.dumps(manifest))
    assert torch.equal(Bundle.load(tmp_path / "b").scorer(torch.arange(13)), original.scorer(torch.arange(13)))


@pytest.mark.parametrize(
    ("recipe", "variant"),
    [
        ({"model": "viral", "config": {"num_layers": 1}}, "light"),
        ({"model": "viral"}, "light"),
        ({"model": "viral", "config": {"variant": "paper"}}, "paper"),
        ({"model": "viral", "config": {}, "memory": {"kind": "off"}}, None),
        ({"model": "viral", "config": {"variant": "light"}, "memory": {"kind": "off"}}, "light"),
        ({"model": "lightgcn", "config": {"num_layers": 1}}, None),
    ],
    ids=str,
)
def test_viral_of_before_it_had_a_memory_is_a_published_reading(recipe, variant, world, tmp_path):
    """Its default was "light" then, and is "beyond" now."""
    of_then = bundle(world)
    made = Bundle(
        of_then.scorer, of_then.users, of_then.items, of_then.titles, of_then.seen, {"recipe": recipe, "a": 1}
    )
    made.save(tmp_path / "b")
    about = Bundle.load(tmp_path / "b").about
    config = recipe.get("config", {})
    if variant is None:
        assert about == {"recipe": recipe, "a": 1}
    else:
        assert about == {"recipe": {**recipe, "config": {**config, "variant": variant}}, "a": 1}
    if recipe["model"] == "viral":
        expected = {None: BeyondConfig}.get(variant, VIRALConfig)
        assert type(config_of(Bundle.load(tmp_path / "b"))) is expected


def test_saving_again_replaces_it(saved, world):
    bundle(world, "popularity").save(saved)
    assert Bundle.load(saved).about["model"] == "popularity"
    assert [path.name for path in saved.parent.iterdir()] == ["bundle"]


@pytest.mark.parametrize("name", [name for name in FILES if name != "bundle.json"])
@pytest.mark.parametrize("damage", ["flipped", "longer", "gone"])
def test_a_changed_file_is_refused(saved, name, damage):
    content = (saved / name).read_bytes()
    if damage == "gone":
        (saved / name).unlink()
    else:
        (saved / name).write_bytes(content + b"\0" if damage == "longer" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match="missing or changed") as caught:
        Bundle.load(saved)
    assert caught.value.where.endswith(name)


def test_a_file_that_the_manifest_does_not_vouch_for_is_refused(saved):
    manifest = json.loads((saved / "bundle.json").read_text())
    del manifest["sha256"]  # as of before there was one
    del manifest["hashes"]["users.json"]
    (saved / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="missing or changed"):
        Bundle.load(saved)


@pytest.mark.parametrize("content", ["{}", "[]", '{"format": 2}', '{"format": 1}', "nonsense"])
def test_another_manifest_is_refused(saved, content):
    (saved / "bundle.json").write_text(content)
    with pytest.raises(DataError, match=r"not (a bundle of format 1|valid JSON)"):
        Bundle.load(saved)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path):
    with pytest.raises(DataError, match="not a bundle") as caught:
        read_manifest(tmp_path)
    assert "viral train" in caught.value.hint


@pytest.mark.parametrize("scorer", ["HistoryScorer", "MemoryScorer", "os.system"])
def test_a_scorer_that_does_not_fit_its_tensors_is_refused(saved, scorer):
    manifest = json.loads((saved / "bundle.json").read_text())
    del manifest["sha256"]  # as of before there was one
    manifest["scorer"] = scorer
    (saved / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="not a scorer"):
        Bundle.load(saved)


def test_strange_ids_and_absent_titles(world, tmp_path):
    ids = ["", " ", "a/b", "../x", "漢", 'quo"te', "new\nline", *"cdefgh"]
    strange = Vocabulary(ids)
    original = bundle(world)
    Bundle(original.scorer, strange, strange, tuple(ids), original.seen, {}).save(tmp_path / "b")
    loaded = Bundle.load(tmp_path / "b")
    assert loaded.users.ids == loaded.items.ids == loaded.titles == tuple(ids)


def test_a_flipped_bit_of_any_file_is_noticed_or_harmless(saved):
    before, noticed = Bundle.load(saved), 0
    for name in FILES:
        for _ in flips(saved / name, 25):
            try:
                after = Bundle.load(saved)
            except DataError:
                noticed += 1
                continue
            assert (after.about, after.titles, after.users, after.items) == (
                before.about, before.titles, before.users, before.items
            )  # fmt: skip
            assert torch.equal(after.scorer.score(torch.arange(2)), before.scorer.score(torch.arange(2)))
    assert noticed > 110


@pytest.mark.parametrize(
    "change", [{"parts": []}, {"parts": {"all": 3}}, {"about": []}, {"hashes": []}, {"scorer": {}}]
)
def test_a_manifest_of_other_shapes_is_refused(saved, change):
    manifest = json.loads((saved / "bundle.json").read_text())
    del manifest["sha256"]
    (saved / "bundle.json").write_text(json.dumps(manifest | change))
    with pytest.raises(DataError):
        Bundle.load(saved)
