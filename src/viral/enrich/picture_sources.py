"""Which items a run may ask about, and where an item's picture comes from: a file or an address."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from viral.base.parallel import ThreadExecutor
from viral.data.catalog import Item
from viral.data.descriptions import Status
from viral.data.pictures import PictureError, read_bytes
from viral.enrich.ledger import Ledger
from viral.enrich.ledger_rows import Entry, RequestKey

if TYPE_CHECKING:
    from viral.data.fetch import Fetcher


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichOptions:
    """On which items a run may ask a describer, and whether it may fetch their pictures."""

    max_attempts: int = 3  # after which an item is no longer asked for
    retry_failed: bool = False  # ask for those again, and for what was refused
    locked: Mapping[str, str] = field(default_factory=dict)  # what a human wrote (``edits``): not asked for
    fetcher: "Fetcher | None" = None  # of pictures that the catalogue only names by URL

    def settled(self, entry: Entry) -> bool:
        """Whether nothing is to be asked where this is what is known."""
        if entry.status == "done" or self.retry_failed:
            return entry.status == "done"
        return entry.status == "refused" or entry.attempts >= self.max_attempts


Numbered = tuple[int, Item]  # an item and its place in the catalogue


@dataclass(frozen=True, slots=True)
class NoPicture:
    """Why an item has no picture that could be described."""

    status: Status  # "missing picture" or "unreadable"
    error: str


class PictureSources:
    """Reads pictures; to be used from the thread that opened the ledger.

    An address that gave no picture is a row of the ledger, with an attempt for each run, so that a dead link is not
    followed for ever (``EnrichOptions.settled``). ``key`` is the run's, without an item.
    """

    def __init__(self, key: RequestKey, ledger: Ledger, options: EnrichOptions) -> None:
        self._key, self._ledger, self._options = key, ledger, options
        self._noted: dict[str, Entry] = {}  # what the ledger has of addresses, by the item's id

    def ahead(self, chunks: Iterable[list[Numbered]]) -> Iterator[list[Numbered]]:
        """The chunks, with the pictures of the next one on their way while one is worked on."""
        fetcher = self._options.fetcher
        if fetcher is None:
            yield from chunks
            return

        def fetch(items: list[Numbered]) -> list[Numbered]:
            remote = (item for _, item in items if _is_remote(item) and not self._is_dead(item))
            fetcher.warm(item.image_url for item in remote if item.image_url)
            return items

        yield from ThreadExecutor(1).map(fetch, map(self._recall, chunks), in_flight=2)

    def read(self, item: Item) -> bytes | NoPicture:
        """The bytes of the item's picture; a file goes before an address."""
        try:
            if self._options.fetcher is None or not _is_remote(item):
                return read_bytes(item.image) if item.image is not None else NoPicture("missing picture", NONE)
        except PictureError as error:
            return NoPicture("missing picture" if error.status == "missing" else "unreadable", error.what)
        if self._is_dead(item):
            return NoPicture("unreadable", self._noted[item.id].error)
        try:
            data = self._options.fetcher.get(item.image_url or "")
        except PictureError as error:
            self._ledger.put([Entry(self._address(item), "unreadable", error=error.what)])
            return NoPicture("unreadable", error.what)
        if item.id in self._noted:
            self._ledger.drop([self._address(item).digest])
        return data

    def _is_dead(self, item: Item) -> bool:
        return item.id in self._noted and self._options.settled(self._noted[item.id])

    def _recall(self, items: list[Numbered]) -> list[Numbered]:
        """Note which addresses of the items gave nothing before."""
        remote = {self._address(item).digest: item.id for _, item in items if _is_remote(item)}
        self._noted |= {remote[digest]: entry for digest, entry in self._ledger.find(remote).items()}
        return items

    def _address(self, item: Item) -> RequestKey:
        """The row of an item's address: one without a picture."""
        digest = hashlib.sha256((item.image_url or "").encode("utf-8", "replace")).hexdigest()
        return replace(self._key, item_id=item.id, rendered_sha256=digest)


NONE = "picture is missing"


def _is_remote(item: Item) -> bool:
    return bool(item.image_url) and not (item.image is not None and item.image.exists())
