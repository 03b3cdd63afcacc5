"""What one edition of the Amazon sets calls its fields and files, and where those are found."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import DataError, UsageError
from viral.data.dataset import Rejection
from viral.data.importers.amazon_lines import Record, is_json
from viral.data.importers.layouts import elsewhere
from viral.data.importers.raw import Bad, printable

MAX_REJECTED = 1_000_000  # beyond this the file is something else, and naming its rows would fill the memory
TEXTS = ("title", "text", "category", "image_url", "price", "brand")
PARTS = ("train", "valid", "test")
_REVIEWS, _METADATA = "review_categories", "meta_categories"  # the folders that the edition of 2023 has them in
ItemText = dict[str, str | None]  # by TEXTS


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of one edition's fields and files, and what an item's metadata say."""

    name: str
    user: str
    item: str
    rating: str
    time: str
    ratings: tuple[str, ...]  # the columns of the ratings alone, where that file does not name them; () if it must
    logs: tuple[str, ...]  # patterns of the log's file name, without .gz, the preferred first
    affix: re.Pattern[str]  # what a log's name has around the name of its category
    suffix: str  # of the metadata's file, without .gz
    text_of: Callable[[Record], ItemText]
    licence: str = "McAuley's group: for research; see the data set's page"


def log_files(layout: Layout, source: Path, dataset: Path) -> dict[str, Path]:
    """The log in a folder, or the file that was given, as ``""``; of a ready split its three files, by their part."""
    file = source if source.is_file() else _log_file(layout, source, dataset)
    part = re.search(r"\.(train|valid|test)\.csv(\.gz)?$", file.name)
    if part is None:
        return {"": file}
    start, end = file.name[: part.start()], file.name[part.end(1) :]
    parts = {name: file.with_name(f"{start}.{name}{end}") for name in PARTS}
    for path in parts.values():
        if not path.is_file():
            hint = "put the three files of the split beside one another, or take the ratings alone"
            raise DataError("a file of the ready split is missing", where=str(path), hint=hint)
    return parts


def _log_file(layout: Layout, source: Path, dataset: Path) -> Path:
    other = elsewhere(layout.name, source, dataset)
    for folder in (source, source / _REVIEWS):
        for pattern in layout.logs:
            found = sorted(path for end in ("", ".gz") for path in folder.glob(pattern + end))
            files = [path for path in found if not path.name.startswith("meta_")]
            if len(files) > 1:
                names = ", ".join(file.name for file in files)
                hint = other or "give one of them as the source"
                raise UsageError(f"several logs: {names}", where=str(folder), hint=hint)
            if files:
                return files[0]
    hint = other or "give the reviews' file or folder"
    raise DataError(f"no {' or '.join(layout.logs)} here", where=str(source), hint=hint)


def meta_file(layout: Layout, log: Path, dataset: Path) -> Path:
    """The metadata beside a log: of its category, or the only ones there are."""
    category = layout.affix.sub("", log.name)
    names = [f"meta_{category}{layout.suffix}{end}" for end in ("", ".gz")]
    folders = (log.parent, log.parent.parent / _METADATA)
    named = [folder / name for folder in folders for name in names if (folder / name).is_file()]
    files = named[:1] or sorted(file for end in ("", ".gz") for file in log.parent.glob(f"meta_*{layout.suffix}{end}"))
    if len(files) == 1:
        return files[0]
    what = f"several files of metadata: {', '.join(file.name for file in files)}" if files else f"no {names[0]}[.gz]"
    hint = "name the file with --items"
    if is_json(log) or not layout.ratings:  # which name their fields
        hint += f"; the log alone, without words: viral import table {log} {dataset}"
    hint = elsewhere(layout.name, log.parent, dataset) or hint
    raise DataError(what, where=str(log.parent), hint=hint)


def writable(text: str) -> bool:
    """Whether the text can be written at all: JSON may spell halves of characters."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def reject(rejections: list[Rejection], path: Path, row: int, bad: Bad) -> None:
    """Name a row that is left out; raise ``DataError`` where there are too many of them."""
    if len(rejections) >= MAX_REJECTED:
        what = f"more than {MAX_REJECTED:,} rows cannot be used (this one: {bad.reason})"
        raise DataError(what, where=f"{path}, row {row}", hint="is it a file of this layout?")
    rejections.append(Rejection(path.name, row, bad.field, bad.reason, printable(bad.value)))
