"""The files of a folder of pictures, at any depth: those that are read, in natural order, and those that are not."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from viral.data.pictures import SUFFIXES

# Formats of pictures and films that are not read, and archives of them: by suffix, as a folder is only looked through.
_PICTURES = (".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".svg", ".psd", ".jxl", ".jp2", ".eps", ".pdf")
_RAW_AND_FILMS = (".raw", ".cr2", ".nef", ".dng", ".mp4", ".mov", ".m4v", ".webm", ".avi", ".mkv", ".wmv")
UNREAD = frozenset((*_PICTURES, *_RAW_AND_FILMS))
ARCHIVES = frozenset((".zip", ".rar", ".7z", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst"))
_READ = frozenset((*SUFFIXES, ".jpe", ".jfif"))
_NO_CONTENT = ("__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini")


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
