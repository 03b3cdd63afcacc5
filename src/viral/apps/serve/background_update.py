"""Edited descriptions applied to the model: ``viral update`` of the run that is served, in a process of its own.

One at a time, over all workers: whoever updates holds a lock beside the run, and writes there how far it is. The server
takes the new bundle up as any other that is put in the run's place.
"""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from viral.base.errors import DataError, UsageError
from viral.base.files import read_json, write_json
from viral.run.retrieval import DescriberOptions
from viral.run.summary import RUN_FILE

State = Literal["idle", "running", "done", "failed"]
COMMAND = "from viral.apps.serve.background_update import main; main()"
NICE = 5  # requests come first
STOPPED = "The process ended without a word; the machine may have run out of memory."


@dataclass(frozen=True, slots=True)
class UpdateProgress:
    """What became of the last update, or how far the current one is."""

    state: State = "idle"
    step: str = ""  # of ``viral.run.update.update.STEPS``
    started: float = 0.0  # seconds since 1970
    ended: float = 0.0
    fault: str = ""
    hint: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)  # of ``viral update``


class BackgroundUpdate:
    """Starts updates of one run, and tells of them; what it tells lies on the disk, so every worker knows it."""

    def __init__(self, run: Path, given: DescriberOptions) -> None:
        place = run.resolve()
        self._run, self._given = place, given
        self._state, self._lock, self._log = (
            place.with_name(f"{place.name}.apply{ending}") for ending in (".json", ".lock", ".log")
        )

    def fault(self) -> str:
        """Why this run cannot be updated; "" where it can, as far as can be told without doing it."""
        if not (self._run / RUN_FILE).is_file():
            return "a bundle without its run is served"
        return "" if os.access(self._run.parent, os.W_OK) else "the server may not write into the folder of the run"

    def look(self) -> UpdateProgress:
        """How far it is."""
        try:
            found = UpdateProgress(**read_json(self._state))
        except (DataError, TypeError):
            return UpdateProgress()
        if found.state == "running" and not self._locked():
            return UpdateProgress("failed", found.step, found.started, found.started, STOPPED)
        return found

    def start(self, dataset: Path) -> None:
        """Begin; raises ``UsageError`` where another update runs or none can."""
        if fault := self.fault():
            raise UsageError(f"edits cannot be applied here: {fault}", hint="viral update RUN DATASET --out RUN")
        with _held(self._lock, fcntl.LOCK_EX, tries=5) as lock:
            if lock is None:
                raise UsageError("edits are being applied already", hint="wait until that is done")
            write_json(self._state, asdict(UpdateProgress("running", started=time.time())))
            task = {"run": str(self._run), "dataset": str(dataset.resolve()), "given": asdict(self._given)}
            with self._log.open("w") as log:
                child = subprocess.Popen(
                    [sys.executable, "-c", COMMAND, str(self._state)], stdin=subprocess.PIPE, stdout=log, stderr=log,
                    pass_fds=(lock,), start_new_session=True, text=True,
                )  # fmt: skip
            assert child.stdin is not None
            child.stdin.write(json.dumps(task))
            child.stdin.close()
        threading.Thread(target=child.wait, daemon=True).start()

    def _locked(self) -> bool:
        with _held(self._lock, fcntl.LOCK_SH) as lock:
            return lock is None


@contextmanager
def _held(file: Path, kind: int, tries: int = 1) -> Iterator[int | None]:
    """A descriptor that holds the lock for as long as any process has it open; None where another one does.

    Whoever looks holds it for a moment, too: so whoever starts tries more than once.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor if any(_got(descriptor, kind, attempt) for attempt in range(tries)) else None
    finally:
        os.close(descriptor)


def _got(descriptor: int, kind: int, attempt: int) -> bool:
    time.sleep(0.05 * attempt)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main() -> None:
    """The process: reads its task, updates, and writes what became of it."""
    os.nice(NICE)
    file, task = Path(sys.argv[1]), json.loads(sys.stdin.read())
    write_json(file, asdict(_run_on(task, file, read_json(file)["started"])))


def _run_on(task: Mapping[str, Any], file: Path, started: float) -> UpdateProgress:
    from viral.base.errors import ViralError
    from viral.data.dataset import Dataset
    from viral.run.update import FeatureMakers, update

    def told(step: str) -> None:
        write_json(file, asdict(UpdateProgress("running", step, started)))

    given = DescriberOptions(**task["given"] | {"settings": tuple(task["given"]["settings"])})
    run = Path(task["run"])
    try:
        makers = FeatureMakers(options=given)
        summary = update(run, Dataset.open(Path(task["dataset"])), run, makers=makers, on_step=told)
    except ViralError as error:
        return UpdateProgress("failed", "", started, time.time(), error.what, error.hint)
    except Exception as error:  # whatever it is, the page tells of it, and the log has the rest
        import traceback

        traceback.print_exc()
        return UpdateProgress("failed", "", started, time.time(), f"{type(error).__name__}: {error}"[:300])
    wanted = ("identity", "metrics", "update", "epochs")
    kept: dict[str, Any] = {name: summary[name] for name in wanted if name in summary}
    return UpdateProgress("done", "", started, time.time(), summary=kept)
