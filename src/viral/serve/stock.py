"""What is in stock: a file of item ids that another program writes, read again when it has changed."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from viral.data import Vocabulary
from viral.errors import ViralError
from viral.retrieval.filters import check_known, read_ids
from viral.serve.background import running

Signature = tuple[int, int, int]
log = logging.getLogger("viral.serve")


class Stock:
    """The ids of the file as it was last read; one that cannot be used leaves them as they were, and says why.

    ``known`` gives the items that are served now: a file without any of them is not a file of the stock. Raises
    ``ViralError`` and ``OSError`` where the first one cannot be used.
    """

    def __init__(self, file: Path, known: Callable[[], Vocabulary]) -> None:
        self._file, self._known = file, known
        self.broken = ""  # why the file as it is now is not what is answered by; empty where it is
        self._seen: Signature | None = _signature(file)
        self._ids = self._read()

    def __len__(self) -> int:
        return len(self._ids)

    def has(self, item_id: str) -> bool:
        """Whether the item is in stock now."""
        return item_id in self._ids

    def watching(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Look at the file every so often until the block ends."""
        return running(self._watch(seconds))

    def look(self) -> None:
        """Read the file again where it is another one, or could not be used the last time."""
        seen = _signature(self._file)
        if seen == self._seen and not self.broken:
            return
        self._seen = seen
        try:
            self._ids, self.broken = self._read(), ""
        except (ViralError, OSError) as error:
            what = error.what if isinstance(error, ViralError) else "it cannot be read"
            told = f"the file of the stock: {what}"  # not where: it is a file of this machine
            if told != self.broken:
                log.warning("the file of the stock cannot be used, the old one goes on: %s", error)
            self.broken = told

    def _read(self) -> frozenset[str]:
        ids = read_ids(self._file)
        check_known(ids, self._known(), self._file)
        return ids

    async def _watch(self, seconds: float) -> None:
        await asyncio.sleep(random.random() * seconds)
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(seconds)


def _signature(file: Path) -> Signature | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
