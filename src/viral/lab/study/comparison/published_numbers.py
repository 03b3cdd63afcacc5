"""What papers, logs and READMEs print for the Amazon benchmarks, as data and beside ours: each with source and caveat.

The tables were gathered from the sources that each row names and are not ours to vouch for. All are of the same split,
the published one, and of the same protocol: ranking of all items, of which only the user's in train are masked.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from viral.base.errors import UsageError, nearest
from viral.base.language import _, marked, n_
from viral.lab.report import Table
from viral.lab.report.wording import fixed, percent
from viral.lab.study.result_files import booktabs, latex_escape, write_csv
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


PUBLISHED_CSV, PUBLISHED_LATEX = "published.csv", "published.tex"
COLUMNS = ("model", "metric", "published", "source", "caveat", "ours", "mean", "low", "high", "seeds",
           "relative", "comparable")  # fmt: skip
INTRO = marked(
    "Published numbers are rounded to four places and mostly of one seed, and their hyper-parameters were chosen by the"
    " test set; ours were chosen on validation, which costs a little. The percentages are ours over theirs."
)
Line = tuple[PublishedRow | Row, list[str]]  # who, and a text for each of METRICS


def published_section(table: Published, rows: Sequence[Row], fault: str) -> Table:
    """The table of the report: each model's published reports and beneath them ours, each with its caveat."""
    ours = _("another split, cannot be compared") if fault else _("chosen on validation")
    made = lines(table, rows, comparable=not fault)
    return Table(
        heading=_("Beside the published numbers of %(name)s", name=table.name),
        columns=(_("model"), *METRICS),
        rows=tuple((line.model if isinstance(line, PublishedRow) else line.name, *texts) for line, texts in made),
        notes=tuple(
            f"{line.source}: {line.caveat}"
            if isinstance(line, PublishedRow)
            else _("ours, %(seeds)s: %(how)s", seeds=_seeds(line), how=ours)
            for line, _texts in made
        ),
        highlight=frozenset(place for place, (line, _texts) in enumerate(made) if isinstance(line, Row)),
        numeric=METRICS,
        caption="" if fault else _("Percentages are against the model's first report that has the metric."),
        intro=fault or _(INTRO),
    )


def lines(table: Published, rows: Sequence[Row], *, comparable: bool = True) -> list[Line]:
    """The reports in order, ours after the last report of the same model, the others at the end.

    Ours are told relative to theirs only where they are ``comparable``.
    """
    made: list[Line] = []
    for place, theirs in enumerate(table.rows):
        made.append((theirs, [fixed(theirs.metrics.get(metric)) for metric in METRICS]))
        last = all(later.key != theirs.key for later in table.rows[place + 1 :])
        if theirs.key and last:
            made += [(row, _ours(row, table, comparable)) for row in rows if row.model == theirs.key]
    known = {theirs.key for theirs in table.rows}
    return made + [(row, _ours(row, table, comparable)) for row in rows if row.model not in known]


def _ours(row: Row, table: Published, comparable: bool) -> list[str]:
    texts = []
    for metric in METRICS:
        reports = [r for r in table.rows if comparable and r.key == row.model and metric in r.metrics]
        change = Pair(reports[0], row).relative(metric) if reports else float("nan")
        mean = row.metrics[metric].mean
        texts.append(fixed(mean) + (f" ({percent(change, signed=True)})" if math.isfinite(change) else ""))
    return texts


def _seeds(row: Row) -> str:
    return n_("%(number)s seed", "%(number)s seeds", len(row.seeds)) if row.seeds else _("failed")


def write_published(path: Path, table: Published, rows: Sequence[Row], fault: str) -> None:
    """One line for each report, row of ours and metric."""
    said = {"relative": None, "comparable": "no"} if fault else {"comparable": "yes"}
    write_csv(path, COLUMNS, (_values(pair, metric) | said for pair in pairs(table, rows) for metric in METRICS))


def _values(pair: Pair, metric: str) -> dict[str, Any]:
    values: dict[str, Any] = {"metric": metric, "relative": pair.relative(metric)}
    if pair.theirs is not None:
        values |= {
            "model": pair.theirs.model, "published": pair.theirs.metrics.get(metric),
            "source": pair.theirs.source, "caveat": pair.theirs.caveat,
        }  # fmt: skip
    if pair.ours is not None:
        mean = pair.ours.metrics[metric]
        values |= {
            "ours": pair.ours.name, "mean": mean.mean, "low": mean.low, "high": mean.high,
            "seeds": " ".join(map(str, pair.ours.seeds)),
        }  # fmt: skip
        values.setdefault("model", pair.ours.model)
    return values


def published_json(table: Published, rows: Sequence[Row], fault: str) -> dict[str, Any]:
    """The reports with our rows of the same model, and why they cannot be compared, if they cannot."""
    return {
        "name": table.name,
        "comparable": not fault,
        "fault": fault,
        "rows": [
            {
                "model": pair.theirs.model,
                "metrics": dict(pair.theirs.metrics),
                "source": pair.theirs.source,
                "caveat": pair.theirs.caveat,
                "ours": pair.ours.name if pair.ours is not None else None,
                "relative": {metric: pair.relative(metric) for metric in METRICS} if not fault else None,
            }
            for pair in pairs(table, rows)
            if pair.theirs is not None
        ],
    }


def published_latex(table: Published, rows: Sequence[Row], *, caption: str, fault: str) -> str:
    """A ``booktabs`` table in which the caveats are numbered below."""
    caveats: dict[str, int] = {}
    body = []
    for line, texts in lines(table, rows, comparable=not fault):
        if isinstance(line, PublishedRow):
            number = caveats.setdefault(f"{line.source}: {line.caveat}", len(caveats) + 1)
            who = f"{latex_escape(line.model)}$^{{{number}}}$"
        else:
            who = f"{latex_escape(line.name)}, ours"
        body.append(" & ".join([who, *map(latex_escape, texts)]) + r" \\")
    notes = [f"$^{{{number}}}$ {latex_escape(text)}." for text, number in caveats.items()]
    said = " ".join(part for part in (caption, fault) if part)
    return booktabs(["", *map(latex_escape, METRICS)], body, said, notes=notes)
