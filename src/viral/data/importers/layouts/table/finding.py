"""Which files of a folder are the log and the item table: by their names, or else by their columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import DataError
from viral.data.importers.columns.names import IMAGE, ITEM, LOG_ITEM, TEXT, TITLE, USER, Role, candidates, key
from viral.data.importers.layouts.recognising import only
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
    if source.is_dir():
        return _Folder(source, said, *_tables(source, items, said, encoding)).files(given, needs_log=needs_log)
    paths = [source] if source.exists() else sorted(source.parent.glob(source.name))
    if not paths:
        raise DataError("no such file or folder", where=str(source), hint="check the name of the source")
    return TableFiles({path: look(path, encoding) for path in paths}, given, ())


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
        if _Folder(folder, said, seen, faults).like_logs():
            break
    return seen, faults


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of tables, of which one or more are the log and one may be that of the items."""

    path: Path
    said: Mapping[str, str]  # columns as the user says
    seen: Mapping[Path, Raw]
    faults: Mapping[Path, DataError]  # of the tables that cannot be read

    def files(self, items: tuple[Path, Raw] | None, *, needs_log: bool) -> TableFiles:
        """The log and the items, which may be given."""
        needed = needs_log or not any(map(self._is_items, self.seen.values()))
        logs = self._logs() if needed else self.like_logs()
        if items is None:
            items = self._items({path: raw for path, raw in self.seen.items() if path not in logs})
        used = {*logs, *(items[:1] if items else ())}
        unread = [path.name for path, raw in self.seen.items() if path not in used and len(raw.present) > 1]
        return TableFiles(
            logs, items, [*unread, *(f"{path.name} ({fault.what})" for path, fault in self.faults.items())]
        )

    def like_logs(self) -> dict[Path, Raw]:
        """The tables that have users and items; that with the name that settles it alone."""
        named = self._named(LOG)
        if named is not None:
            return {named: self.seen[named]}
        like = {
            path: raw
            for path, raw in self.seen.items()
            if _stem(path) != ITEMS and self._has(raw, USER) and self._has(raw, LOG_ITEM)
        }
        if len({frozenset(map(key, raw.present)) for raw in like.values()}) > 1:
            hint = "give one of them as the source, or keep only that one there; the item table goes with --items"
            only(list(like), "files with different columns could be the log", self.path, hint)
        return like

    def _logs(self) -> dict[Path, Raw]:
        """The log, which has to be there; a single table that is not the items' is taken for it, to say its lacks."""
        like = self.like_logs()
        left = {path: raw for path, raw in self.seen.items() if _stem(path) != ITEMS and not self._is_items(raw)}
        if like or len(left) == 1:
            return like or left
        if not self.seen and len(self.faults) == 1:
            raise next(iter(self.faults.values()))
        if not self.seen and not self.faults:
            hint = f"the tables of a shop are of {', '.join(SUFFIXES)}"
            raise DataError("no interaction log in this folder: there is no table", where=str(self.path), hint=hint)
        lines = [f"{path.name}: {in_words(raw.present)}" for path, raw in self.seen.items()]
        lines += [f"{path.name}: {fault.what}" for path, fault in self.faults.items()]
        what = "\n  ".join(["no interaction log in this folder: no table has users and items", *lines[:_SHOWN]])
        raise DataError(what, where=str(self.path), hint=_HINT)

    def _items(self, left: Mapping[Path, Raw]) -> tuple[Path, Raw] | None:
        """The item table among those that are ``left``, if there is one."""
        named = self._named(ITEMS)
        like = [named] if named and named in left else [path for path, raw in left.items() if self._is_items(raw)]
        # A single other table is taken for the items', to say what it lacks; a .txt is rather a README.
        if not like and len(left) == 1 and not candidates(next(iter(left.values())).present, USER):
            like = [path for path in left if path.suffix.lower() != ".txt"]
        hint = "say which one with --items, or keep only that one there"
        found = only(like, "files could be the item table", self.path, hint)
        return (found, left[found]) if found else None

    def _named(self, stem: str) -> Path | None:
        """The one table of that name, if there is one."""
        files = [path for path in self.seen if _stem(path) == stem]
        return only(files, "tables of one name", self.path, "keep one of them there")

    def _is_items(self, raw: Raw) -> bool:
        words = any(self._has(raw, role) for role in (TITLE, TEXT, IMAGE))
        return words and self._has(raw, ITEM) and not candidates(raw.present, USER)

    def _has(self, raw: Raw, role: Role) -> bool:
        said = any(name in raw.present for name in self.said.get(role.name, "").split(","))
        return said or bool(candidates(raw.present, role))


def _stem(path: Path) -> str:
    return path.name.partition(".")[0].lower()
