"""The processes of a server: a socket that is bound before anything is loaded, workers, and their end."""

import contextlib
import functools
import logging
import multiprocessing
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from viral.apps.serve.app import create_app
from viral.apps.serve.bundle_copies import holding
from viral.apps.serve.connection_limits import DefaultProtocol
from viral.apps.serve.metrics import FOLDER
from viral.apps.serve.security.cors import read_origin
from viral.apps.serve.security.request_guard import is_loopback
from viral.apps.serve.security.tokens import read_tokens
from viral.apps.serve.settings import Settings
from viral.apps.serve.snapshot import bundle_folder
from viral.apps.serve.supervisor import Supervisor
from viral.base.errors import DataError, UsageError, ViralError
from viral.base.progress import say
from viral.run.bundle import read_manifest
from viral.run.bundle_extras import described_in
from viral.run.retrieval.describer import DescriberOptions, NoDescriber, describer_of, named
from viral.run.retrieval.filters import read_ids
from viral.run.retrieval.rules import read_rules

FINISH = 30  # seconds that running requests get after the word to stop
SILENT = 120  # seconds after which a worker that says nothing is replaced; on a busy machine one starts in tens of them
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int


def run_server(settings: Settings, place: Address) -> None:
    """Serve until a signal; requests that run then are finished.

    Raises ``ViralError`` where tokens, stock, describer, run or place are of no use; beyond loopback tokens are needed.
    """
    check_describer(read_manifest(bundle_folder(settings.run)), settings.describer)
    if settings.stock is not None:
        read_ids(settings.stock)
    if settings.rules is not None:
        read_rules(settings.rules)
    for origin in settings.cors:
        read_origin(origin)
    for _, run in settings.variants:
        read_manifest(bundle_folder(run or settings.run))
    if settings.tokens is not None:
        read_tokens(settings.tokens)
    elif not is_loopback(place.host):
        hint = "make one: viral token NAME --tokens FILE; then add --tokens FILE"
        raise UsageError(f"without tokens only this machine is answered, not {place.host}", hint=hint)
    with bind(place) as bound, holding(settings.run) as held:
        settings = replace(settings, secret=secrets.token_hex(32), held=held)
        host, port = bound.getsockname()[:2]
        say(f"serving {settings.run} on http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C ends it)")
        (_several if settings.workers > 1 else _one)(settings, bound)
    say("stopped")


def check_describer(manifest: Mapping[str, Any], given: DescriberOptions) -> None:
    """Raise ``ViralError`` where what is given cannot be; where nothing is and something must be, say so."""
    made = described_in(manifest.get("encoders", {}))
    if made is None or not made.askable:
        return
    try:
        # With nothing given no model is read to tell the revision: it is the default one's, or there is none.
        describer_of(made, given) if given.describer is None else named(made, given)
    except NoDescriber as error:
        if given.describer is not None:
            raise
        say(f"pictures of new items cannot be described: {error.what}\n  → {error.hint}")


def bind(place: Address) -> socket.socket:
    """A socket at the place; ``UsageError`` where another program has it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"no such host ({error})", where=place.host, hint="for example --host 127.0.0.1") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(1)  # so that a second server on this port is told at once
    except OSError as error:
        bound.close()
        where = f"{place.host}:{place.port}"
        raise UsageError(f"cannot listen ({error.strerror})", where=where, hint="another --port, or 0") from None
    return bound


def _config(application: object, settings: Settings, *, factory: bool) -> uvicorn.Config:
    return uvicorn.Config(
        application,  # type: ignore[arg-type]
        factory=factory,
        workers=settings.workers,
        http=DefaultProtocol,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=FINISH,
        timeout_worker_healthcheck=SILENT,
    )


class _Server(uvicorn.Server):
    """A server for which a signal is a word to stop, not a fault: the process ends as one that is done."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {one: signal.signal(one, self._stop) for one in SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.handle_exit(number, frame)


def _one(settings: Settings, bound: socket.socket) -> None:
    _log()
    _Server(_config(create_app(settings), settings, factory=False)).run([bound])


def _several(settings: Settings, bound: socket.socket) -> None:
    with tempfile.TemporaryDirectory(prefix="viral-metrics-") as folder:
        os.environ[FOLDER] = folder  # before the workers import what reads it
        try:
            supervisor = Supervisor(_config(functools.partial(worker, settings), settings, factory=True), [bound])
            supervisor.run()
        finally:
            del os.environ[FOLDER]
    if supervisor.failed:
        raise DataError("no worker could start", where=str(settings.run), hint="what is written above says why")


def worker(settings: Settings) -> FastAPI:
    """The application of one worker; a fault that a restart would meet again ends all of them."""
    _log()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        return create_app(settings)
    except ViralError as error:
        say(f"viral: {error}")
        sys.exit(STARTUP_FAILURE)


def _end_with_parent() -> None:
    """Stop when the supervisor has died: a worker that nobody watches would keep the port."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _log() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(message)s", stream=sys.stderr)
    logging.getLogger("viral.apps.serve").setLevel(logging.INFO)
