"""Warm-up: the describer and the encoders of new items are loaded before the first of them comes, beside the requests.

Until then a new item waits, and the page says so; everything else is answered. The encoders of one bundle go over to
the next one, so that they are loaded once.
"""

import contextlib
import io
import logging
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Literal

from viral.apps.serve.hot_reload import Live
from viral.apps.serve.problems import Problem
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.thread_pools import Pools
from viral.apps.serve.watched_files import repeatedly
from viral.base.errors import ViralError
from viral.run.retrieval import Retriever

State = Literal["off", "warming", "ready", "failed"]
PIXEL = "pixel"  # the describer that needs no other machine and costs nothing to ask
log = logging.getLogger("viral.apps.serve")


class WarmUp:
    """Warms each bundle as it comes; ``state`` is that of the current one."""

    def __init__(self, live: Live, *, on: bool) -> None:
        self._live, self._on = live, on
        self._done: Snapshot | None = None
        self._failed = False

    @property
    def state(self) -> State:
        if not self._on:
            return "off"
        if self._live.current is not self._done:
            return "warming"
        return "failed" if self._failed else "ready"

    def watching(self, pools: Pools, seconds: float) -> AbstractAsyncContextManager[None]:
        """Warm what is served, and what will be, until the block ends."""
        warm = partial(self._warm, pools)
        return repeatedly(warm, seconds, at_once=True) if self._on else contextlib.nullcontext()

    async def _warm(self, pools: Pools) -> None:
        snapshot = self._live.current
        if snapshot is self._done:
            return
        before = None if self._done is None else self._done.retriever
        try:
            await pools.long.run(lambda: warm(snapshot.retriever, before))
            self._failed = False
        except Problem:  # too much waits: whoever waits loads what is needed
            return
        except Exception as error:  # whatever it is, it must not end the watch; who tries an item meets it again
            self._failed = True
            log.warning("new items cannot be made ready for: %s", error, exc_info=not isinstance(error, ViralError))
        self._done = snapshot


def warm(retriever: Retriever, before: Retriever | None = None) -> None:
    """Have everything loaded that a new item with title and picture takes; no describer elsewhere is asked."""
    from PIL import Image

    encoders, material = retriever.encoders, retriever.bundle.material
    if not material.features:
        return
    if before is not None:
        encoders.words, encoders.vision = before.encoders.words, before.encoders.vision
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "PNG")
    known = encoders.known
    made = material.described
    tries: list[bytes | None] = [None] if "text" in known or "title" in known else []
    tries += [buffer.getvalue()] if made is None or not made.askable or made.describer == PIXEL else []
    for picture in tries:
        item = retriever.cold("a thing", picture)
        retriever.similar(item, 1)
        retriever.audience(item, 1)
    if "image" in known and not any(tries):
        encoders.vision.features([Image.linear_gradient("L").convert("RGB")])
