"""Hot reload: the current snapshot, and the watcher that exchanges it for a new one without a request noticing."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from fastapi import Request

from viral.apps.serve.metrics import ServerMetrics
from viral.apps.serve.settings import Settings
from viral.apps.serve.snapshot import Snapshot, bundle_folder, load_last, load_snapshot
from viral.apps.serve.watched_files import Signature, repeatedly, signature
from viral.base.errors import ViralError
from viral.data.dataset import MANIFEST_FILE as DATASET_MANIFEST
from viral.run.bundle import MANIFEST_FILE
from viral.run.explain.information import FILE as INFORMATION_FILE
from viral.run.explain.information import load as load_information

PATIENCE = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds between tries of what cannot be loaded
log = logging.getLogger("viral.apps.serve")


class Live:
    """``current`` is what to answer from; take it once a request, and keep it until the answer is made."""

    def __init__(
        self, settings: Settings, metrics: ServerMetrics, load: Callable[[Settings], Snapshot] = load_snapshot, *,
        variant: str = "",
    ) -> None:  # fmt: skip
        self.settings, self._metrics, self._load = settings, metrics, load
        self._broken = metrics.variant_broken.labels(variant) if variant else metrics.broken
        self.reloads = 0
        self.broken = ""  # why what lies on the disk now is not what is served; empty where it is
        self._tried = self._look()
        self._failures, self._again = 0, 0.0  # how often the same could not be loaded, and when it is tried again
        first, fault = self._first()
        gc.collect()
        self._take(first)
        if fault is not None:
            self._refuse(fault)

    def _first(self) -> tuple[Snapshot, ViralError | None]:
        """What is on the disk, or what was served last with the fault of what is there."""
        try:
            return self._load(self.settings), None
        except ViralError as error:
            last = load_last(self.settings)
            if last is None:
                raise
            return last, error

    def _take(self, snapshot: Snapshot) -> None:
        self.current, self.broken = snapshot, ""
        self._metrics.loaded.set(snapshot.loaded)
        self._broken.set(0)
        # It stays: the collector would look through it again and again, and stop all requests meanwhile.
        gc.freeze()
        log.info("serving bundle %s", snapshot.etag)

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Look for a new bundle until the block ends."""
        return repeatedly(self.check, self.settings.watch_seconds)

    async def check(self) -> None:
        """Load what is new, aside, and exchange; what cannot be loaded leaves the old one serving, and is told."""
        seen = self._look()
        if seen == self._tried and not (self.broken and time.monotonic() >= self._again):
            return
        self._failures = self._failures + 1 if seen == self._tried else 1
        measured = not self.broken and seen[1:] == self._tried[1:]
        self._tried = seen
        try:
            fresh = await asyncio.to_thread(self._measured if measured else self._load, self.settings)
        except Exception as error:  # whatever it is, it must not end the watch
            self._refuse(error)
            return
        self._failures = 0
        self._take(fresh)
        if not measured:
            self.reloads += 1
            self._metrics.reloads.labels("done").inc()

    def _measured(self, settings: Settings) -> Snapshot:
        """The current bundle with what ``viral information`` has measured of it meanwhile."""
        return replace(self.current, information=load_information(settings.run))

    def _refuse(self, error: Exception) -> None:
        self._again = time.monotonic() + PATIENCE[min(self._failures, len(PATIENCE)) - 1]
        self.broken = error.what if isinstance(error, ViralError) else "the files cannot be read"
        self._metrics.reloads.labels("failed").inc()
        self._broken.set(1)
        unforeseen = not isinstance(error, ViralError)
        log.warning("the new bundle cannot be used, the old one goes on serving: %s", error, exc_info=unforeseen)

    def _look(self) -> tuple[Signature | None, ...]:
        dataset = self.settings.dataset
        bundle = bundle_folder(self.settings.run)
        files = [self.settings.run / INFORMATION_FILE, bundle / MANIFEST_FILE]
        files += sorted(bundle.iterdir()) if bundle.is_dir() else []  # written over in place, they are told of
        files += [dataset / DATASET_MANIFEST] if dataset is not None else []
        return tuple(map(signature, files))


def current_snapshot(request: Request) -> Snapshot:
    """The snapshot that this request is answered from, also if another one comes meanwhile."""
    snapshot: Snapshot = request.app.state.live.current
    return snapshot
