"""Files that other programs write, read again when they have changed: what is in stock, and the shop's rules."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Generic, TypeVar

from fastapi import Request

from viral.apps.serve.metrics import ServerMetrics
from viral.base.errors import ViralError
from viral.data.vocabulary import Vocabulary
from viral.run.retrieval import Retriever
from viral.run.retrieval.filters import check_known, read_ids
from viral.run.retrieval.ranking import NO_RULES
from viral.run.retrieval.rules import Rules, read_rules

T = TypeVar("T")
Signature = tuple[int, int, int]
SHOWN = 20  # unknown names of the rules that are told
log = logging.getLogger("viral.apps.serve")


class WatchedFile(Generic[T]):
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
        return repeatedly(lambda: asyncio.to_thread(self.look), seconds)

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
        self.accepted()

    def accepted(self) -> None:
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


def signature(file: Path) -> Signature | None:
    """What changes with a file; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


@contextlib.asynccontextmanager
async def repeatedly(
    look: Callable[[], Awaitable[None]], seconds: float, *, at_once: bool = False
) -> AsyncIterator[None]:  # fmt: skip
    """``look`` every so many seconds beside the requests, until the block ends.

    Workers begin at different moments, so that they do not all load at once, unless ``at_once``.
    """

    async def watch() -> None:
        await asyncio.sleep(0 if at_once else random.random() * seconds)
        while True:
            await look()
            await asyncio.sleep(seconds)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Stock(WatchedFile[frozenset[str]]):
    """The ids of the file as it was last read.

    ``known`` gives the items that are served now: a file without any of them is not a file of the stock.
    """

    def __init__(self, file: Path, known: Callable[[], Vocabulary]) -> None:
        def read(file: Path) -> frozenset[str]:
            ids = read_ids(file)
            check_known(ids, known(), file)
            return ids

        super().__init__(file, read, "the file of the stock")

    def __len__(self) -> int:
        return len(self.value)

    def has(self, item_id: str) -> bool:
        """Whether the item is in stock now."""
        return item_id in self.value


class RulesFile(WatchedFile[Rules]):
    """The rules of the file as it was last of use; ``served`` gives what they are for."""

    def __init__(self, file: Path, served: Callable[[], Retriever], metrics: ServerMetrics) -> None:
        super().__init__(file, read_rules, "the file of rules")
        self._served, self._metrics = served, metrics
        self.reloads = 0
        self._metrics.rules_broken.set(0)
        self._tell()

    def unknown(self) -> tuple[str, ...]:
        """What the rules name and the bundle that is served does not know."""
        return self._served().applied(self.value).unknown

    def look(self) -> None:
        """Also tell anew what is unknown where another bundle is served."""
        super().look()
        if self.unknown() != self._told:
            self._tell()

    def accepted(self) -> None:
        self.reloads += 1
        self._metrics.rules_reloads.labels("done").inc()
        self._metrics.rules_broken.set(0)
        log.info("new rules: %d", len(self.value))
        self._tell()

    def refused(self) -> None:
        self._metrics.rules_reloads.labels("failed").inc()
        self._metrics.rules_broken.set(1)

    def _tell(self) -> None:
        self._told = unknown = self.unknown()
        self._metrics.rules_unknown.set(len(unknown))
        if unknown:
            more = " …" if len(unknown) > SHOWN else ""
            log.warning("the rules name what the run does not know: %s%s", ", ".join(unknown[:SHOWN]), more)


def rules_of(request: Request, wanted: bool = True) -> Rules:
    """The rules by which this request is answered; none where there is no file, or none are wanted."""
    file: RulesFile | None = request.app.state.rules
    return file.value if file is not None and wanted else NO_RULES
