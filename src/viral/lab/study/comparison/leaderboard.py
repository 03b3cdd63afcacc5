"""A finished comparison: its rows, best first, and all that its report and its files say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from viral.lab.study.comparison.published_numbers import Published, published_json
from viral.lab.study.comparison.segments import Segment
from viral.lab.study.study import TrainingStudy
from viral.lab.study.tuning.tuning_study import Effort


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Leaderboard(TrainingStudy):
    """``rows`` stand by their mean of ``metric`` on test, best first."""

    KIND = "comparison"

    chosen: bool  # the reference is the best baseline on validation, not one that was named
    published: Published | None = None  # what others report, to stand beside these rows
    segments: tuple[Segment, ...] = ()
    held_out_popularity: float | None = None  # mean training interactions of the items that users chose in the test set
    tuning: Mapping[str, Effort] = field(default_factory=dict)  # by row, of those that a study beside them tells

    @property
    def unlike(self) -> str:
        """Why the published numbers cannot stand beside these; the empty string where they can, or there are none."""
        return self.published.fault(self.counts) if self.published is not None else ""

    @property
    def ours(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows if row.model == "viral")

    def to_json(self) -> dict[str, Any]:
        theirs = self.published
        return TrainingStudy.to_json(self) | {
            "code_changed": [row.name for row in self.rows if row.code_changed],
            "published": published_json(theirs, self.rows, self.unlike) if theirs is not None else None,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        named = "--against" in str(document.get("command", "")).split()  # older versions wrote the command alone
        return cls.read({"chosen": not named, **document})
