"""A file that other programs write, read again when it has changed."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Generic, TypeVar

from viral.apps.serve.background import running
from viral.base.errors import ViralError

T = TypeVar("T")
Signature = tuple[int, int, int]
log = logging.getLogger("viral.apps.serve")


class Watched(Generic[T]):
    """``value`` is what the file said when it was last of use; one that is of none leaves it, and ``broken`` says why.

    Raises ``ViralError`` and ``OSError`` where the first one cannot be used.
    """

    def __init__(self, file: Path, read: Callable[[Path], T], name: str) -> None:
        self._file, self._read, self._name = file, read, name
        self.broken = ""  # why the file as it is now is not what is answered by; empty where it is
        self._seen = signature(file)
        self.value = read(file)

    def watching(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Look at the file every so often until the block ends."""
        return running(self._watch(seconds))

    def look(self) -> None:
        """Read the file again where it is another one, or could not be used the last time."""
        seen = signature(self._file)
        if seen == self._seen and not self.broken:
            return
        self._seen = seen
        try:
            value = self._read(self._file)
        except (ViralError, OSError) as error:
            self._refuse(error)
            return
        self.broken, self.value = "", value
        self.taken()

    def taken(self) -> None:
        """A changed file was read."""

    def refused(self) -> None:
        """A changed file cannot be used, for a reason not yet told."""

    def _refuse(self, error: ViralError | OSError) -> None:
        what = error.what if isinstance(error, ViralError) else "it cannot be read"
        told = f"{self._name}: {self._place(error)}{what}"
        if told != self.broken:
            log.warning("%s cannot be used, the old one goes on: %s", self._name, error)
            self.broken = told
            self.refused()

    def _place(self, error: ViralError | OSError) -> str:
        """Where inside the file; not the file itself, which is this machine's."""
        inside = getattr(error, "where", "").removeprefix(str(self._file)).removeprefix(",").strip()
        return f"{inside}: " if inside else ""

    async def _watch(self, seconds: float) -> None:
        await asyncio.sleep(random.random() * seconds)
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(seconds)


def signature(file: Path) -> Signature | None:
    """What changes with a file; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
