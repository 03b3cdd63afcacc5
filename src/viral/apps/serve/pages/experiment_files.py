"""What studies and runs left on the disk, found again below the folders that the server was given, and read with care.

The files may be anybody's: what cannot be read is named with its reason and takes nothing else with it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from viral.apps.serve.pages.experiment_rows import cold_rows_of, rows_of
from viral.base.errors import DataError, UnknownIdError
from viral.base.files import read_sealed
from viral.lab.study.cold.cold_study import JSON_FILE as COLD_FILE
from viral.lab.study.cold.rows import ColdRow
from viral.lab.study.result_files import JSON_FILE
from viral.lab.study.rows import Row
from viral.lab.study.tuning.tune import RESULT_FILE as TUNE_FILE
from viral.run.summary import RUN_FILE

Kind = Literal["comparison", "ablation", "cold", "tuning", "run", "unreadable"]
FILES = (JSON_FILE, COLD_FILE, TUNE_FILE, RUN_FILE)
LONGEST = 50_000_000  # bytes of a file that is read
MOST = 500  # folders that are looked into
SERVED = "this run"


@dataclass(frozen=True, slots=True)
class Found:
    """One study or run; ``name`` is unique and is its address, ``document`` what its file says."""

    name: str
    kind: Kind
    folder: Path
    document: Mapping[str, Any]
    fault: str = ""
    modified: float = 0.0  # when its file was written, in seconds since 1970

    @property
    def data(self) -> str:
        """The name of the data set."""
        return Path(str(self.document.get("dataset", ""))).name

    @property
    def rows(self) -> list[Row]:
        """The rows of a comparison or an ablation."""
        return rows_of(self.document, self.name)

    @property
    def cold_rows(self) -> list[ColdRow]:
        """The rows of a study of new items."""
        return cold_rows_of(self.document, self.name)


def discover(folders: Sequence[Path], run: Path) -> dict[str, Found]:
    """Everything in the folders, and one level below those that are none themselves, by name; the served run first."""
    found: dict[str, Found] = {}
    places = [(SERVED, run)] if (run / RUN_FILE).is_file() else []
    places += [
        (place.name, place) for folder in folders for place in _places(folder) if place.resolve() != run.resolve()
    ]
    for wanted, place in places[:MOST]:
        name, number = wanted, 1
        while name in found:
            number += 1
            name = f"{wanted} ({number})"
        found[name] = look(name, place)
    return found


def _places(folder: Path) -> Iterator[Path]:
    if _file(folder) is not None or not folder.is_dir():
        yield folder
        return
    yield from sorted(place for place in folder.iterdir() if place.is_dir() and _file(place) is not None)


def _file(folder: Path) -> Path | None:
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def look(name: str, folder: Path) -> Found:
    """Read one folder."""
    file, modified = _file(folder), 0.0
    if file is None:
        return Found(name, "unreadable", folder, {}, f"there is no {', '.join(FILES[:-1])} or {FILES[-1]} in it")
    try:
        modified = file.stat().st_mtime
        document = document_of(file, file.stat().st_mtime_ns)
        kind = _kind(file, document)
        if kind in ("comparison", "ablation"):
            rows_of(document, name)
        elif kind == "cold":
            cold_rows_of(document, name)
    except DataError as error:
        return Found(name, "unreadable", folder, {}, error.what, modified)
    except OSError as error:
        return Found(name, "unreadable", folder, {}, error.strerror or "it cannot be read", modified)
    return Found(name, kind, folder, document, modified=modified)


@lru_cache(maxsize=256)
def document_of(file: Path, _modified: int) -> Mapping[str, Any]:
    """A JSON object, read again when the file has changed; raises ``DataError`` and ``OSError``."""
    return read_document(file)


def read_document(file: Path) -> Mapping[str, Any]:
    """The same without keeping it."""
    if file.stat().st_size > LONGEST:
        raise DataError(f"{file.name} is longer than {LONGEST:,} bytes")
    return read_sealed(file, hint="make it anew")


def _kind(file: Path, document: Mapping[str, Any]) -> Kind:
    if file.name == RUN_FILE:
        return "run"
    if file.name == TUNE_FILE:
        return "tuning"
    if file.name == COLD_FILE:
        return "cold"
    return "ablation" if "visual_contribution" in document else "comparison"


def find(found: Mapping[str, Found], name: str) -> Found:
    """By name; ``UnknownIdError`` for another."""
    if name not in found:
        raise UnknownIdError("there is no such experiment", hint="the page of experiments lists what there is")
    return found[name]


def settings_text(value: Any) -> str:
    """A value of a configuration as it is shown; none is ``none``, as in a recipe."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
