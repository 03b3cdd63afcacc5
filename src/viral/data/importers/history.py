"""Where a data set's rows came from, import by import: what each read, and a key that tells whether it has changed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from viral.base.files import fingerprint
from viral.data.dataset import MANIFEST_FILE, Source

FEEDBACK = ".feedback.jsonl"  # what a server writes beside a run
NOT_OF_THE_SOURCE = (MANIFEST_FILE, "run.json", "identity.json")  # a folder with one of them is something made here


def told_of(source: Source) -> dict[str, Any]:
    """An entry of the history about the import of ``source``, as the folder is now."""
    path = Path(source.path)
    return {
        "path": source.path,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": files_key(path) if source.path and path.exists() else "",
        "split": source.split,
    }


def files_key(source: Path) -> str:
    """Changes where a file is added, taken away or written to: names, sizes and times of all files below."""
    if source.is_file():
        status = source.stat()
        return fingerprint([[source.name, status.st_size, status.st_mtime_ns]])
    found = sorted(_files(source))
    return fingerprint(
        [[str(file.relative_to(source)), file.stat().st_size, file.stat().st_mtime_ns] for file in found]
    )


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name.endswith(FEEDBACK) or path.is_symlink():
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and not any((path / name).is_file() for name in NOT_OF_THE_SOURCE):
            yield from _files(path)


def imported_before(manifest: Mapping[str, Any], source: Path) -> bool:
    """Whether the files of ``source``, as they are, are in the data set already."""
    key = files_key(source)
    return any(entry.get("files") == key for entry in manifest["source"].get("history", ()))
