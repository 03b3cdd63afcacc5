"""A finished comparison: its rows, best first, and all that its report and its files say."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from viral.lab.study.comparison import published_tables
from viral.lab.study.comparison.published_numbers import SPLITS, Published, published
from viral.lab.study.comparison.segments import Segment
from viral.lab.study.from_json import from_json
from viral.lab.study.rows import rows_json
from viral.lab.study.study import TrainingStudy
from viral.lab.study.tuning.effort import Effort


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard(TrainingStudy):
    """``rows`` stand by their mean of ``metric`` on test, best first."""

    KIND = "comparison"

    chosen: bool  # the reference is the best baseline on validation, not one that was named
    own_processes: bool = False  # each cell had one, so that its peak memory is its own
    published: Published | None = None  # what others report, to stand beside these rows
    segments: tuple[Segment, ...] = ()
    wanted: float | None = None  # mean training interactions of the items that users chose in the test set
    tuning: Mapping[str, Effort] = field(default_factory=dict)  # by row, of those that a study beside them tells

    @property
    def unlike(self) -> str:
        """Why the published numbers cannot stand beside these; the empty string where they can, or there are none."""
        return self.published.fault(self.counts) if self.published is not None else ""

    @property
    def failures(self) -> list[str]:
        return [f"{row.name}, {failure}" for row in self.rows for failure in row.failures]

    @property
    def ours(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows if row.model == "viral")

    def to_json(self) -> dict[str, Any]:
        theirs = self.published
        return self._head() | {
            "chosen": self.chosen,
            "code_changed": [row.name for row in self.rows if row.code_changed],
            "rows": rows_json(self.rows, memory=self.own_processes),
            "segments": [each.to_json() for each in self.segments],
            "held_out_popularity": self.wanted,
            "tuning": {name: asdict(effort) for name, effort in self.tuning.items()},
            "published": published_tables.to_json(theirs, self.rows, self.unlike) if theirs is not None else None,
            "failures": self.failures,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        theirs = str((document.get("published") or {}).get("name"))
        return cls(
            **cls.head_of(document),
            # older versions wrote the command alone
            chosen=bool(document.get("chosen", "--against" not in str(document.get("command", "")).split())),
            own_processes=any("memory" in row for row in document["rows"]),
            published=published(theirs) if theirs in SPLITS else None,
            segments=from_json(tuple[Segment, ...], document.get("segments", ())),
            wanted=from_json(float | None, document.get("held_out_popularity")),
            tuning=from_json(Mapping[str, Effort], document.get("tuning", {})),
        )
