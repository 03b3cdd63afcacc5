"""Feature tables: vectors aligned by item id, never by order."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError
from viral.base.file_signatures import refuse_stand_ins
from viral.base.files import atomic_write

FloatArray = npt.NDArray[np.float32]
MADE_HERE = "encode:"  # fingerprints of the tables that `viral encode` makes begin so; others came with the data set
LARGEST = 1e12  # no encoder gives more, and its square still is a number


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """One modality's vectors: row n of ``values`` belongs to ``item_ids[n]``. Items may be absent, never twice."""

    item_ids: tuple[str, ...]
    modality: str
    values: FloatArray  # (n, F)
    encoder: str  # name and version of what made them
    fingerprint: str = ""  # of the inputs and the encoder's configuration

    def __post_init__(self) -> None:
        where = f"features {self.modality!r}"
        if self.values.ndim != 2:
            raise DataError(f"values have shape {self.values.shape}, not (items, dimensions)", where=where)
        if len(self.item_ids) != len(self.values):
            raise DataError(
                f"{len(self.values)} rows of features for {len(self.item_ids)} items",
                where=where,
                hint="every row must belong to one item id; encode again with `viral encode`",
            )
        if len(set(self.item_ids)) != len(self.item_ids):
            raise DataError("an item id occurs twice", where=where)
        usable = np.abs(self.values) <= LARGEST  # neither NaN nor infinity is
        if not usable.all():
            broken = ~usable.all(axis=1)
            first = self.item_ids[int(broken.argmax())]
            raise DataError(
                f"{int(broken.sum())} rows are not finite numbers (first: item {first!r}), or beyond {LARGEST:g}",
                where=where,
                hint="the table or what made it is damaged: run `viral encode` again, or give the features anew",
            )

    def aligned(self, item_ids: Sequence[str]) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """The rows for ``item_ids``, in their order: values (I, F), zero where absent, and present (I,)."""
        row_of = {item_id: row for row, item_id in enumerate(self.item_ids)}
        rows = np.array([row_of.get(item_id, -1) for item_id in item_ids], dtype=np.int64)
        present = rows >= 0
        values = np.zeros((len(item_ids), self.values.shape[1]), dtype=np.float32)
        values[present] = self.values[rows[present]]
        return values, present

    def save(self, folder: Path) -> Path:
        """Write ``<folder>/<modality>.parquet``: a column of ids, a column of vectors, the origin in the metadata."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        vectors = pa.FixedSizeListArray.from_arrays(
            pa.array(np.ascontiguousarray(self.values).reshape(-1)), self.values.shape[1]
        )
        origin = {"modality": self.modality, "encoder": self.encoder, "fingerprint": self.fingerprint}
        origin["sha256"] = _sha256(origin, self.item_ids, self.values)
        table = pa.table({"item_id": pa.array(self.item_ids, pa.string()), "vector": vectors})
        path = folder / f"{self.modality}.parquet"
        with atomic_write(path) as temporary:
            pq.write_table(table.replace_schema_metadata({"viral": json.dumps(origin)}), temporary)
        return path

    @classmethod
    def load(cls, path: Path) -> "FeatureTable":
        """Read what ``save`` wrote; raises ``DataError`` naming the file where it is something else, or damaged.

        A file of before there were checksums is read without.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path)
            origin = json.loads((table.schema.metadata or {})[b"viral"])
            vectors = table["vector"].combine_chunks()
            if not pa.types.is_fixed_size_list(vectors.type) or vectors.null_count:
                raise ValueError("the vectors are not all of one length")
            values = vectors.values.to_numpy(zero_copy_only=False).reshape(len(vectors), -1)
            ids = tuple(map(str, table["item_id"].to_pylist()))
            modality, encoder, fingerprint = (str(origin[key]) for key in ("modality", "encoder", "fingerprint"))
            values = values.astype(np.float32, copy=False)
            if "sha256" in origin and origin.pop("sha256") != _sha256(origin, ids, values):
                raise ValueError("its checksum differs: damaged on the disk, or written over")
        except (KeyError, TypeError, ValueError, OSError, AttributeError, pa.ArrowException) as error:
            refuse_stand_ins(path, "a feature table")
            raise DataError(f"not a feature table ({error})", where=str(path), hint="run `viral encode`") from None
        return cls(ids, modality, values, encoder, fingerprint)


def _sha256(origin: Mapping[str, str], item_ids: Sequence[str], values: FloatArray) -> str:
    """Of everything that a file tells."""
    words = json.dumps([dict(origin), list(item_ids)], ensure_ascii=False)
    digest = hashlib.sha256(words.encode("utf-8", "replace"))
    digest.update(np.ascontiguousarray(values, dtype="<f4").data)
    return digest.hexdigest()


def load_features(folder: Path) -> Mapping[str, FeatureTable]:
    """Every feature table below ``folder`` (a data set's ``features/``), by modality."""
    tables = [FeatureTable.load(path) for path in sorted(folder.glob("*.parquet"))]
    return {table.modality: table for table in tables}
