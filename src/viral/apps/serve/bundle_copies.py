"""A copy of the bundle that is served: nobody else writes to it, and a new worker finds it whatever lies on the disk.

Tensors are mapped from files. Written over in place (``cp``, ``rsync --inplace``) their new bytes were served
unverified under the old name, or the server died. So what is served is a copy, verified after it was made, which all
workers share; of older copies one is kept, in case the disk's bundle cannot be loaded when a worker starts.
"""

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from viral.base.errors import DataError
from viral.base.files import fingerprint, sha256_file, staged_folder, temporary_prefix
from viral.run.bundle import MANIFEST_FILE, read_manifest

KEPT = 2  # copies
log = logging.getLogger("viral.apps.serve")


class BundleCopies:
    """The copies of one run, below a server's folder that its workers share."""

    def __init__(self, folder: Path, run: Path) -> None:
        self.folder = folder / fingerprint(str(run.absolute()))[:16]
        self.folder.mkdir(exist_ok=True)

    def hold(self, bundle: Path) -> Path:
        """The verified copy of the bundle as it is now; raises ``DataError`` where that is not whole."""
        _verify(bundle, bundle)
        copy = self.folder / sha256_file(bundle / MANIFEST_FILE)[:32]
        if not copy.is_dir():
            with staged_folder(copy, overwrite=True) as staging:
                for name in (MANIFEST_FILE, *read_manifest(bundle)["hashes"]):
                    shutil.copyfile(bundle / name, staging / name)
                _verify(staging, bundle)
        copy.touch()
        self._forget(copy)
        return copy

    def last(self) -> Path | None:
        """The newest copy, of whatever was served last; None where nothing was."""
        return max(self._copies(), key=lambda copy: copy.stat().st_mtime_ns, default=None)

    def _copies(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.is_dir() and not path.name.startswith(".")]

    def _forget(self, current: Path) -> None:
        """Remove all but the newest; what another worker has mapped of them stays until it lets go."""
        older = sorted(self._copies(), key=lambda copy: copy.stat().st_mtime_ns, reverse=True)[KEPT:]
        for copy in older:
            if copy != current:
                shutil.rmtree(copy, ignore_errors=True)


def _verify(copy: Path, bundle: Path) -> None:
    """Raise ``DataError`` unless every file of the copy is what its manifest vouches for."""
    for name, expected in read_manifest(copy)["hashes"].items():
        if Path(name).name != name or not (copy / name).is_file() or sha256_file(copy / name) != expected:
            raise DataError("missing or changed since it was saved", where=str(bundle / name), hint="train again")


@contextlib.contextmanager
def holding(run: Path) -> Iterator[Path]:
    """A folder for copies until the block ends: beside the run, or where temporary files go if that is read-only."""
    beside = run.absolute().parent
    for parent in (beside, None):
        with contextlib.suppress(OSError):
            folder = tempfile.mkdtemp(prefix=temporary_prefix(beside / run.name), dir=parent)
            break
    else:
        hint = "make it writable, or set TMPDIR to a folder that is"
        raise DataError("no place for a copy of the bundle", where=str(beside), hint=hint)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
