"""What an examination found: each fault with its number, where it is, and what to do about it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import polars as pl

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
ROW = "\0row"  # the number of a row in its file, from 1
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault. An ``error`` keeps the data set from being trained on; a ``note`` need not be a fault."""

    severity: Severity
    check: str  # a short fixed phrase
    count: int
    message: str
    examples: tuple[str, ...] = ()  # file, row, field and value of the first few
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All that an examination found, the errors first."""

    dataset: str
    findings: tuple[Finding, ...]
    counts: Mapping[str, int] = field(default_factory=dict)  # users, items, interactions, images

    @classmethod
    def of(cls, dataset: str, findings: Iterable[Finding], counts: Mapping[str, int]) -> "DoctorReport":
        """A report of those findings that occurred at all."""
        found = [finding for finding in findings if finding.count]
        return cls(dataset, tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))), counts)

    @property
    def trainable(self) -> bool:
        """Whether there is no error."""
        return all(finding.severity != "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The report as a JSON document."""
        return {
            "dataset": self.dataset,
            "trainable": self.trainable,
            "counts": dict(self.counts),
            "findings": [asdict(finding) for finding in self.findings],
        }


def places(rows: pl.DataFrame, file: str, column: str) -> tuple[str, ...]:
    """The first few of ``rows`` (which have ROW) as file, row, field and value; control characters are escaped."""
    first = rows.select(ROW, column).head(EXAMPLES)
    return tuple(f"{file} row {row}, field {column}: {_short(value)}" for row, value in first.iter_rows())


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:99]}…"


def render(report: DoctorReport) -> str:
    """The report for a human, as plain text."""
    return "\n".join(_lines(report))


def _lines(report: DoctorReport) -> Iterator[str]:
    counts = ", ".join(f"{number:,} {name}" for name, number in report.counts.items())
    yield f"{report.dataset}: {counts}" if counts else report.dataset
    for finding in report.findings:
        yield f"\n{finding.severity:<8} {finding.check} ({finding.count:,}): {finding.message}"
        yield from (f"         {example}" for example in finding.examples)
        if finding.count > len(finding.examples) > 0:
            yield f"         … and {finding.count - len(finding.examples):,} more"
        if finding.hint:
            yield f"         → {finding.hint}"
    errors = sum(finding.severity == "error" for finding in report.findings)
    verdict = "it can be trained on" if report.trainable else f"it cannot be trained on ({errors} kinds of error)"
    yield f"\n{'No fault: ' if not report.findings else ''}{verdict}."
