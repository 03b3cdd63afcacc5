"""The studies and runs below the folders that the server was given, found again and read with care.

The files may be anybody's: what cannot be read is named with its reason and takes nothing else with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viral.base.errors import DataError, UnknownIdError
from viral.base.language import _
from viral.lab.report import Curves, Section, Table
from viral.lab.report.wording import DASH, fixed
from viral.lab.study.reader import FILES as STUDY_FILES
from viral.lab.study.reader import read_document, read_study, sections_of
from viral.lab.study.study import METRIC, Study, Summary, curve
from viral.run.summary import RUN_FILE

FILES = (*STUDY_FILES, RUN_FILE)
MOST = 500  # folders that are looked into
SERVED = "this run"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStudy(Study):
    """A single run, shown among the studies; ``document`` is its ``run.json``."""

    KIND, FILE = "run", RUN_FILE

    document: Mapping[str, Any]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "RunStudy":
        command, dataset, commit = (str(document.get(name, "")) for name in ("command", "dataset", "commit"))
        return cls(command=command, dataset=dataset, commit=commit, document=document)

    @property
    def model(self) -> str:
        return str(self.document.get("model", ""))

    @property
    def metrics(self) -> dict[str, float]:
        """Those of the test set."""
        found = self.document.get("metrics")
        values = found if isinstance(found, Mapping) else {}
        return {str(name): value for name, value in values.items() if isinstance(value, float)}

    def summary(self) -> Summary:
        value = self.metrics.get(METRIC)
        size = _("seed %(seed)s", seed=self.document.get("seed", "–"))
        return Summary(size, 1, f"{self.model}: {METRIC} {fixed(value)}", value)

    def sections(self) -> list[Section]:
        """Its metrics on test, and how it learnt."""
        table = Table(
            heading=_("On the test set"),
            columns=(_("metric"), _("value")),
            rows=tuple((name, fixed(value)) for name, value in self.metrics.items()),
            numeric=(_("value"),),
            caption=_(
                "%(users)s users; what they interacted with in train is masked.",
                users=self.document.get("users", DASH),
            ),
        )
        learnt = curve(self.model, self.document, METRIC)
        return [table, *([Curves(heading=_("Learning curve"), curves=(learnt,), metric=METRIC)] if learnt else [])]


@dataclass(frozen=True, slots=True)
class Found:
    """One study or run; ``name`` is unique and is its address. What cannot be read has a fault instead."""

    name: str
    folder: Path
    study: Study | None
    fault: str = ""
    modified: float = 0.0  # when its file was written, in seconds since 1970

    @property
    def kind(self) -> str:
        return "unreadable" if self.study is None else self.study.KIND

    @property
    def data(self) -> str:
        """The name of the data set."""
        return "" if self.study is None else self.study.data

    @property
    def summary(self) -> Summary:
        """In a line of the list."""
        return Summary("", 0, self.fault, None) if self.study is None else self.study.summary()

    def sections(self) -> list[Section]:
        """All of its page; raises ``DataError`` where the file is not what its command writes."""
        try:
            if isinstance(self.study, RunStudy):
                return self.study.sections()
            return [] if self.study is None else sections_of(self.study, self.folder)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"its file is not what its command writes ({type(error).__name__})"
            raise DataError(what, where=self.name) from None


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
        found[name] = _look(name, place)
    return found


def _places(folder: Path) -> Iterator[Path]:
    if _file(folder) is not None or not folder.is_dir():
        yield folder
        return
    yield from sorted(place for place in folder.iterdir() if place.is_dir() and _file(place) is not None)


def _file(folder: Path) -> Path | None:
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def _look(name: str, folder: Path) -> Found:
    """Read one folder."""
    file, modified = _file(folder), 0.0
    if file is None:
        return Found(name, folder, None, f"there is no {', '.join(FILES[:-1])} or {FILES[-1]} in it")
    try:
        modified = file.stat().st_mtime
        study = RunStudy.of(read_document(file)) if file.name == RUN_FILE else read_study(folder)
    except DataError as error:
        return Found(name, folder, None, error.what, modified)
    except OSError as error:
        return Found(name, folder, None, error.strerror or "it cannot be read", modified)
    return Found(name, folder, study, modified=modified)


def find(found: Mapping[str, Found], name: str) -> Found:
    """By name; ``UnknownIdError`` for another."""
    if name not in found:
        raise UnknownIdError("there is no such experiment", hint="the page of experiments lists what there is")
    return found[name]
