"""What a describer said of one picture, and with one prompt of a whole catalogue: values, and files in a data set."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import quote

from viral.base.errors import DataError, UsageError
from viral.base.files import atomic_write, fingerprint
from viral.data.dataset import Dataset
from viral.data.edits import HUMAN, load_edits

DESCRIPTIONS_FOLDER = "descriptions"
_COLUMNS = ("item_id", "text", "status", "error", "image_sha256")
_FLAGS = "flags"  # a list; files of an earlier version have none
Flag = Literal["too short", "too long", "title copied"]
FLAGS: tuple[Flag, ...] = get_args(Flag)
Status = Literal["done", "missing picture", "unreadable", "refused", "failed", "quarantined", "pending"]
"""Of an item in one set of descriptions. "failed": the last attempt did; "quarantined": so did as many as are allowed,
and it is not tried again unless that is asked for; "pending": not asked, as the run ended before."""
IMPORTED = "imported"  # the revision of words that came from a file: there is nobody to ask for more
UNKNOWN = "unknown"  # a describer or a prompt that nobody has named


@dataclass(frozen=True, slots=True)
class Description:
    """What a describer said of one item's picture, or why it could not."""

    item_id: str
    text: str  # empty unless status is "done"
    describer: str  # name and revision: "pixel/1"
    prompt: str  # the prompt's name: "title"
    image_sha256: str  # empty when there was no picture
    status: Status
    error: str = ""
    flags: tuple[str, ...] = ()  # what ``viral.enrich.checks.flags`` finds conspicuous about the text
    edited: bool = False  # the text is a human's (``edits``)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run took."""

    asked: int = 0  # pictures that a describer was asked about
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0  # in the currency of the describer's prices

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True)
class Descriptions:
    """One row per item of a catalogue, in its order."""

    rows: tuple[Description, ...]
    describer: str  # name and revision: "pixel/1"
    prompt: str  # the prompt's name
    spent: Spent = field(default=Spent(), compare=False)  # by the run that made them; not in the file

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Item id to description, for the items that have one."""
        return {row.item_id: row.text for row in self.rows if row.status == "done"}

    @property
    def counts(self) -> Mapping[str, int]:
        """Items by status, for every status there is."""
        counted = Counter(row.status for row in self.rows)
        return {status: counted[status] for status in get_args(Status)}

    @property
    def flags(self) -> Mapping[str, int]:
        """Descriptions by what is conspicuous about them, for every flag there is."""
        counted = Counter(flag for row in self.rows for flag in row.flags)
        return {flag: counted[flag] for flag in FLAGS}

    @property
    def revision(self) -> str:
        """The describer's."""
        return self.describer.partition("/")[2]

    @property
    def imported(self) -> bool:
        """Whether the words came from a file, so that there is no describer to ask for more."""
        return self.revision == IMPORTED

    @property
    def file_name(self) -> str:
        """``<describer>-<prompt>.parquet``, without the revision: a new revision takes the old one's place."""
        return f"{quote(self.describer.partition('/')[0], safe='')}-{quote(self.prompt, safe='')}.parquet"


def save_descriptions(descriptions: Descriptions, folder: Path) -> Path:
    """Write ``descriptions/<describer>-<prompt>.parquet`` below a data set's folder, atomically."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: pa.array([getattr(row, name) for row in descriptions.rows], pa.string()) for name in _COLUMNS}
    columns[_FLAGS] = pa.array([list(row.flags) for row in descriptions.rows], pa.list_(pa.string()))
    origin = {"describer": descriptions.describer, "prompt": descriptions.prompt, "sha256": _sha256(descriptions)}
    path = folder / DESCRIPTIONS_FOLDER / descriptions.file_name
    with atomic_write(path) as temporary:
        pq.write_table(pa.table(columns).replace_schema_metadata({"viral": json.dumps(origin)}), temporary)
    return path


def all_descriptions(dataset: Dataset) -> tuple[Descriptions, ...]:
    """Every set of descriptions that the data set has, by file name; ``DataError`` where a file is something else."""
    return tuple(_read(path) for path in sorted((dataset.path / DESCRIPTIONS_FOLDER).glob("*.parquet")))


def load_descriptions(dataset: Dataset, describer: str | None = None, prompt: str | None = None) -> Descriptions | None:
    """The data set's descriptions, or ``None`` where nothing has been described.

    Where there are several, ``describer`` and ``prompt`` (names) choose; ``UsageError`` when they do not choose one. A
    set in which not one item is described does not count beside one that has words.
    What a human wrote (``edits``) stands in the place of the describer's text, and where no describer was run, alone.
    """
    there, edits = all_descriptions(dataset), load_edits(dataset)
    if not there and describer is None and prompt is None:
        return _by_hand(dataset, edits) if edits else None
    chosen = [
        one for one in there if describer in (None, one.describer.partition("/")[0]) and prompt in (None, one.prompt)
    ]
    chosen = [one for one in chosen if one.texts] or chosen
    if len(chosen) == 1:
        return replace(chosen[0], rows=overlaid(chosen[0].rows, edits))
    names = [one.file_name.removesuffix(".parquet") for one in chosen or there]
    if chosen:
        hint = f"name the describer and the prompt; there are {', '.join(names)}"
        raise UsageError("several sets of descriptions", where=str(dataset.path / DESCRIPTIONS_FOLDER), hint=hint)
    hint = "run `viral enrich DATASET` with them" + (f"; there are {', '.join(names)}" if names else "")
    raise UsageError(f"no descriptions by {describer or 'any describer'} with prompt {prompt or 'any'}", hint=hint)


def _by_hand(dataset: Dataset, edits: Mapping[str, str]) -> Descriptions:
    rows = tuple(Description(item_id, "", f"{HUMAN}/1", HUMAN, "", "pending") for item_id in dataset.catalog().ids)
    return Descriptions(overlaid(rows, edits), f"{HUMAN}/1", HUMAN)


def _read(path: Path) -> Descriptions:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        origin = json.loads((table.schema.metadata or {})[b"viral"])
        describer, prompt = origin["describer"], origin["prompt"]
        columns = [*_COLUMNS, *(name for name in (_FLAGS,) if name in table.column_names)]
        rows = tuple(
            Description(describer=describer, prompt=prompt, **row | {_FLAGS: tuple(row.get(_FLAGS, ()))})
            for row in table.select(columns).to_pylist()
        )
        found = Descriptions(rows, describer, prompt)
        if "sha256" in origin and origin["sha256"] != _sha256(found):
            raise ValueError("its checksum differs")
        return found
    except (KeyError, TypeError, ValueError, OSError, pa.ArrowException) as error:
        hint = "delete it and run `viral enrich` again: what was described is in the ledger"
        # Not the error's own words, which name the path: this is shown on a page.
        told = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
        raise DataError(f"not a file of descriptions, or damaged ({told})", where=str(path), hint=hint) from None


def _sha256(descriptions: Descriptions) -> str:
    """Of everything that a file tells."""
    rows = [[getattr(row, name) for name in (*_COLUMNS, _FLAGS)] for row in descriptions.rows]
    return fingerprint(descriptions.describer, descriptions.prompt, rows)


def overlaid(rows: tuple[Description, ...], edits: Mapping[str, str]) -> tuple[Description, ...]:
    """The rows with the human text where there is one."""
    return tuple(
        replace(row, text=edits[row.item_id], status="done", error="", flags=(), edited=True)
        if row.item_id in edits
        else row
        for row in rows
    )
