"""What papers, logs and READMEs print for the Amazon benchmarks, as data: every number with its source and its caveat.

The tables were gathered from the sources that each row names and are not ours to vouch for. All are of the same split,
the published one, and of the same protocol: ranking of all items, of which only the user's in train are masked.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

from viral.base.errors import UsageError, nearest
from viral.lab.study.statistics import ratio
from viral.lab.study.training_rows import Row

METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")
# Interactions in train, valid and test of the published split.
SPLITS: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {
        "amazon-baby": (118_551, 20_559, 21_682),
        "amazon-sports": (218_409, 37_899, 40_029),
        "amazon-clothing": (197_338, 40_150, 41_189),
    }
)


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One report of one model; ``key`` is the model's name in the zoo, empty where it is not there."""

    model: str
    key: str
    metrics: Mapping[str, float]  # those of METRICS that are known
    source: str
    caveat: str


@dataclass(frozen=True, slots=True)
class Published:
    """The published reports for one data set, the plainest models first."""

    name: str
    rows: tuple[PublishedRow, ...]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Published":
        """By its name, of a comparison's JSON, which has the reports beside ours."""
        return published(str(values["name"]))

    def fault(self, counts: Mapping[str, Any]) -> str:
        """Why numbers on a data set of those counts cannot stand beside these; "" where its split has their sizes."""
        sizes = tuple(counts.get(part) for part in ("train", "valid", "test"))
        if sizes == SPLITS[self.name]:
            return ""
        theirs, ours = (" / ".join("–" if n is None else f"{n:,}" for n in each) for each in (SPLITS[self.name], sizes))
        return (
            f"The data set is not the published split of {self.name} ({theirs} interactions in train / valid / test;"
            f" here {ours}), so that these numbers cannot be compared."
        )


def published(name: str) -> Published:
    """The published reports for ``amazon-baby``, ``amazon-sports`` or ``amazon-clothing``."""
    if name not in SPLITS:
        raise UsageError(f"nothing published is kept for {name!r}", hint=nearest(name, SPLITS))
    text = (resources.files("viral.lab.study.comparison") / "published" / f"{name}.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return Published(
        name,
        tuple(
            PublishedRow(
                row["model"],
                row["key"],
                {metric: float(row[metric]) for metric in METRICS if row[metric]},
                row["source"],
                row["caveat"],
            )
            for row in rows
        ),
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """A published report and a row of ours of the same model; either may be absent, not both."""

    theirs: PublishedRow | None
    ours: Row | None

    def relative(self, metric: str) -> float:
        """(ours - theirs) / theirs; NaN where one of them is not known."""
        if self.theirs is None or self.ours is None or metric not in self.theirs.metrics:
            return float("nan")
        return ratio(self.ours.metrics[metric].mean - self.theirs.metrics[metric], self.theirs.metrics[metric])


def pairs(table: Published, rows: Sequence[Row]) -> list[Pair]:
    """Every report with each of our rows of that model, then our rows that nothing is published for."""
    made = []
    for theirs in table.rows:
        ours = [row for row in rows if theirs.key and row.model == theirs.key]
        made += [Pair(theirs, row) for row in ours] or [Pair(theirs, None)]
    known = {theirs.key for theirs in table.rows}
    return made + [Pair(None, row) for row in rows if row.model not in known]
