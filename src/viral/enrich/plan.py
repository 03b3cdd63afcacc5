"""What a describer must be asked of a catalogue, and at the end what is known of each item."""

import hashlib
import json
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from viral.data.catalog import Catalog, Item
from viral.data.descriptions import Description, Status
from viral.enrich.answers import description_of
from viral.enrich.describe_batch import DescribeRequest
from viral.enrich.ledger import Ledger
from viral.enrich.ledger_claims import Claims
from viral.enrich.ledger_rows import Entry, RequestKey
from viral.enrich.picture_sources import EnrichOptions, NoPicture, Numbered, PictureSources
from viral.enrich.prompts import clean_title, render
from viral.enrich.protocol import Describer, Picture, Prompt

LOOKUP = 64  # items whose pictures are read and looked up in the ledger together
NAMES = 500  # items whose rows are looked for by name

T = TypeVar("T")


class Plan:
    """Goes through a catalogue once to ask and once to collect; keeps 32 bytes an item in between."""

    def __init__(
        self, catalog: Catalog, describer: Describer, prompt: Prompt, ledger: Ledger, options: EnrichOptions,
        claims: Claims,
    ) -> None:  # fmt: skip
        self.describer = f"{describer.name}/{describer.revision}"
        self._catalog, self._prompt, self._ledger, self._options = catalog, prompt, ledger, options
        self._claims = claims
        self._batch_size = describer.batch_size
        parameters = json.dumps(describer.parameters, sort_keys=True, ensure_ascii=False)
        asked = (describer.name, describer.revision, prompt.name, prompt.sha256, parameters)
        self._key = RequestKey("", "", "", *asked)  # of no item yet
        self._sources = PictureSources(self._key, ledger, options)
        self._known: list[bytes | Description | None] = [None] * len(catalog)  # the key's digest, or why there is none
        self._asked: dict[bytes, bytes] = {}  # request → digest of the key that asked it in this run
        self._twins: list[RequestKey] = []  # whose request another item has asked in this run
        self._elsewhere: dict[int, int] = {}  # items that another run is asking for → attempts on record by then
        self._before: dict[int, int] = {}  # the same, of those that are looked at again
        self._stopped = False

    def stop(self) -> None:
        """Hand out no more work."""
        self._stopped = True

    def batches(self, advance: Callable[..., None]) -> Iterator[list[DescribeRequest]]:
        """Yield the work in batches; ``advance`` hears of items that need none."""
        yield from self._batches(self._new_first(), advance)

    def batches_elsewhere(self, advance: Callable[..., None]) -> Iterator[list[DescribeRequest]]:
        """The same of what other runs had claimed: what has come of it is taken over, what they gave up is asked."""
        self._before, self._elsewhere = self._elsewhere, {}
        yield from self._batches(((row, self._catalog.items[row]) for row in self._before), advance)

    @property
    def waiting(self) -> int:
        """How many items other runs are asking for at present."""
        return 0 if self._stopped else len(self._elsewhere)

    def _batches(self, numbered: Iterable[Numbered], advance: Callable[..., None]) -> Iterator[list[DescribeRequest]]:
        pending: list[DescribeRequest] = []
        for items in self._sources.ahead(_chunks(numbered, LOOKUP)):
            for job in self._to_ask(items, advance):
                pending.append(job)
                if len(pending) >= self._batch_size:
                    yield pending
                    pending = []
                if self._stopped:
                    return
        if pending:
            yield pending

    def _new_first(self) -> Iterator[Numbered]:
        """Items of which the ledger knows nothing first, then the others.

        So a run that goes on does so at once, and sees afterwards whether pictures and titles are still the same.
        """
        later = array("Q")
        for numbered in _chunks(enumerate(self._catalog), NAMES):
            known = self._ledger.known(self._key.describer, self._key.prompt, (item.id for _, item in numbered))
            for row, item in numbered:
                if item.id in known:
                    later.append(row)
                else:
                    yield row, item
        yield from ((row, self._catalog.items[row]) for row in later)

    def _to_ask(self, items: list[Numbered], advance: Callable[..., None]) -> Iterator[DescribeRequest]:
        subjects = [(row, self._subject(item)) for row, item in items]
        jobs = [subject for _, subject in subjects if isinstance(subject, DescribeRequest)]
        found = self._ledger.find(job.key.digest for job in jobs)
        copies: list[Entry] = []
        asked: list[DescribeRequest] = []
        places: dict[bytes, int] = {}
        for row, subject in subjects:
            self._known[row] = subject.key.digest if isinstance(subject, DescribeRequest) else subject
            if isinstance(subject, DescribeRequest) and self._open(row, subject.key, found, copies):
                asked.append(subject)
                places[subject.key.digest] = row
            else:
                advance()
        self._ledger.put(copies)
        mine = self._claims.take([job.key.request for job in asked])
        for job in asked:
            if job.key.request in mine:
                yield job
            else:
                entry = found.get(job.key.digest)
                self._elsewhere[places[job.key.digest]] = entry.attempts if entry else 0

    def _open(self, row: int, key: RequestKey, found: dict[bytes, Entry], copies: list[Entry]) -> bool:
        """Whether this must be asked; ``copies`` takes the answer that another item got to the same request."""
        entry = found.get(key.digest)
        if entry is not None and (
            self._options.settled(entry) or entry.attempts > self._before.get(row, entry.attempts)
        ):
            return False  # known, or tried by another run while this one waited for it
        if self._asked.get(key.request, key.digest) != key.digest:
            self._twins.append(key)
            return False
        same = self._ledger.same(key)
        if same is not None:
            copies.append(_copy(same, key))
            return False
        if key.item_id in self._options.locked:
            return False
        self._asked[key.request] = key.digest
        return True

    def _subject(self, item: Item) -> DescribeRequest | Description:
        data = self._sources.read(item)
        if isinstance(data, NoPicture):
            return Description(item.id, "", self.describer, self._prompt.name, "", data.status, data.error)
        # A describer gets to see what the key covers, and no more.
        title = clean_title(item.title) if self._prompt.uses_title else ""
        key = replace(
            self._key, item_id=item.id, image_sha256=_sha256(data), rendered_sha256=_sha256(render(self._prompt, title))
        )
        return DescribeRequest(key, Picture(item.id, title, data))

    def collect(self) -> Iterator[Description]:
        """Yield a row per item, out of the ledger; answers to other items' equal requests are entered for each."""
        for keys in _chunks(self._twins, NAMES):
            askers = self._ledger.find({self._asked[key.request] for key in keys})
            pairs = [(key, askers.get(self._asked[key.request])) for key in keys]
            copies = (_copy(entry, key) for key, entry in pairs if entry is not None)
            self._ledger.put(copies, quarantine_after=self._options.max_attempts)
        for subjects in _chunks(zip(self._catalog, self._known, strict=True), NAMES):
            entries = self._ledger.find(known for _, known in subjects if isinstance(known, bytes))
            for item, known in subjects:
                yield known if isinstance(known, Description) else self._row(item, entries.get(known or b""))

    def _row(self, item: Item, entry: Entry | None) -> Description:
        if entry is None:
            return Description(item.id, "", self.describer, self._prompt.name, "", "pending")
        row = description_of(item, entry, self._prompt, self.describer)
        # A lower limit than the one it failed under: it is not asked again either.
        tired = entry.status == "failed" and entry.attempts >= self._options.max_attempts
        return replace(row, status="quarantined") if tired else row


def _copy(entry: Entry, key: RequestKey) -> Entry:
    """Another item's row for ``key``; what was paid counts once.

    A failed attempt counts for both, or the second item would be tried in the place of the first.
    """
    attempts = 0 if entry.status == "done" else 1
    status: Status = "failed" if entry.status == "quarantined" else entry.status
    return Entry(key, status, entry.text, entry.error, attempts)


def _sha256(data: bytes | str) -> str:
    return hashlib.sha256(data.encode("utf-8") if isinstance(data, str) else data).hexdigest()


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
