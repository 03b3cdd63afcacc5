"""What an executor runs: one batch of pictures to rows of the ledger. No state, no files; picklable."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from viral.enrich.base import Describer, Picture, Prompt
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


@dataclass(frozen=True)
class Work:
    """What an executor runs on a batch: check the pictures, ask the describer, write down each answer."""

    describer: Describer
    prompt: Prompt

    def __call__(self, jobs: Sequence[Job]) -> list[Entry]:
        started = time.perf_counter()
        faults = [_fault(job.picture) for job in jobs]
        answers = iter(self._ask([job.picture for job, fault in zip(jobs, faults, strict=True) if fault is None]))
        outcomes = [fault or next(answers) for fault in faults]
        seconds = (time.perf_counter() - started) / max(1, len(jobs))
        return [_entry(job.key, outcome, seconds) for job, outcome in zip(jobs, outcomes, strict=True)]

    def _ask(self, pictures: Sequence[Picture]) -> Sequence[object]:
        """One answer per picture. After a fault of the batch each picture is asked for alone, to spare the others."""
        if not pictures:
            return []
        try:
            answers = self.describer.describe(pictures, self.prompt)
            if len(answers) != len(pictures):
                raise RuntimeError(f"the describer gave {len(answers)} answers for {len(pictures)} pictures")
            return answers
        except Exception as error:
            if isinstance(error, ViralError) and not isinstance(error, PictureError):
                raise
            if len(pictures) == 1:
                return [error]
        return [answer for picture in pictures for answer in self._ask([picture])]


def _fault(picture: Picture) -> PictureError | None:
    try:
        decode(picture.data, shorter_side=CHECK_SIDE)
    except PictureError as error:
        return error
    return None


def _entry(key: Key, outcome: object, seconds: float) -> Entry:
    if isinstance(outcome, PictureError):
        return Entry(key, "unreadable", error=outcome.what, seconds=seconds)
    if isinstance(outcome, Exception):
        error = _text(f"{type(outcome).__name__}: {outcome}")[:ERROR_LIMIT]
        return Entry(key, "failed", error=error, seconds=seconds)
    if not isinstance(outcome, str):
        return Entry(key, "failed", error=f"no text but {type(outcome).__name__}", seconds=seconds)
    text = _text(outcome)
    if not text:
        return Entry(key, "failed", error="the description is empty", seconds=seconds)
    return Entry(key, "done", text, seconds=seconds)


def _text(text: str) -> str:
    """Text that can be stored: surrogates and NUL replaced, nothing but white space is nothing."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()
