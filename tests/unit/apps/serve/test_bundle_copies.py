"""What is served is a copy of its own: verified, shared, and there when the disk's bundle is not."""

import json
import shutil
from pathlib import Path

import pytest

from serving import save_run
from viral.apps.serve.bundle_copies import KEPT, BundleCopies, holding
from viral.base.errors import DataError
from viral.run.bundle import Bundle


def names(held: BundleCopies) -> list[str]:
    return sorted(path.name for path in held.folder.iterdir())


def test_a_copy_is_what_was_saved_whatever_becomes_of_the_bundle(tmp_path: Path) -> None:
    bundle = save_run(tmp_path / "run") / "bundle"
    with holding(tmp_path / "run") as folder:
        held = BundleCopies(folder, tmp_path / "run")
        copy = held.hold(bundle)
        before = Bundle.load(copy)
        scores = before.scorer.items.clone()
        for file in bundle.iterdir():  # as cp and rsync --inplace do
            file.write_bytes(b"\x00" * file.stat().st_size)
        assert before.scorer.items.equal(scores) and Bundle.load(copy).titles == before.titles
        assert held.last() == copy
        with pytest.raises(DataError):
            held.hold(bundle)
    assert not folder.exists() and [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_copy_is_made_once_and_only_the_newest_stay(tmp_path: Path) -> None:
    with holding(tmp_path / "run") as folder:
        held = BundleCopies(folder, tmp_path / "run")
        for seed in range(4):
            bundle = save_run(tmp_path / "run", seed) / "bundle"
            first = held.hold(bundle)
            written = (first / "scorer.safetensors").stat().st_mtime_ns
            assert held.hold(bundle) == first == held.last()
            assert (first / "scorer.safetensors").stat().st_mtime_ns == written
            assert len(names(held)) == min(seed + 1, KEPT)


@pytest.mark.parametrize("damage", ["scorer.safetensors", "items.parquet", "users.json"])
def test_a_damaged_bundle_is_not_held(tmp_path: Path, damage: str) -> None:
    bundle = save_run(tmp_path / "run") / "bundle"
    (bundle / damage).write_bytes(b"damage")
    with holding(tmp_path / "run") as folder:
        held = BundleCopies(folder, tmp_path / "run")
        with pytest.raises(DataError, match="changed since it was saved"):
            held.hold(bundle)
        assert names(held) == [] and held.last() is None


def test_a_manifest_that_names_files_elsewhere_is_refused(tmp_path: Path) -> None:
    bundle = save_run(tmp_path / "run") / "bundle"
    manifest = json.loads((bundle / "bundle.json").read_text())
    del manifest["sha256"]
    shutil.copy(bundle / "users.json", tmp_path / "users.json")
    manifest["hashes"]["../../users.json"] = manifest["hashes"]["users.json"]
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    with holding(tmp_path / "run") as folder, pytest.raises(DataError):
        BundleCopies(folder, tmp_path / "run").hold(bundle)
