"""What most users took: recommendations for somebody of whom nothing is known. I: items."""

from dataclasses import dataclass, replace

from torch import Tensor

from viral.run.retrieval.ranking import Ranked

PART = "popularity"


@dataclass(frozen=True, slots=True, eq=False)
class MostTaken:
    """Items by how many users took them; equal ones by how many did in training."""

    counts: Tensor  # (I,) int64
    levels: Tensor  # (I,) float64: the counts, and below one what parts equal ones

    @classmethod
    def of(cls, degrees: Tensor, counts: Tensor | None = None) -> "MostTaken":
        """By ``counts`` (I,) int64, else by how many users took each item in training, ``degrees`` (I,) int64."""
        if counts is None:
            return cls(degrees, degrees.double())
        return cls(counts, counts + degrees / (float(degrees.max()) + 1) / 2)

    def counted(self, ranked: Ranked) -> Ranked:
        """The scores as what they are made of: the counts, and what rules added."""
        return replace(ranked, scores=self.counts[ranked.items] + ranked.added)

    def parts(self, items: Tensor) -> list[dict[str, float]]:
        """The counts of some items (n,)."""
        return [{PART: float(count)} for count in self.counts[items].tolist()]
