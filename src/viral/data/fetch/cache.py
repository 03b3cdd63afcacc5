"""Fetched pictures on disk: one file for each content, and for each URL a small file that names its content."""

import hashlib
from dataclasses import replace
from pathlib import Path

from viral.base.files import atomic_write
from viral.data.catalog import Catalog, Item
from viral.data.dataset import Dataset

FETCHED = Path(".cache") / "pictures"  # where a data set keeps what was fetched for it


class PictureCache:
    """``pictures/ab/<SHA-256 of the bytes>`` and ``urls/cd/<SHA-256 of the URL>``; safe between threads and processes.

    A file whose bytes do not have its hash (a damaged disk, a meddler) counts as not there. Nothing ages: to fetch
    again, delete the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._pictures, self._urls = folder / "pictures", folder / "urls"

    def get(self, url: str) -> bytes | None:
        """The bytes that were stored for ``url``."""
        path = self.path(url)
        try:
            data = path.read_bytes() if path is not None else b""
        except OSError:
            return None
        return data if path is not None and _sha256(data) == path.name else None

    def path(self, url: str) -> Path | None:
        """The file that was stored for ``url``, whose bytes may have been damaged since."""
        try:
            digest = _place(self._urls, _sha256(url.encode())).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        path = _place(self._pictures, digest) if len(digest) == 64 and digest.isalnum() else None
        return path if path is not None and path.is_file() else None

    def __contains__(self, url: str) -> bool:
        return _place(self._urls, _sha256(url.encode())).is_file()

    def put(self, url: str, data: bytes) -> None:
        """Store the bytes, and then that they are what ``url`` gives."""
        digest = _sha256(data)
        path = _place(self._pictures, digest)
        if not (path.is_file() and path.stat().st_size == len(data) and _sha256(path.read_bytes()) == digest):
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
        with atomic_write(_place(self._urls, _sha256(url.encode()))) as temporary:
            temporary.write_text(digest, encoding="ascii")


def _place(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def catalog_with_fetched(dataset: Dataset) -> Catalog:
    """The data set's catalogue, in which an item that only names an address has the fetched file, if there is one.

    Nothing is fetched here: what reads pictures after `viral enrich` (image encoders, reports) sees what it saw.
    """
    cache = PictureCache(dataset.path / FETCHED)

    def known(item: Item) -> Item:
        if not item.image_url or (item.image is not None and item.image.exists()):
            return item
        found = cache.path(item.image_url)
        return item if found is None else replace(item, image=found)

    return Catalog(tuple(map(known, dataset.catalog())))
