"""Flipped bits in every kind of file that is read back: each is noticed, or the answer is as it was."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardening.damage import flips
from hardening.world import stages

FLIPS, SHORT = 25, 5


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: where one lies in the world, and what reads it back and says what it says."""

    name: str
    pattern: str
    read: Callable[[Path, Path], Any]  # the world, the file


def flip_everything(short: bool, seed: int, only: str | None = None) -> list[str]:
    """Returns what was neither noticed nor harmless, a line each."""
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        for _ in stages(Path(name)):
            pass
        world = Path(name) / "world"
        for kind in KINDS:
            if only in (None, kind.name):
                faults += _flipped(kind, world, SHORT if short else FLIPS, seed)
    return faults


def _flipped(kind: Kind, world: Path, count: int, seed: int) -> list[str]:
    from viral.base.errors import ViralError

    file = sorted(world.glob(kind.pattern))[0]
    expected, faults, noticed = kind.read(world, file), [], 0
    for place in flips(file, count, seed):
        try:
            found = kind.read(world, file)
        except ViralError:
            noticed += 1
            continue
        except Exception as error:
            faults.append(f"{kind.name}: a traceback at byte {place}: {type(error).__name__}: {str(error)[:150]}")
            continue
        if found != expected:
            faults.append(f"{kind.name}: byte {place} changes what is read, and nobody says so")
    print(f"{kind.name}: {count} flips, {noticed} noticed, {len(faults)} faults", flush=True)
    return faults


def _doctor(world: Path, file: Path) -> Any:
    """The tables, unless doctor has something to say of them that it had not before."""
    from viral.base.errors import DataError
    from viral.data.dataset import Dataset
    from viral.data.doctor import examine

    opened = Dataset.open(world / "shop")
    found = json.dumps(examine(opened).to_json(), sort_keys=True)
    if found != _BEFORE.setdefault("doctor", found):
        raise DataError("doctor says something else")
    return opened.catalog().items, opened.interactions().rows()


_BEFORE: dict[str, str] = {}


def _features(world: Path, file: Path) -> Any:
    from viral.encode import FeatureTable

    table = FeatureTable.load(file)
    return table.item_ids, table.modality, table.encoder, table.fingerprint, table.values.tobytes()


def _descriptions(world: Path, file: Path) -> Any:
    from viral.data.dataset import Dataset
    from viral.enrich import all_descriptions

    return all_descriptions(Dataset.open(world / "shop"))


def _ledger(world: Path, file: Path) -> Any:
    """What the ledger says is done; what is lost is asked for again, which is no other answer."""
    from viral.enrich import Ledger

    for rest in (file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
        rest.unlink(missing_ok=True)
    with Ledger(file) as ledger:
        said = {entry.key.item_id: entry.text for entry in ledger.rows("pixel", "title") if entry.status == "done"}
    return _Subset(said)


class _Subset(dict[str, str]):
    """Equal where every entry that is there is the same: what is absent is made anew."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and all(other.get(key, value) == value for key, value in self.items())

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]


def _bundle(world: Path, file: Path) -> Any:
    import torch

    from viral.run.bundle import Bundle
    from viral.run.retrieval import Retriever

    run = world / "runs" / "mine"
    bundle = Bundle.load(run / "bundle")
    scores = {name: torch.as_tensor(tensor).tolist() for name, tensor in bundle.scorer.tensors().items()}
    told = [(item.item_id, item.title, item.score) for item in Retriever.load(run).recommend("u01", 5)]
    return dict(bundle.about), bundle.titles, scores, told


def _run(world: Path, file: Path) -> Any:
    """What a finished run tells of itself."""
    from viral.run.summary import read_summary

    return read_summary(file.parent)


def _cell(world: Path, file: Path) -> Any:
    """A kept result; one that is damaged is as good as none, and is computed again."""
    from viral.base.files import read_json
    from viral.lab.study.kept_results import read_result

    folder = file.parent
    key = _KEYS.setdefault(str(folder), read_json(folder / "result.json")["key"])
    found = read_result(folder, key)
    return _Subset() if found is None else _Subset({"all": str((dict(found.summary), found.per_user("recall@20")))})


_KEYS: dict[str, str] = {}


KINDS = (
    Kind("manifest", "shop/manifest.json", _doctor),
    Kind("items", "shop/items.parquet", _doctor),
    Kind("interactions", "shop/interactions.parquet", _doctor),
    Kind("features", "shop/features/*.parquet", _features),
    Kind("descriptions", "shop/descriptions/*.parquet", _descriptions),
    Kind("ledger", "shop/ledger.sqlite", _ledger),
    Kind("bundle.json", "runs/mine/bundle/bundle.json", _bundle),
    Kind("scorer", "runs/mine/bundle/scorer.safetensors", _bundle),
    Kind("bundle items", "runs/mine/bundle/items.parquet", _bundle),
    Kind("bundle users", "runs/mine/bundle/users.json", _bundle),
    Kind("run.json", "runs/mine/run.json", _run),
    Kind("cell", "study/cells/*/result.json", _cell),
    Kind("cell users", "study/cells/*/users.parquet", _cell),
)
