"""A cell is one row of a study's table at one seed: what its result depends on, and how it is computed."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from viral.base.files import fingerprint, sha256_file
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import INTERACTIONS_FILE, Dataset

if TYPE_CHECKING:
    import pyarrow as pa

FILES = (ITEMS_FILE, INTERACTIONS_FILE)


@dataclass(frozen=True, slots=True)
class Measured:
    """What computing a cell gives: its summary, and the tables that are kept beside it by file name."""

    summary: Mapping[str, Any]
    tables: Mapping[str, "pa.Table"]


@dataclass(frozen=True, kw_only=True)
class Cell(ABC):
    """One row of a table (``name``) at one seed. A kind of study says what its cells compute."""

    NEEDS: ClassVar[tuple[str, ...]] = ("train", "valid", "test")  # parts of the log that may not be empty
    MEASURED: ClassVar[tuple[str, ...]] = ()  # the keys of the summary that are what was measured

    name: str
    reads: tuple[str, ...] | None = None  # the feature tables it is given, and no others; None: all there are

    @property
    @abstractmethod
    def seed(self) -> int:
        """That of the training."""

    @property
    @abstractmethod
    def row_key(self) -> str:
        """What is the same for all seeds of a row and for no other row."""

    @property
    @abstractmethod
    def code(self) -> str:
        """SHA-256 of the code that computes it."""

    @property
    def label(self) -> str:
        """The row as the study's messages call it."""
        return self.name

    @property
    def about(self) -> dict[str, Any]:
        """What a result says of its recipe; its key determines it."""
        return {}

    @abstractmethod
    def key(self, hashes: Mapping[str, str]) -> str:
        """SHA-256 of all that the result depends on: row, seed and the data that it is given."""

    def former_keys(self, hashes: Mapping[str, str]) -> tuple[str, ...]:
        """Under which older versions kept the same result."""
        return ()

    def data(self, hashes: Mapping[str, str]) -> str:
        """SHA-256 of the catalogue, the interactions and the feature tables that it is given."""
        return fingerprint_of(hashes, self.reads)

    @abstractmethod
    def compute(self, dataset: Path, data: str, checkpoint: Path) -> Measured:
        """Train and measure; ``data`` is the fingerprint that the data must still have when they are read."""

    def training_seconds(self, summary: Mapping[str, Any]) -> float:
        """What its training took."""
        return float(summary.get("seconds", 0.0))


def data_hashes(dataset: Dataset) -> dict[str, str]:
    """SHA-256 of the bytes of the catalogue and the interactions by file name, of each feature table by modality."""
    files = {name: sha256_file(dataset.path / name) for name in FILES}
    return files | {path.stem: sha256_file(path) for path in sorted(dataset.features_folder.glob("*.parquet"))}


def fingerprint_of(hashes: Mapping[str, str], reads: tuple[str, ...] | None) -> str:
    """SHA-256 of the files and the feature tables ``reads``, or all of them."""
    tables = [name for name in hashes if name not in FILES and (reads is None or name in reads)]
    return fingerprint({name: hashes[name] for name in (*FILES, *tables)})
