"""``viral compare --cold``: how well items are recommended that came after training; CSV, JSON and one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viral.base.language import _, marked
from viral.base.parallel import Executor
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.lab.report import Bar, BarChart, Estimate, Notes, Report, Section, Table, write_report
from viral.lab.report.wording import DASH, fixed, percent
from viral.lab.study.cold.cold_cells import BASELINES, METRIC, cold_cells
from viral.lab.study.cold.cold_rows import ColdPlace, ColdRow, cold_rows
from viral.lab.study.cold.withheld_items import CUTOFF, PLACES, SHARE, withhold
from viral.lab.study.report_sections import between, ends, failure_notes, report
from viral.lab.study.result_files import REPORT_FILE, write_csv, write_results
from viral.lab.study.runner import run_cells
from viral.lab.study.study import RowStudy, Summary, about_data
from viral.lab.study.training_rows import mean
from viral.run.pipeline import load_split

CSV_FILE = "cold.csv"
WAYS = {  # of embedding a new item: as files and the command line have them, and in words
    "own": marked("own"),
    "foretold": marked("predicted"),
    "neighbors": marked("neighbors"),
    "failed": marked("failed"),
}
HEADINGS = {
    "withheld": marked("The withheld items among themselves"),
    "all": marked("The withheld items among all items"),
    "others": marked("The other items, with the withheld ones in the ranking"),
}
COLUMNS = ("row", "model", "way", "place", "recall@20", "low", "high", "seeds_low", "seeds_high", "times_random",
           "times_random_low", "times_random_high", "minus_content", "minus_content_low", "minus_content_high",
           "p_value", "p_holm", "wins", "ties", "losses", "users", "seeds", "epochs", "seconds", "commit",
           "failures")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStudy(RowStudy):
    """Rows of models on items that came after training."""

    KIND, FILE = "cold", "cold.json"

    rows: tuple[ColdRow, ...]
    share: float

    @property
    def ours(self) -> tuple[str, ...]:
        return tuple(label(row) for row in self.rows if row.model == "viral")

    def to_json(self) -> dict[str, Any]:
        return RowStudy.to_json(self) | {"cutoff": CUTOFF}

    def summary(self) -> Summary:
        """The row whose new items are found best among all items."""
        there = [row for row in self.rows if "all" in row.places]
        first = max(there, key=lambda row: row.places["all"].recall.mean, default=None)
        if first is None:
            return Summary(self.size, len(self.rows), _("no result"), None)
        value = first.places["all"].recall.mean
        said = _("%(row)s: %(metric)s %(value)s of new items", row=label(first), metric=METRIC, value=fixed(value))
        return Summary(self.size, len(self.rows), said, value)


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
    restamp: int = 0,
) -> ColdStudy:
    """Withhold other items at each seed, train every recipe without them, rank them as new.

    Leaves ``cold.csv``, ``cold.json`` and ``report.html`` in ``out``, and the cells, with which the same command goes
    on where it was. Raises ``UsageError`` for unknown models and for a share that withholds nothing or everything.
    """
    cells = cold_cells(recipes, seeds, share)
    for seed in seeds[:1]:
        withhold(load_split(dataset), share, seed)  # a share of nothing or everything is said before the first cell
    rows = cold_rows(run_cells(dataset, cells, out, executor=executor, renew=renew, restamp=restamp))
    study = ColdStudy(**about_data(dataset, command), rows=tuple(rows), seeds=tuple(seeds), share=share)
    write_csv(out / CSV_FILE, COLUMNS, (_line(row, place, row.places.get(place)) for row in rows for place in PLACES))
    write_results(out / study.FILE, study.to_json())
    write_report(out / REPORT_FILE, cold_report(study))
    return study


def _line(row: ColdRow, place: str, found: ColdPlace | None) -> dict[str, Any]:
    values: dict[str, Any] = {"row": row.name, "model": row.model, "way": row.way, "place": place}
    values |= {"seeds": " ".join(map(str, row.seeds)), "epochs": mean(row.epochs), "seconds": mean(row.seconds)}
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


def label(row: ColdRow) -> str:
    """A row's name with its way."""
    name = _(row.name) if row.name in BASELINES else row.name
    way = _(WAYS.get(row.way, row.way)) if row.way else ""
    return f"{name} ({way})" if way else name


def cold_report(study: ColdStudy) -> Report:
    """The study as one page; the ways of a model share one training."""
    share = percent(study.share, 0)
    return report(
        study,
        _("New items on %(data)s", data=study.data),
        _("%(share)s of the items withheld from everything, other ones at each seed, then added cold.", share=share),
        cold_sections(study),
        seconds=sum(map(sum, {row.name: row.seconds for row in study.rows}.values())),
    )


def cold_sections(study: ColdStudy) -> list[Section]:
    """A chart and a table of each place, the best row first."""
    sections: list[Section] = []
    for place in PLACES:
        ordered = sorted((r for r in study.rows if place in r.places), key=lambda r: -r.places[place].recall.mean)
        if ordered:
            sections += [_chart(place, ordered), _table(place, ordered)]
    return [*sections, _notes(study)]


def _chart(place: str, rows: Sequence[ColdRow]) -> Section:
    bars = []
    for row in rows:
        found = row.places[place].recall
        value = Estimate(found.mean, found.low, found.high)
        bars.append(Bar(label=label(row), value=value, highlight=row.name in BASELINES))
    return BarChart(heading=_(HEADINGS[place]), bars=tuple(bars), quantity=METRIC, models=True,
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
    cells = [fixed(recall.mean), ends(recall.low, recall.high), between(seeds)]
    cells.append(f"{fixed(ratio.mean, 2)} ({ends(ratio.low, ratio.high, places=2)})")
    if against is None:
        return [*cells, DASH, DASH, DASH]
    test = against.test
    between_users = ends(test.low, test.high, signed=True)
    return [*cells, fixed(test.difference, signed=True), between_users, f"{against.p_holm:.2g}"]


def _notes(study: ColdStudy) -> Section:
    """What a reader must know, and what failed."""
    told = [
        _("Command: %(command)s; commit %(commit)s.", command=study.command, commit=study.commit),
        _(
            "Random is what random order has in expectation: of m candidates each is among the first %(cutoff)s with"
            " probability %(cutoff)s / m. Content neighbours sum the similarities to all that a user interacted with.",
            cutoff=CUTOFF,
        ),
        _(
            "Predicted: by a ridge from features to vectors, learnt from the known items. Own: the model's encoders"
            " embed the new item, the item graph links it. Neighbors: the mean of its nearest known items' vectors."
        ),
        _(
            "A user's value is the mean over seeds; intervals over users and tests (sign flips, Holm's correction over"
            " the rows of a place) are for these withheld items and trainings. The interval over seeds is Student's,"
            " cut where the metric's range ends; of fewer than four seeds stand the least and the greatest."
        ),
        *failure_notes(study.failures),
    ]
    return Notes(heading=_("What to keep in mind"), notes=tuple(told))
