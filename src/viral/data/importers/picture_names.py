"""Pictures that a table names: paths as they are, from another machine, in other letters, or the ends of addresses."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
NAMED, BY_NAME, BY_ADDRESS = "as named", "by the file name that is named", "by the file name in the address"


@dataclass(frozen=True)
class NamedFiles:
    """The files of a folder by their names."""

    folder: Path
    names: Sequence[str]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return self._grouped(lambda path: path.name)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return self._grouped(lambda path: path.stem)

    @cached_property
    def _by_tail(self) -> dict[str, list[str]]:
        return self._grouped(lambda path: f"{path.parent.name}/{path.stem}")

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
        files = self._by_name.get(_folded(file.name)) or self._by_stem.get(_folded(file.stem), [])
        if len(files) > 1 and len(parts) > 1:
            inner = self._by_tail.get(_folded(f"{parts[-2]}/{file.stem}"), [])
            named = [name for name in inner if _folded(PurePosixPath(name).name) == _folded(file.name)]
            files = _deepest(named or inner, parts[:-1]) or files
        return files

    def _grouped(self, key: Callable[[PurePosixPath], str]) -> dict[str, list[str]]:
        groups = defaultdict[str, list[str]](list)
        for name in self.names:
            groups[_folded(key(PurePosixPath(name)))].append(name)
        return dict(groups)


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
