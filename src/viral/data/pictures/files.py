"""Picture files: only regular ones, not links, inside their folder, and not too long."""

import errno
import os
import stat
from pathlib import Path

from viral.data.pictures.errors import MAX_BYTES, PictureError


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file, not a link, of no more than ``MAX_BYTES``; raises ``PictureError``."""
    # Neither a link nor a pipe may be opened by name and checked afterwards: it could be swapped, or block for ever.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        linked = getattr(error, "errno", None) == errno.ELOOP
        raise PictureError("symbolic link" if linked else "missing", path) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PictureError("not a file", path)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if not data:
        raise PictureError("empty", path)
    if len(data) > MAX_BYTES:
        raise PictureError("too many bytes", path)
    return data


def locate(folder: Path, name: str) -> Path:
    """``folder / name``, if that neither leaves ``folder`` nor goes through a link below it; else ``PictureError``."""
    if "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise PictureError("outside the folder", None, f" ({name!r})")
    path = folder.resolve() / name
    if path.resolve() != path:
        raise PictureError("symbolic link", path)
    return path
