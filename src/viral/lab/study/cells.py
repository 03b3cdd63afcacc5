"""A cell is one training of a study; its result is kept under what it depends on, so that none can be stale."""

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError
from viral.base.files import atomic_write, fingerprint, read_json, read_sealed, sha256_file, write_json, write_sealed
from viral.base.recipe import Recipe
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import INTERACTIONS_FILE, Dataset
from viral.evaluation import Metrics
from viral.run.pipeline import configured

VERSION = 1  # raised when the same recipe and data would be measured otherwise
RESULT_FILE, USERS_FILE, CHECKPOINT_FILE, LOCK_FILE = "result.json", "users.parquet", "checkpoint.safetensors", "lock"
RANKS_FILE, CODE_FILE = "ranks.parquet", "code.json"
FILES = (ITEMS_FILE, INTERACTIONS_FILE)
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training: a row of a table (``name``, in the study ``group``) at one seed, which is the recipe's."""

    name: str
    group: str
    recipe: Recipe
    reads: tuple[str, ...] | None = None  # the feature tables it is given, and no others; None: all there are
    place: float | None = None  # on the axis of a sweep

    @property
    def seed(self) -> int:
        return self.recipe.train.seed

    @property
    def model_key(self) -> str:
        """What is the same for all seeds of a row: the recipe with every default written out, but for the seed."""
        return _key(self.recipe, seed=None)

    @property
    def about(self) -> dict[str, Any]:
        """What a result says of its recipe: all of it, and the row that it is of, whatever the row is called."""
        return {"recipe": configured(self.recipe).whole, "model_key": self.model_key}

    def data(self, hashes: Mapping[str, str]) -> str:
        """SHA-256 of the catalogue, the interactions and the feature tables that it is given."""
        return fingerprint_of(hashes, self.reads)

    def key(self, hashes: Mapping[str, str]) -> str:
        """SHA-256 of all that the result depends on: the whole recipe, defaults included, and the data it is given."""
        return fingerprint(VERSION, _key(self.recipe, seed=self.seed), self.data(hashes))


def _key(recipe: Recipe, seed: int | None) -> str:
    values = configured(recipe).plain
    values["train"]["seed"] = seed
    return fingerprint(values)


def data_hashes(dataset: Dataset) -> dict[str, str]:
    """SHA-256 of the bytes of the catalogue and the interactions by file name, of each feature table by modality."""
    files = {name: sha256_file(dataset.path / name) for name in FILES}
    return files | {path.stem: sha256_file(path) for path in sorted(dataset.features_folder.glob("*.parquet"))}


def fingerprint_of(hashes: Mapping[str, str], reads: tuple[str, ...] | None) -> str:
    """SHA-256 of the files and the feature tables ``reads``, or all of them."""
    tables = [name for name in hashes if name not in FILES and (reads is None or name in reads)]
    return fingerprint({name: hashes[name] for name in (*FILES, *tables)})


@dataclass(frozen=True, slots=True)
class CellResult:
    """What a finished cell left: its summary (the shape of ``viral train --json``) and metrics per user on disk."""

    folder: Path
    summary: Mapping[str, Any]

    def per_user(self, metric: str) -> tuple[tuple[str, ...], FloatArray]:
        """User ids and one metric of each, (n,), on the test set under the published protocol."""
        import pyarrow.parquet as pq

        table = pq.read_table(self.folder / USERS_FILE, columns=["user_id", metric])
        return tuple(table["user_id"].to_pylist()), table[metric].to_numpy().astype(np.float64, copy=False)

    def ranks(self) -> tuple[IntArray, IntArray, IntArray] | None:
        """User index, item index and rank (0: not among the first 20) of every held-out pair of the test set.

        None where they were not kept (by versions that did not) or were damaged.
        """
        import pyarrow.parquet as pq

        path = self.folder / RANKS_FILE
        if "ranks_sha256" not in self.summary or not path.is_file():
            return None
        if sha256_file(path) != self.summary["ranks_sha256"]:
            return None
        table = pq.read_table(path)
        user, item, rank = (table[name].to_numpy().astype(np.int64) for name in ("user", "item", "rank"))
        return user, item, rank


def read_result(folder: Path, key: str) -> CellResult | None:
    """The finished result below ``folder``, or None where there is none, or one that was damaged or is another's."""
    try:
        summary = read_sealed(folder / RESULT_FILE, hint="it is computed again")
        whole = summary["key"] == key and summary["users_sha256"] == sha256_file(folder / USERS_FILE)
    except (DataError, OSError, KeyError, TypeError):
        return None
    return CellResult(folder, summary) if whole else None


def write_result(
    folder: Path, key: str, summary: Mapping[str, Any], metrics: Metrics, user_ids: Sequence[str]
) -> CellResult:
    """Keep a cell's result: users and ranks first, the summary that vouches for them last, each atomically."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"user_id": pa.array([user_ids[user] for user in metrics.users.tolist()], pa.string())}
    columns |= {name: pa.array(values.numpy(), pa.float64()) for name, values in metrics.per_user.items()}
    with atomic_write(folder / USERS_FILE) as temporary:
        pq.write_table(pa.table(columns), temporary)
    _write_ranks(folder / RANKS_FILE, metrics)
    hashes = {"users_sha256": sha256_file(folder / USERS_FILE), "ranks_sha256": sha256_file(folder / RANKS_FILE)}
    kept = {"key": key, **hashes, **summary}
    write_sealed(folder / RESULT_FILE, kept)
    return CellResult(folder, kept)


def keep_recipe(folder: Path, key: str, cell: Cell) -> None:
    """Add to a result of a version that kept no recipe what its key determines anyway."""
    with locked(folder):
        found = read_result(folder, key)
        if found is not None and "recipe" not in found.summary:
            write_sealed(folder / RESULT_FILE, {**found.summary, **cell.about})


def _write_ranks(path: Path, metrics: Metrics) -> None:
    """Where each held-out pair came, as indices of the split, which the cell's key determines: 10 bytes a pair."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    num_items = len(metrics.exposure)
    user, item = metrics.pairs // num_items, metrics.pairs % num_items
    columns = {"user": pa.array(user.numpy(), pa.int32()), "item": pa.array(item.numpy(), pa.int32())}
    with atomic_write(path) as temporary:
        pq.write_table(pa.table({**columns, "rank": pa.array(metrics.ranks.numpy(), pa.int16())}), temporary)


def claim_checkpoint(folder: Path, code: str) -> bool:
    """Note that ``code`` trains here; removes a checkpoint of other code, from which its training cannot go on.

    Returns whether there was one. A checkpoint of which nothing is noted (by versions that did not) is kept.
    """
    try:
        other = read_json(folder / CODE_FILE)["code"] != code
    except (DataError, OSError, KeyError, TypeError):
        other = False
    removed = other and (folder / CHECKPOINT_FILE).exists()
    if removed:
        (folder / CHECKPOINT_FILE).unlink()
    write_json(folder / CODE_FILE, {"code": code})
    return removed


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a cell: another process that wants it waits. The operating system lets go when a process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def note(journal: Path, **values: Any) -> None:
    """Append a line to the study's journal: what began and ended, and when."""
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps(values, ensure_ascii=False) + "\n")
