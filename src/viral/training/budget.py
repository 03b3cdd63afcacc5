"""What a training will need of memory at least, said before it begins, and whether that is to be had.

Counted are the tables whose size follows from the configuration: for every parameter its gradient, Adam's two moments
and the copy of the best epoch; the embeddings that rank; a block of scores. What a model holds while it computes a step
is not known beforehand, so the peak is told beside it at the end. Nothing of size I × I, U × U or U × I is in it:
models whose solution is such a table refuse it above a limit (:mod:`viral.models.families.closed_form`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viral.base.memory import STATUS, field_of, peak_memory_bytes
from viral.base.progress import say
from viral.data.inputs import ModelInputs
from viral.evaluation.ranking import BLOCK_BYTES
from viral.models.base import Recommender
from viral.models.viral.config import why_unread

COPIES = 4  # of the parameters, besides themselves: gradient, two moments, best epoch


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes: those in use now, those to come at least, and those that the machine has to spare (None: not known)."""

    resident: int
    training: int
    ranking: int
    available: int | None

    @property
    def expected(self) -> int:
        """The least peak of resident memory."""
        return self.resident + self.training + self.ranking

    def tell(self) -> None:
        """Print the budget, and a warning where the machine has too little."""
        text = (
            f"memory: {_gb(self.resident)} in use, {_gb(self.training)} to come for training and {_gb(self.ranking)}"
            f" for ranking: {_gb(self.expected)} at least"
        )
        say(text if self.available is None else f"{text}; {_gb(self.available)} to spare")
        if self.available is not None and self.training + self.ranking > self.available:
            say("that is more than there is: the system may end this training; lower embedding_dim or close programs")


def budget_of(model: Recommender[Any]) -> Budget:
    """The budget of training ``model``, which is built."""
    parameters = sum(p.numel() * p.element_size() for p in model.parameters())
    return Budget(resident_bytes(), COPIES * parameters, parameters + BLOCK_BYTES, available_bytes())


def tell_peak(budget: Budget) -> None:
    """Print the peak of this process beside what was expected."""
    say(f"memory: at most {_gb(peak_memory_bytes())} were in use, {_gb(budget.expected)} were expected at least")


def tell_sources(model: Recommender[Any], inputs: ModelInputs) -> None:
    """Print which modalities the model reads, what made them, and which are there and not read, and why."""
    if not inputs.features:
        if hasattr(model.config, "sources"):  # which would read some
            say(
                "reads no content: the data set has no features; viral enrich DATASET && viral encode DATASET make them"
            )
        return
    read = [f"{name} ({inputs.encoders.get(name, 'made elsewhere')})" for name in model.reads]
    sources = getattr(model.config, "sources", ())
    rest = [f"{name} ({why_unread(name, sources, inputs)})" for name in inputs.features if name not in model.reads]
    told = f"reads {', '.join(read)}" if read else "reads no content"
    say(told + (f"; not {', '.join(rest)}" if rest else ""))


def resident_bytes() -> int:
    """The resident set of this process now; its peak where the system does not tell."""
    return field_of(STATUS, "VmRSS:") or peak_memory_bytes()


def available_bytes() -> int | None:
    """What the machine has to spare without swapping; None where the system does not tell."""
    return field_of(Path("/proc/meminfo"), "MemAvailable:")


def _gb(count: int) -> str:
    return f"{count / 1e9:.2f} GB"
