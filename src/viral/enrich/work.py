"""What an executor runs: one batch of pictures to rows of the ledger. No state, no files; picklable."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from viral.enrich.base import Answer, BudgetSpent, Describer, Picture, Prompt, Refused
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
        faults = [_fault(job.picture) for job in jobs]
        answers = iter(self._ask([job.picture for job, fault in zip(jobs, faults, strict=True) if fault is None]))
        outcomes = [fault or next(answers) for fault in faults]
        seconds = (time.perf_counter() - started) / max(1, len(jobs))
        pairs = list(zip(jobs, outcomes, strict=True))
        entries = tuple(_entry(job.key, said, seconds) for job, said in pairs if not isinstance(said, _NotAsked))
        ends = [said.fault for said in outcomes if isinstance(said, _NotAsked)]
        return Outcome(entries, ends[0] if ends else None)

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


def _fault(picture: Picture) -> PictureError | None:
    try:
        decode(picture.data, shorter_side=CHECK_SIDE)
    except PictureError as error:
        return error
    return None


def _entry(key: Key, outcome: object, seconds: float) -> Entry:
    if isinstance(outcome, PictureError):
        return Entry(key, "unreadable", error=outcome.what, seconds=seconds)
    if isinstance(outcome, Refused):
        return Entry(key, "refused", error=_text(outcome.what)[:ERROR_LIMIT], seconds=seconds)
    if isinstance(outcome, Exception):
        error = _text(f"{type(outcome).__name__}: {outcome}")[:ERROR_LIMIT]
        return Entry(key, "failed", error=error, seconds=seconds)
    if not isinstance(outcome, Answer) or not isinstance(outcome.text, str):
        told = type(outcome.text if isinstance(outcome, Answer) else outcome).__name__
        return Entry(key, "failed", error=f"no text but {told}", seconds=seconds)
    text = _text(outcome.text)
    if not text:
        return Entry(key, "failed", error="the description is empty", seconds=seconds)
    return Entry(key, "done", text, seconds=seconds)


def _text(text: str) -> str:
    """Text that can be stored: surrogates and NUL replaced, nothing but white space is nothing."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()
