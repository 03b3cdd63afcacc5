"""`make crash`, too: every long verb on a disk that fills up at ten places; then there is room, and it ends as ever."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hardening.content import content, difference
from hardening.world import Stage, run, stages

PLACES, SHORT = 10, 2
ROOM = 1 << 30


def full_disks(short: bool, only: str | None = None) -> list[str]:
    """Returns what was wrong, a line each; nothing is tried where no file system can be mounted."""
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        disk = Path(name) / "disk"
        disk.mkdir()
        try:
            with _mounted(disk, ROOM):
                pass
        except subprocess.CalledProcessError:
            print("no file system can be mounted here: full disks are not tried")
            return []
        for stage in stages(Path(name)):
            places = SHORT if short else PLACES
            for place in range(places) if only in (None, stage.verb.name) else ():
                told = _full(stage, disk, place / places)
                print(f"{stage.verb.name}: disk full at {place} of {places}: {told or 'borne'}", flush=True)
                faults += [f"{stage.verb.name}, full at {place} of {places}: {told}"] if told else []
    return faults


@contextmanager
def _mounted(disk: Path, size: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _used(disk: Path) -> int:
    return shutil.disk_usage(disk).used


def _full(stage: Stage, disk: Path, share: float) -> str:
    """Run the verb where only ``share`` of what it writes has room, then where all has."""
    with _mounted(disk, ROOM):
        world = disk / "world"
        shutil.copytree(stage.before, world, symlinks=True)
        before = _used(disk)
        if run(world, stage.verb).returncode:
            return "it fails with room"
        needed = _used(disk) - before
    with _mounted(disk, ROOM):
        shutil.copytree(stage.before, world, symlinks=True)
        size = _used(disk) + int(share * needed) + 4096
        subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)
        done = run(world, stage.verb)
        if "Traceback" in done.stderr or "did not foresee" in done.stderr:
            return f"a traceback: {done.stderr.strip()[-300:]}"
        if done.returncode not in (0, 1):
            return f"it ends with {done.returncode}: {done.stderr.strip()[-300:]}"
        if done.returncode and not any(word in done.stderr for word in ("space", "disk", "full")):
            return f"the cause is not told: {done.stderr.strip()[-300:]}"
        subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(disk)], check=True)
        again = run(world, stage.verb)
        if again.returncode:
            return f"with room again it ends with {again.returncode}: {again.stderr.strip()[-300:]}"
        return difference(stage.expected, content(world, stage.verb.leaves))
