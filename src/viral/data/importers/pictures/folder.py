"""A folder of pictures: its files at any depth, and those among them that a name or an address means."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from viral.data.pictures import SUFFIXES

# Formats of pictures and films that are not read, and archives of them: by suffix, as a folder is only looked through.
_PICTURES = (".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".svg", ".psd", ".jxl", ".jp2", ".eps", ".pdf")
_RAW_AND_FILMS = (".raw", ".cr2", ".nef", ".dng", ".mp4", ".mov", ".m4v", ".webm", ".avi", ".mkv", ".wmv")
UNREAD = frozenset((*_PICTURES, *_RAW_AND_FILMS))
ARCHIVES = frozenset((".zip", ".rar", ".7z", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst"))
_READ = frozenset((*SUFFIXES, ".jpe", ".jfif"))
_NO_CONTENT = ("__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
NAMED, BY_NAME, BY_ADDRESS = "as named", "by the file name that is named", "by the file name in the address"


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """The names of files below ``folder``, with ``/`` between; nothing is opened, and no link is followed."""

    folder: Path
    names: tuple[str, ...] = ()  # pictures, those of upper folders first, each folder in natural order
    unread: tuple[str, ...] = ()  # of formats that are not read
    archives: tuple[str, ...] = ()
    links: int = 0  # to folders, which are not entered


def look_through(folder: Path, *, below: bool = True) -> PictureFolder:
    """The pictures of ``folder``, and ``below`` it at any depth."""
    names, unread, archives, links = list[str](), list[str](), list[str](), 0
    for path, is_link in _files(folder, below=below):
        if is_link:
            links += 1
            continue
        name = path.relative_to(folder).as_posix()
        suffix = path.suffix.lower()
        if suffix in _READ or (not suffix and _is_picture(path)):
            names.append(name)
        elif suffix in UNREAD:
            unread.append(name)
        elif suffix in ARCHIVES:
            archives.append(name)
    names, unread, archives = (sorted(group, key=_order) for group in (names, unread, archives))
    return PictureFolder(folder, tuple(names), tuple(unread), tuple(archives), links)


def _files(folder: Path, *, below: bool) -> Iterator[tuple[Path, bool]]:
    """Every file, hidden ones aside; and every link to a folder, as such."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not _is_hidden(name)] if below else []
        yield from ((Path(place, name), True) for name in folders if Path(place, name).is_symlink())
        yield from ((Path(place, name), False) for name in files if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in _NO_CONTENT


def _is_picture(path: Path) -> bool:
    """Whether a file without a suffix is a picture by its first bytes."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG")) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def _order(name: str) -> tuple[int, list[tuple[int, int, str]]]:
    return name.count("/"), natural(name)


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which ``a2`` comes before ``a10``, and ``a`` before ``a_1``."""
    path = PurePosixPath(name)
    parts = re.split(r"(\d+)", path.with_suffix("").as_posix().casefold())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts if part] + [(-1, 0, name)]


@dataclass(frozen=True)
class NamedFiles:
    """The files of a folder by their names."""

    folder: Path
    names: Sequence[str]

    @cached_property
    def _groups(self) -> tuple[dict[str, list[str]], ...]:
        """The names by file name, by stem, and by folder and stem."""
        groups = tuple(defaultdict[str, list[str]](list) for _ in range(3))
        for name in self.names:
            path = PurePosixPath(name)
            for group, key in zip(groups, (path.name, path.stem, f"{path.parent.name}/{path.stem}"), strict=True):
                group[_folded(key)].append(name)
        return tuple(map(dict, groups))

    def there(self, name: str) -> bool:
        """Whether there is something of exactly that name below the folder, if only a link."""
        if "\0" in name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            return False
        try:
            return os.path.lexists(self.folder / name) and not (self.folder / name).is_dir()
        except OSError:  # a name that no file could have
            return False

    def alike(self, value: str) -> list[str]:
        """The files of that file name, wherever they are; more than one where its folders do not tell them apart.

        Upper and lower case are alike, and so are suffixes where none is just so.
        """
        parts = [part for part in re.split(r"[\\/]+", _path_of(value)) if part not in ("", ".")]
        if not parts:
            return []
        file = PurePosixPath(parts[-1])
        by_name, by_stem, by_tail = self._groups
        files = by_name.get(_folded(file.name)) or by_stem.get(_folded(file.stem), [])
        if len(files) > 1 and len(parts) > 1:
            inner = by_tail.get(_folded(f"{parts[-2]}/{file.stem}"), [])
            named = [name for name in inner if _folded(PurePosixPath(name).name) == _folded(file.name)]
            files = _deepest(named or inner, parts[:-1]) or files
        return files


def _folded(name: str) -> str:
    """A name without case; letters with marks are alike, however the system that packed it writes them."""
    return unicodedata.normalize("NFC", name).casefold()


def _path_of(value: str) -> str:
    """The path of an address, decoded; any other name as it is."""
    if not _ADDRESS.match(value):
        return value
    try:
        return unquote(urlsplit(value).path)
    except ValueError:
        return ""


def _deepest(files: list[str], folders: Sequence[str]) -> list[str]:
    """Those of ``files`` whose folders, from the innermost outwards, are most like ``folders``."""
    wanted = [folder.casefold() for folder in reversed(folders)]

    def likeness(name: str) -> int:
        own = [part.casefold() for part in reversed(PurePosixPath(name).parts[:-1])]
        pairs = zip(own, wanted, strict=False)
        return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(own), len(wanted)))

    best = max(map(likeness, files), default=0)
    return [name for name in files if likeness(name) == best]


def is_address(name: str) -> bool:
    """Whether a picture is named by an address of the web."""
    return _ADDRESS.match(name) is not None
