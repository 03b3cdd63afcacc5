"""Studies as their folders have them: one reader for what every version wrote, and what each shows of itself."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from viral.base.errors import DataError
from viral.base.files import read_sealed
from viral.lab.report import Section
from viral.lab.study.ablation.ablation import Ablation
from viral.lab.study.ablation.ablation_report import ablation_sections
from viral.lab.study.cold.cold_study import ColdStudy, cold_sections
from viral.lab.study.comparison.leaderboard import Leaderboard
from viral.lab.study.comparison.leaderboard_report import leaderboard_sections
from viral.lab.study.study import Study, TrainingStudy, curves_of
from viral.lab.study.tuning.tuning_study import Tuning, tuning_sections

FILES = (TrainingStudy.FILE, ColdStudy.FILE, Tuning.FILE)
LONGEST = 50_000_000  # bytes of a file that is read
MAKERS: Mapping[type[Study], Callable[[Any], list[Section]]] = {
    Leaderboard: leaderboard_sections,
    Ablation: ablation_sections,
    ColdStudy: cold_sections,
    Tuning: tuning_sections,
}


def read_study(folder: Path) -> Study:
    """The study of a folder, its rows as they were written; read again when its file has changed.

    Raises ``DataError`` where it is none, and ``OSError``.
    """
    file = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if file is None:
        raise DataError(f"there is no {', '.join(FILES[:-1])} or {FILES[-1]} in it", where=str(folder))
    return _study(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _study(file: Path, _modified: int) -> Study:
    document = read_document(file)
    try:
        return _kind(file, document).of(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"its rows are not those of a study ({type(error).__name__})", where=str(file)) from None


def read_document(file: Path) -> dict[str, Any]:
    """A JSON object of somebody's; raises ``DataError`` and ``OSError``."""
    if file.stat().st_size > LONGEST:
        raise DataError(f"{file.name} is longer than {LONGEST:,} bytes")
    return read_sealed(file, hint="make it anew")


def _kind(file: Path, document: Mapping[str, Any]) -> type[Study]:
    if file.name == TrainingStudy.FILE:
        return Ablation if "visual_contribution" in document else Leaderboard
    return ColdStudy if file.name == ColdStudy.FILE else Tuning


def sections_of(study: Study, folder: Path) -> list[Section]:
    """What a study's report shows, with the learning curves of the cells that its folder still has."""
    if isinstance(study, TrainingStudy):
        study = replace(study, curves=tuple(curves_of(folder, study.rows, study.metric)))
    return MAKERS[type(study)](study)
