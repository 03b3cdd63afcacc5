"""What an executor runs: one batch of pictures to rows of the ledger. No state, no files; picklable."""

import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from viral.enrich.attributes import canonical
from viral.enrich.base import Answer, BudgetSpent, Describer, Picture, Prompt, Refused, Status
from viral.enrich.checks import refuses
from viral.enrich.ledger import Entry, Key
from viral.errors import ViralError
from viral.pictures import PictureError, decode

CHECK_SIDE = 32  # pictures are decoded to this side, only to see that they can be
ERROR_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Job:
    """A picture to describe and the ledger's row for the answer."""

    key: Key
    picture: Picture


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: the rows to keep, and the fault that ends the run, if there was one."""

    entries: tuple[Entry, ...]
    fault: ViralError | None = None


@dataclass(frozen=True, slots=True)
class _NotAsked:
    """Stands for the answer to a picture that a fault of the run kept from being asked."""

    fault: ViralError


@dataclass(frozen=True)
class Work:
    """What an executor runs on a batch: check the pictures, ask the describer, write down each answer."""

    describer: Describer
    prompt: Prompt

    def __call__(self, jobs: Sequence[Job]) -> Outcome:
        started = time.perf_counter()
        faults = [(job, _fault(job.picture)) for job in jobs]
        entries = [Entry(job.key, "unreadable", error=fault.what, attempts=0) for job, fault in faults if fault]
        good = [job for job, fault in faults if fault is None]
        answers = list(zip(good, self._ask([job.picture for job in good]), strict=True))
        seconds = (time.perf_counter() - started) / max(1, len(good))
        ends = [said.fault for _, said in answers if isinstance(said, _NotAsked)]
        entries += [self._entry(job.key, said, seconds) for job, said in answers if not isinstance(said, _NotAsked)]
        return Outcome(tuple(entries), ends[0] if ends else None)

    def _ask(self, pictures: Sequence[Picture]) -> Sequence[object]:
        """One answer per picture. After a fault of the batch each picture is asked for alone, to spare the others."""
        if not pictures:
            return []
        try:
            answers = self.describer.describe(pictures, self.prompt)
            if len(answers) != len(pictures):
                raise RuntimeError(f"the describer gave {len(answers)} answers for {len(pictures)} pictures")
            return [_NotAsked(answer) if isinstance(answer, BudgetSpent) else answer for answer in answers]
        except Exception as error:
            if isinstance(error, ViralError) and not isinstance(error, PictureError | Refused):
                return [_NotAsked(error)] * len(pictures)
            if len(pictures) == 1:
                return [error]
        return self._one_by_one(pictures)

    def _one_by_one(self, pictures: Sequence[Picture]) -> Sequence[object]:
        answers: list[object] = []
        for picture in pictures:
            answers += self._ask([picture])
            if isinstance(answers[-1], _NotAsked):  # of the others, too: what was answered is kept
                return answers + answers[-1:] * (len(pictures) - len(answers))
        return answers

    def _entry(self, key: Key, said: object, seconds: float) -> Entry:
        if isinstance(said, PictureError):
            return Entry(key, "unreadable", error=said.what, seconds=seconds)
        if isinstance(said, Refused):
            return Entry(key, "refused", error=storable(said.what)[:ERROR_LIMIT], seconds=seconds)
        if isinstance(said, Exception):
            return Entry(key, "failed", error=storable(f"{type(said).__name__}: {said}")[:ERROR_LIMIT], seconds=seconds)
        if not isinstance(said, Answer) or not isinstance(said.text, str):
            told = type(said.text if isinstance(said, Answer) else said).__name__
            return Entry(key, "failed", error=f"no text but {told}", seconds=seconds)
        status, text, error = judged(storable(said.text), self.prompt)
        entry = Entry(key, status, text, error[:ERROR_LIMIT], seconds=seconds)
        return replace(entry, tokens_in=said.tokens_in, tokens_out=said.tokens_out, cost=said.cost)


def judged(text: str, prompt: Prompt) -> tuple[Status, str, str]:
    """Status of an answer, what to keep of it, and the error."""
    if not text:
        return "failed", "", "the description is empty"
    if refuses(text):
        return "refused", "", f"the answer declines: {text}"
    if prompt.schema is None:
        return "done", text, ""
    try:
        return "done", canonical(text), ""
    except ValueError as error:
        return "failed", "", f"the answer is not what was asked for ({error}): {text}"


def _fault(picture: Picture) -> PictureError | None:
    try:
        decode(picture.data, shorter_side=CHECK_SIDE)
    except PictureError as error:
        return error
    return None


def storable(text: str) -> str:
    """Text that can be stored and shown: surrogates replaced, and no control characters, which command terminals."""
    mended = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in mended if c in "\n\t" or unicodedata.category(c) != "Cc").strip()
