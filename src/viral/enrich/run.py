"""Describing a catalogue: each picture once, whatever happens on the way."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from viral.catalog import Catalog, Item
from viral.enrich.base import Describer, Description, Picture, Prompt, Status
from viral.enrich.descriptions import Descriptions
from viral.enrich.ledger import Entry, Key, Ledger
from viral.enrich.prompts import clean_title, render
from viral.enrich.work import Job, Work
from viral.parallel import Executor, SerialExecutor
from viral.pictures import PictureError, read_bytes
from viral.progress import say, stage

LOOKUP = 64  # items whose pictures are read and looked up in the ledger together

T = TypeVar("T")


def enrich(
    catalog: Catalog,
    describer: Describer,
    prompt: Prompt,
    ledger: Ledger,
    *,
    executor: Executor | None = None,
    in_flight: int = 4,
) -> Descriptions:
    """Describe every item's picture; what the ledger already has is not described again.

    Batches of ``describer.batch_size`` pictures go through ``executor`` (default: one after the other), at most
    ``in_flight`` at a time, and each is in the ledger as soon as it is done: a run that is stopped or killed goes on
    where it was. Items with equal pictures and equal rendered prompts are described once. An item without a
    description (no picture, one that cannot be read, a failure of the describer) has a row that says why; it is tried
    again by the next run. A ``ViralError`` that the describer raises ends the run.
    """
    plan = _Plan(describer, prompt, ledger)
    failed = 0
    with stage(f"describe ({describer.name}, {prompt.name})", len(catalog)) as advance:
        batches = plan.batches(catalog, advance)
        try:
            for outcome in (executor or SerialExecutor()).map(Work(describer, prompt), batches, in_flight=in_flight):
                ledger.put(outcome.entries)
                failed += sum(entry.status != "done" for entry in outcome.entries)
                advance(len(outcome.entries), f"{failed} failed" if failed else "")
                if outcome.fault is not None:
                    raise outcome.fault
        except KeyboardInterrupt:
            say("stopped; what has been described is in the ledger: run the same command again to go on")
            raise
    return Descriptions(tuple(plan.collect()), plan.describer, prompt.name)


class _Plan:
    """Goes through a catalogue: what must be asked, and at the end what is known of each item."""

    def __init__(self, describer: Describer, prompt: Prompt, ledger: Ledger) -> None:
        self.describer = f"{describer.name}/{describer.revision}"
        self._prompt, self._ledger, self._batch_size = prompt, ledger, describer.batch_size
        self._key = Key(
            item_id="",
            image_sha256="",
            rendered_sha256="",
            describer=describer.name,
            revision=describer.revision,
            prompt=prompt.name,
            prompt_sha256=prompt.sha256,
            parameters=json.dumps(describer.parameters, sort_keys=True, ensure_ascii=False),
        )
        self._subjects: list[Key | Description] = []  # the items, in order; a key is to be looked up
        self._asked: dict[bytes, Key] = {}  # request → who asked it in this run

    def batches(self, catalog: Catalog, advance: Callable[..., None]) -> Iterator[list[Job]]:
        """Yield the work in batches; ``advance`` hears of items that need none."""
        pending: list[Job] = []
        for items in _chunks(catalog, LOOKUP):
            subjects = [self._subject(item) for item in items]
            known = self._ledger.get(subject.key for subject in subjects if isinstance(subject, Job))
            for subject in subjects:
                self._subjects.append(subject.key if isinstance(subject, Job) else subject)
                if not isinstance(subject, Job) or self._settled(subject.key, known):
                    advance()
                    continue
                self._asked[subject.key.request] = subject.key
                pending.append(subject)
                if len(pending) >= self._batch_size:
                    yield pending
                    pending = []
        if pending:
            yield pending

    def _subject(self, item: Item) -> Job | Description:
        try:
            if item.image is None:
                raise PictureError("missing", None)
            data = read_bytes(item.image)
        except PictureError as error:
            status: Status = "missing picture" if error.status == "missing" else "unreadable"
            return Description(item.id, "", self.describer, self._prompt.name, "", status, error.what)
        # A describer gets to see what the key covers, and no more.
        title = clean_title(item.title) if self._prompt.uses_title else ""
        key = replace(
            self._key, item_id=item.id, image_sha256=_sha256(data), rendered_sha256=_sha256(render(self._prompt, title))
        )
        return Job(key, Picture(item.id, title, data))

    def _settled(self, key: Key, known: dict[Key, Entry]) -> bool:
        if key in known and known[key].status == "done":
            return True
        return key.request in self._asked or self._ledger.same(key) is not None

    def collect(self) -> Iterator[Description]:
        """Yield a row per item, out of the ledger; answers to other items' equal requests are entered for each."""
        for subjects in _chunks(self._subjects, LOOKUP):
            keys = [subject for subject in subjects if isinstance(subject, Key)]
            known = self._ledger.get(keys)
            copies = {key: copy for key in keys if (copy := self._copy(key, known.get(key)))}
            self._ledger.put(copies.values())
            known |= copies
            yield from (
                subject if isinstance(subject, Description) else _description(known[subject]) for subject in subjects
            )

    def _copy(self, key: Key, entry: Entry | None) -> Entry | None:
        """The answer to the same request by another item, where ``key`` has none of its own."""
        if entry and entry.status == "done":
            return None
        other = self._ledger.same(key)
        if other is None and entry is None:
            asker = self._asked[key.request]
            other = self._ledger.get([asker])[asker]
        return replace(other, key=key, attempts=0, seconds=0.0, created="") if other else None


def _description(entry: Entry) -> Description:
    key = entry.key
    describer = f"{key.describer}/{key.revision}"
    return Description(key.item_id, entry.text, describer, key.prompt, key.image_sha256, entry.status, entry.error)


def _sha256(data: bytes | str) -> str:
    return hashlib.sha256(data.encode("utf-8") if isinstance(data, str) else data).hexdigest()


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
