"""What an executor runs: one batch of pictures to rows of the ledger. No state, no files; picklable."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from viral.base.errors import ViralError
from viral.data.pictures import PictureError, decode
from viral.enrich.answers import judge, storable
from viral.enrich.ledger import Entry, RequestKey
from viral.enrich.protocol import Answer, BudgetSpent, Describer, Picture, Prompt, Refused

CHECK_SIDE = 32  # pictures are decoded to this side, only to see that they can be
ERROR_LIMIT = 500


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """A picture to describe and the ledger's row for the answer."""

    key: RequestKey
    picture: Picture


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: the rows to keep, and the fault that ends the run, if there was one."""

    entries: tuple[Entry, ...]
    fault: ViralError | None = None


@dataclass(frozen=True, slots=True)
class _NotAsked:
    """Stands for the answer to a picture that a fault of the run kept from being asked."""

    fault: ViralError


@dataclass(frozen=True)
class DescribeBatch:
    """What an executor runs on a batch: check the pictures, ask the describer, write down each answer."""

    describer: Describer
    prompt: Prompt

    def __call__(self, jobs: Sequence[DescribeRequest]) -> BatchResult:
        started = time.perf_counter()
        faults = [(job, _fault(job.picture)) for job in jobs]
        entries = [Entry(job.key, "unreadable", error=fault.what, attempts=0) for job, fault in faults if fault]
        good = [job for job, fault in faults if fault is None]
        answers = list(zip(good, self._ask([job.picture for job in good]), strict=True))
        seconds = (time.perf_counter() - started) / max(1, len(good))
        ends = [said.fault for _, said in answers if isinstance(said, _NotAsked)]
        entries += [self._entry(job.key, said, seconds) for job, said in answers if not isinstance(said, _NotAsked)]
        return BatchResult(tuple(entries), ends[0] if ends else None)

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

    def _entry(self, key: RequestKey, said: object, seconds: float) -> Entry:
        if isinstance(said, PictureError):
            return Entry(key, "unreadable", error=said.what, seconds=seconds)
        if isinstance(said, Refused):
            return Entry(key, "refused", error=storable(said.what)[:ERROR_LIMIT], seconds=seconds)
        if isinstance(said, Exception):
            return Entry(key, "failed", error=storable(f"{type(said).__name__}: {said}")[:ERROR_LIMIT], seconds=seconds)
        if not isinstance(said, Answer) or not isinstance(said.text, str):
            told = type(said.text if isinstance(said, Answer) else said).__name__
            return Entry(key, "failed", error=f"no text but {told}", seconds=seconds)
        verdict = judge(said.text, self.prompt)
        entry = Entry(key, verdict.status, verdict.text, verdict.error[:ERROR_LIMIT], seconds=seconds)
        return replace(entry, tokens_in=said.tokens_in, tokens_out=said.tokens_out, cost=said.cost)


def _fault(picture: Picture) -> PictureError | None:
    try:
        decode(picture.data, shorter_side=CHECK_SIDE)
    except PictureError as error:
        return error
    return None
