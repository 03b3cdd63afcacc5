"""What a study keeps on disk of each cell: the summary that vouches for its tables, and who is computing it."""

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError
from viral.base.files import atomic_write, read_json, read_sealed, sha256_file, write_json, write_sealed

if TYPE_CHECKING:
    import pyarrow as pa

CELLS_FOLDER, JOURNAL_FILE = "cells", "journal.jsonl"
RESULT_FILE, USERS_FILE, RANKS_FILE = "result.json", "users.parquet", "ranks.parquet"
CHECKPOINT_FILE, CODE_FILE, LOCK_FILE = "checkpoint.safetensors", "code.json", "lock"
MOST_CELLS = 10_000  # of one study that are looked through
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CellResult:
    """What a finished cell left: its summary, and tables on disk of what each user got."""

    folder: Path
    summary: Mapping[str, Any]

    @property
    def code(self) -> str | None:
        """The fingerprint of the code that computed it; None where an older version did not note it."""
        return self.summary.get("code")

    def users(self) -> "pa.Table":
        """The metrics of every user who was measured."""
        import pyarrow.parquet as pq

        return pq.read_table(self.folder / USERS_FILE)

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


def users_mean(results: Iterable[CellResult], metric: str) -> dict[str, float]:
    """One metric of every user, averaged over the seeds of a row; empty of no cells."""
    total, ids, count = np.zeros(0), tuple[str, ...](), 0
    for result in results:
        try:
            users, values = result.per_user(metric)
        except (OSError, ValueError, KeyError):
            raise DataError(f"{USERS_FILE} of a seed cannot be read", hint="run the study again") from None
        if count and users != ids:
            raise DataError("two cells measured different users", where=str(result.folder), hint="run the study again")
        ids, total, count = users, total + values if count else values, count + 1
    return dict(zip(ids, (total / max(count, 1)).tolist(), strict=True))


def read_result(folder: Path, key: str) -> CellResult | None:
    """The finished result below ``folder``, or None where there is none, or one that was damaged or is another's."""
    try:
        summary = read_sealed(folder / RESULT_FILE, hint="it is computed again")
        whole = summary["key"] == key and summary["users_sha256"] == sha256_file(folder / USERS_FILE)
    except (DataError, OSError, KeyError, TypeError):
        return None
    return CellResult(folder, summary) if whole else None


def write_result(folder: Path, key: str, summary: Mapping[str, Any], tables: Mapping[str, "pa.Table"]) -> CellResult:
    """Keep a cell's result: tables by file name first, the summary that vouches for them last, each atomically."""
    import pyarrow.parquet as pq

    hashes = {}
    for name, table in tables.items():
        with atomic_write(folder / name) as temporary:
            pq.write_table(table, temporary)
        hashes[f"{Path(name).stem}_sha256"] = sha256_file(folder / name)
    kept = {"key": key, **hashes, **summary}
    write_sealed(folder / RESULT_FILE, kept)
    return CellResult(folder, kept)


def amend(result: CellResult, **values: Any) -> None:
    """Write values into a kept summary; what was measured stays as it is."""
    write_sealed(result.folder / RESULT_FILE, {**result.summary, **values})


def adopt(former: CellResult, folder: Path, key: str, **values: Any) -> None:
    """Keep a result under another key, with the ``values`` that go with it."""
    with locked(folder):
        if read_result(folder, key) is None:
            for name in (USERS_FILE, RANKS_FILE):
                if (former.folder / name).is_file():
                    with atomic_write(folder / name) as temporary:
                        temporary.write_bytes((former.folder / name).read_bytes())
            amend(CellResult(folder, former.summary), key=key, **values)


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


@dataclass(frozen=True, slots=True)
class KeptCell:
    """A finished cell of a study's folder: all that is held in memory of the many that are not shown."""

    folder: Path
    name: str  # of the first row that had its recipe
    model_key: str  # of its recipe; "" where an older version wrote it
    seed: int
    modified: int

    @property
    def summary(self) -> Mapping[str, Any]:
        """What it measured; empty where it cannot be read."""
        try:
            return read_sealed(self.folder / RESULT_FILE, hint="")
        except (DataError, OSError):
            return {}


def kept_cells(study: Path) -> list[KeptCell]:
    """A study's finished cells, the oldest first."""
    cells = []
    for file in sorted((study / CELLS_FOLDER).glob(f"*/{RESULT_FILE}"))[:MOST_CELLS]:
        try:
            cells.append(_kept_cell(file, file.stat().st_mtime_ns))
        except (DataError, OSError, TypeError, ValueError):
            continue  # the study computes it again
    return sorted(cells, key=lambda cell: cell.modified)


@lru_cache(maxsize=2 * MOST_CELLS)
def _kept_cell(file: Path, modified: int) -> KeptCell:
    summary = read_sealed(file, hint="")
    name, model_key = str(summary.get("cell", "")), str(summary.get("model_key", ""))
    return KeptCell(file.parent, name, model_key, int(summary.get("seed", 0)), modified)


def cells_of_row(cells: Sequence[KeptCell], name: str, model_key: str, seeds: Sequence[int]) -> list[KeptCell]:
    """A row's cells, one for each of its seeds: the newest, where data or recipe have changed meanwhile.

    A cell is a row's by its recipe, since rows of equal recipes share one; those of older versions are by their name.
    """
    mine = (cell for cell in cells if (cell.model_key == model_key if cell.model_key else cell.name == name))
    by_seed = {cell.seed: cell for cell in mine}
    return [by_seed[seed] for seed in seeds if seed in by_seed]
