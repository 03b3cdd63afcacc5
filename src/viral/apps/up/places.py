"""Where a shop's files, data set and run are, and how far each step has come for the data as they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from viral.base.errors import DataError
from viral.base.files import fingerprint, read_json, sha256_file, write_json
from viral.data.dataset import FEATURES_FOLDER, MANIFEST_FILE, Dataset
from viral.data.descriptions import DESCRIPTIONS_FOLDER
from viral.data.importers.dataset_folder import imported_before
from viral.run.pipeline import BUNDLE_FOLDER
from viral.run.summary import RUN_FILE

STATE_FILE = "up.json"  # in the data set: step -> the key of what it was done for


@dataclass(frozen=True)
class Places:
    """The folder that a shop exports to, and what is made of it."""

    source: Path
    dataset: Path
    run: Path
    port: int = 8000

    @cached_property
    def opened(self) -> Dataset | None:
        """The data set, where there is one; looked at once."""
        return Dataset.open(self.dataset) if (self.dataset / MANIFEST_FILE).is_file() else None

    @cached_property
    def imported(self) -> bool:
        """Whether the files, as they are, are in the data set."""
        return self.opened is not None and imported_before(self.opened.manifest, self.source)

    @property
    def trained(self) -> bool:
        return (self.run / RUN_FILE).is_file()

    def key(self, step: str) -> str:
        """What the result of a step depends on, as far as it is made; the empty string where nothing is there yet."""
        if self.opened is None:
            return ""
        looked_at = [self.dataset / MANIFEST_FILE]
        if step == "encode":
            looked_at += sorted((self.dataset / DESCRIPTIONS_FOLDER).glob("*"))
        if step == "train":
            looked_at += sorted((self.dataset / FEATURES_FOLDER).glob("*.parquet"))
        more = [str(self.run.resolve())] if step == "train" else []
        return fingerprint([[file.name, sha256_file(file)] for file in looked_at if file.is_file()], more)

    def done(self, step: str) -> bool:
        """Whether a step was finished for the data as they are."""
        return self.opened is not None and self._state().get(step) == self.key(step)

    def finish(self, step: str) -> None:
        """Note that a step is finished."""
        if (self.dataset / MANIFEST_FILE).is_file():
            now = Places(self.source, self.dataset, self.run, self.port)
            write_json(self.dataset / STATE_FILE, {**self._state(), step: now.key(step)})

    def grown(self) -> float:
        """The share of the data set's interactions that the run has not seen; 1 where that is not known."""
        manifest = self.run / BUNDLE_FOLDER / "bundle.json"
        if self.opened is None or not manifest.is_file():
            return 1.0
        before = read_json(manifest)["about"].get("counts", {}).get("interactions", 0)
        return 1 - before / max(1, self.opened.manifest["counts"]["interactions"])

    def _state(self) -> Mapping[str, Any]:
        try:
            return dict(read_json(self.dataset / STATE_FILE))
        except (DataError, ValueError, TypeError):
            return {}
