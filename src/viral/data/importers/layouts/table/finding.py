"""Which files of a folder are the log and the item table: by their names, or else by their columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import DataError, UsageError
from viral.data.importers.columns.names import IMAGE, ITEM, LOG_ITEM, TEXT, TITLE, USER, Role, candidates, key
from viral.data.importers.readers.formats import SUFFIXES, in_words, is_table, look
from viral.data.importers.readers.raw import Raw

LOG, ITEMS = "interactions", "items"  # the names that settle it
_HINT = (
    "say which columns they are with --column user=NAME --column item=NAME_IN_LOG,NAME_IN_TABLE, or call the log "
    f"{LOG}.csv (or {', '.join(SUFFIXES[1:5])}, …)"
)
_SHOWN = 6  # files that an error tells the columns of
_MOST = 1_000  # files of a folder that are looked into
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The files of a log, in order, and that of the items; each with its first rows."""

    log: Mapping[Path, Raw]
    items: tuple[Path, Raw] | None
    unread: Sequence[str]  # tables of the folder that are neither


def folder_of(source: Path) -> Path:
    """The folder or file that has to be there: of a pattern such as ``orders-*.csv`` its folder."""
    return source if source.exists() or not _GLOB.search(source.name) else source.parent


def find(
    source: Path, items: Path | None, said: Mapping[str, str], encoding: str | None, *, needs_log: bool = True
) -> TableFiles:
    """The log and the item table of a source: a file, a pattern of files, or a folder.

    Raises ``DataError`` where there is no log, ``UsageError`` where several files could be one of the two.
    """
    given = None if items is None else (items, look(items, encoding))
    if not source.is_dir():
        paths = [source] if source.exists() else sorted(source.parent.glob(source.name))
        if not paths:
            raise DataError("no such file or folder", where=str(source), hint="check the name of the source")
        return TableFiles({path: look(path, encoding) for path in paths}, given, ())
    seen, faults = _tables(source, items, said, encoding)
    needed = needs_log or not any(_is_items(raw, said) for raw in seen.values())
    logs = _logs(source, seen, said, faults) if needed else _log_like(source, seen, said)
    if given is None:
        rest = {path: raw for path, raw in seen.items() if path not in logs}
        given = _items(source, rest, said)
    used = {*logs, *([given[0]] if given else ())}
    unread = [path.name for path, raw in seen.items() if path not in used and len(raw.present) > 1]
    return TableFiles(logs, given, [*unread, *(f"{path.name} ({fault.what})" for path, fault in faults.items())])


def _tables(
    folder: Path, items: Path | None, said: Mapping[str, str], encoding: str | None
) -> tuple[dict[Path, Raw], dict[Path, DataError]]:
    """The first rows of the tables of a folder, and what is wrong with those that cannot be read.

    Where no log is among them, those of the folders in it as well: a log may be a folder of parts. A table with a
    name that settles it must be readable.
    """
    seen, faults = dict[Path, Raw](), dict[Path, DataError]()
    for pattern in ("*", "*/*"):
        paths = [path for path in sorted(folder.glob(pattern)) if path.is_file() and is_table(path)]
        for path in paths[:_MOST]:
            if items is not None and path.resolve() == items.resolve():
                continue
            try:
                seen[path] = look(path, encoding)
            except DataError as fault:
                if _stem(path) in (LOG, ITEMS):
                    raise
                faults[path] = fault
        if _log_like(folder, seen, said):
            break
    return seen, faults


def _log_like(folder: Path, seen: Mapping[Path, Raw], said: Mapping[str, str]) -> dict[Path, Raw]:
    """The tables that have users and items; that with the name that settles it alone."""
    named = _conventional(folder, seen, LOG)
    if named is not None:
        return {named: seen[named]}
    like = {
        path: raw
        for path, raw in seen.items()
        if _stem(path) != ITEMS and _has(raw, said, USER) and _has(raw, said, LOG_ITEM)
    }
    if len({frozenset(map(key, raw.present)) for raw in like.values()}) > 1:
        names = ", ".join(path.name for path in like)
        hint = "give one of them as the source, or keep only that one there; the item table goes with --items"
        raise UsageError(
            f"several files with different columns could be the log: {names}", where=str(folder), hint=hint
        )
    return like


def _logs(
    folder: Path, seen: Mapping[Path, Raw], said: Mapping[str, str], faults: Mapping[Path, DataError]
) -> dict[Path, Raw]:
    """The log, which has to be there; the only table that is not the items' is taken for it, to say what it lacks."""
    like = _log_like(folder, seen, said)
    if like:
        return like
    left = {path: raw for path, raw in seen.items() if _stem(path) != ITEMS and not _is_items(raw, said)}
    if len(left) == 1:
        return left
    if not seen and len(faults) == 1:
        raise next(iter(faults.values()))
    if not seen and not faults:
        hint = f"the tables of a shop are of {', '.join(SUFFIXES)}"
        raise DataError("no interaction log in this folder: there is no table", where=str(folder), hint=hint)
    lines = [f"{path.name}: {in_words(raw.present)}" for path, raw in seen.items()]
    lines += [f"{path.name}: {fault.what}" for path, fault in faults.items()]
    what = "\n  ".join(["no interaction log in this folder: no table has users and items", *lines[:_SHOWN]])
    raise DataError(what, where=str(folder), hint=_HINT)


def _items(folder: Path, seen: Mapping[Path, Raw], said: Mapping[str, str]) -> tuple[Path, Raw] | None:
    named = _conventional(folder, seen, ITEMS)
    if named is not None:
        return named, seen[named]
    like = [(path, raw) for path, raw in seen.items() if _is_items(raw, said)]
    if len(like) > 1:
        names = ", ".join(path.name for path, _ in like)
        hint = "say which one with --items, or keep only that one there"
        raise UsageError(f"several files could be the item table: {names}", where=str(folder), hint=hint)
    # A single other table is taken for the items', so that what its columns lack is said; a .txt is rather a README.
    tables = [(path, raw) for path, raw in seen.items() if path.suffix.lower() != ".txt"]
    only = tables if len(seen) == 1 and not _has(next(iter(seen.values())), {}, USER) else []
    found = [*like, *only]
    return found[0] if found else None


def _conventional(folder: Path, seen: Mapping[Path, Raw], stem: str) -> Path | None:
    """The one table of that name, if there is one."""
    files = [path for path in seen if _stem(path) == stem]
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise UsageError(f"several tables of one name: {names}", where=str(folder), hint="keep one of them there")
    return files[0] if files else None


def _stem(path: Path) -> str:
    return path.name.partition(".")[0].lower()


def _is_items(raw: Raw, said: Mapping[str, str]) -> bool:
    return (
        _has(raw, said, ITEM)
        and any(_has(raw, said, role) for role in (TITLE, TEXT, IMAGE))
        and not candidates(raw.present, USER)
    )


def _has(raw: Raw, said: Mapping[str, str], role: Role) -> bool:
    return any(name in raw.present for name in said.get(role.name, "").split(",")) or bool(
        candidates(raw.present, role)
    )
