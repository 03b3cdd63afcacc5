"""The results of ``viral compare --cold`` as a study's files: CSV, JSON and one page."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viral.base.files import atomic_write
from viral.base.language import _, marked
from viral.base.parallel import Executor
from viral.base.provenance import commit
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.lab.report import Bar, BarChart, Estimate, Notes, Report, Section, Table, write_report
from viral.lab.report.wording import DASH, duration, fixed, percent
from viral.lab.study.cold.benchmark import CUTOFF, PLACES, SHARE
from viral.lab.study.cold.cells import BASELINES, cold_cells, run_cold
from viral.lab.study.cold.rows import ColdPlace, ColdRow, cold_rows, row_json
from viral.lab.study.report_sections import between
from viral.lab.study.result_files import safe_cell, write_results

CSV_FILE, JSON_FILE, REPORT_FILE = "cold.csv", "cold.json", "report.html"
WAYS = (marked("own"), marked("foretold"), marked("neighbors"), marked("failed"))  # of embedding a new item
HEADINGS = {
    "withheld": marked("The withheld items among themselves"),
    "all": marked("The withheld items among all items"),
    "others": marked("The other items, with the withheld ones in the ranking"),
}
COLUMNS = ("row", "model", "way", "place", "recall@20", "low", "high", "seeds_low", "seeds_high", "times_random",
           "times_random_low", "times_random_high", "minus_content", "minus_content_low", "minus_content_high",
           "p_value", "p_holm", "wins", "ties", "losses", "users", "seeds", "epochs", "seconds", "commit",
           "failures")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ColdStudy:
    """Rows of models on items that came after training."""

    dataset: Dataset
    rows: tuple[ColdRow, ...]
    seeds: tuple[int, ...]
    share: float
    command: str

    @property
    def failures(self) -> list[str]:
        return [f"{row.name}, {failure}" for row in self.rows for failure in row.failures]


def compare_cold(
    dataset: Dataset,
    recipes: Mapping[str, Recipe],
    out: Path,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    share: float = SHARE,
    command: str = "",
    executor: Executor | None = None,
    renew: bool = False,
) -> ColdStudy:
    """Withhold other items at each seed, train every recipe without them, rank them as new.

    Leaves ``cold.csv``, ``cold.json`` and ``report.html`` in ``out``, and the cells, with which the same command goes
    on where it was. Raises ``UsageError`` for unknown models and for a share that withholds nothing or everything.
    """
    outcomes = run_cold(dataset, cold_cells(recipes, seeds, share), out, executor=executor, renew=renew)
    rows = tuple(cold_rows(outcomes))
    study = ColdStudy(dataset=dataset, rows=rows, seeds=tuple(seeds), share=share, command=command)
    _write_csv(out / CSV_FILE, rows)
    write_results(out / JSON_FILE, study_json(study))
    write_report(out / REPORT_FILE, cold_report(study))
    return study


def study_json(study: ColdStudy) -> dict[str, Any]:
    """What ``viral compare --cold --json`` prints and ``cold.json`` keeps."""
    return {
        "command": study.command,
        "dataset": str(study.dataset.path),
        "counts": dict(study.dataset.manifest["counts"]),
        "seeds": list(study.seeds),
        "share": study.share,
        "cutoff": CUTOFF,
        "commit": commit(),
        "rows": [row_json(row) for row in study.rows],
        "failures": study.failures,
    }


def _write_csv(path: Path, rows: Sequence[ColdRow]) -> None:
    """One line for each row and place."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            for place in PLACES:
                values = _line(row, place, row.places.get(place))
                writer.writerow([safe_cell(values.get(column)) for column in COLUMNS])


def _line(row: ColdRow, place: str, found: ColdPlace | None) -> dict[str, Any]:
    values: dict[str, Any] = {"row": row.name, "model": row.model, "way": row.way, "place": place}
    values |= {"seeds": " ".join(map(str, row.seeds)), "epochs": _mean(row.epochs), "seconds": _mean(row.seconds)}
    values |= {"commit": " ".join(row.commits), "failures": "; ".join(row.failures)}
    if found is None:
        return values
    recall, ratio, seeds = found.recall, found.ratio, found.over_seeds
    values |= {"recall@20": recall.mean, "low": recall.low, "high": recall.high, "seeds_low": seeds.low,
               "seeds_high": seeds.high, "times_random": ratio.mean, "times_random_low": ratio.low,
               "times_random_high": ratio.high, "users": found.users}  # fmt: skip
    if found.against is not None:
        test = found.against.test
        values |= {"minus_content": test.difference, "minus_content_low": test.low, "minus_content_high": test.high,
                   "p_value": test.p_value, "p_holm": found.against.p_holm, "wins": test.wins, "ties": test.ties,
                   "losses": test.losses}  # fmt: skip
    return values


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _training(rows: Sequence[ColdRow]) -> float:
    """Seconds of all trainings: the ways of a model share one."""
    return sum(sum(seconds) for seconds in {row.name: row.seconds for row in rows}.values())


def label(row: ColdRow) -> str:
    """A row's name with its way."""
    name = _(row.name) if row.name in BASELINES else row.name
    way = _(row.way) if row.way in WAYS else row.way
    return f"{name} ({way})" if way else name


def cold_report(study: ColdStudy) -> Report:
    """The study as one page."""
    counts = study.dataset.manifest["counts"]
    return Report(
        title=_("New items on %(data)s", data=study.dataset.path.name),
        subtitle=_(
            "%(share)s of the items withheld from everything, other ones at each seed, then added cold.",
            share=percent(study.share, 0),
        ),
        facts=(
            (_("users"), f"{counts['users']:,}"),
            (_("items"), f"{counts['items']:,}"),
            (_("seeds"), ", ".join(map(str, study.seeds))),
            (_("training time"), duration(_training(study.rows))),
        ),
        ours=ours(study.rows),
        sections=(
            *place_sections(study.rows),
            notes(
                study.failures, _("Command: %(command)s; commit %(commit)s.", command=study.command, commit=commit())
            ),
        ),
    )


def place_sections(rows: Sequence[ColdRow]) -> list[Section]:
    """A chart and a table of each place, the best row first."""
    sections: list[Section] = []
    for place in PLACES:
        ordered = sorted((r for r in rows if place in r.places), key=lambda r: -r.places[place].recall.mean)
        if ordered:
            sections += [_chart(place, ordered), _table(place, ordered)]
    return sections


def _chart(place: str, rows: Sequence[ColdRow]) -> Section:
    bars = []
    for row in rows:
        found = row.places[place].recall
        value = Estimate(found.mean, found.low, found.high)
        bars.append(Bar(label=label(row), value=value, highlight=row.name in BASELINES))
    return BarChart(heading=_(HEADINGS[place]), bars=tuple(bars), quantity="recall@20", models=True,
                    caption=_("Whiskers are 95 % bootstrap intervals over users."))  # fmt: skip


def _table(place: str, rows: Sequence[ColdRow]) -> Section:
    columns = (_("row"), "recall@20", _("95 % over users"), _("over seeds"), _("× random"), _("- content"), "95 %",
               _("p (Holm)"))  # fmt: skip
    return Table(
        heading=_("%(heading)s, in numbers", heading=_(HEADINGS[place])),
        columns=columns,
        rows=tuple((label(row), *place_cells(row.places[place])) for row in rows),
        numeric=columns[1:],
    )


def place_cells(found: ColdPlace) -> list[str]:
    """Recall, intervals over users and seeds, ratio to random, and the test against content, as texts."""
    recall, ratio, seeds, against = found.recall, found.ratio, found.over_seeds, found.against
    cells = [fixed(recall.mean), _to(fixed(recall.low), fixed(recall.high)), between(seeds)]
    cells.append(f"{fixed(ratio.mean, 2)} ({_to(fixed(ratio.low, 2), fixed(ratio.high, 2))})")
    if against is None:
        return [*cells, DASH, DASH, DASH]
    test = against.test
    ends = _to(fixed(test.low, signed=True), fixed(test.high, signed=True))
    return [*cells, fixed(test.difference, signed=True), ends, f"{against.p_holm:.2g}"]


def _to(low: str, high: str) -> str:
    return _("%(low)s to %(high)s", low=low, high=high)


def ours(rows: Sequence[ColdRow]) -> tuple[str, ...]:
    """The labels of the rows that are VIRAL."""
    return tuple(label(row) for row in rows if row.model == "viral")


def notes(failures: Sequence[str], *first: str) -> Section:
    """What a reader must know, after what is said ``first``, and what failed."""
    told = [
        *first,
        _(
            "Random is what random order has in expectation: of m candidates each is among the first %(cutoff)s with"
            " probability %(cutoff)s / m. Content neighbours sum the similarities to all that a user took.",
            cutoff=CUTOFF,
        ),
        _(
            "Foretold: by a ridge from features to vectors, learnt from the known items. Own: the model's encoders"
            " embed the new item, the item graph links it. Neighbors: the mean of its nearest known items' vectors."
        ),
        _(
            "A user's value is the mean over seeds; intervals over users and tests (sign flips, Holm's correction over"
            " the rows of a place) are for these withheld items and trainings. The interval over seeds is Student's,"
            " cut where the metric's range ends; of fewer than four seeds stand the least and the greatest."
        ),
        *(_("Failed: %(failure)s", failure=failure) for failure in failures),
    ]
    return Notes(heading=_("What to keep in mind"), notes=tuple(told))
