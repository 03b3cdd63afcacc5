"""What the page of a tuning, of new items or of a single run shows, and which page shows what."""

from collections.abc import Mapping

from viral.errors import DataError
from viral.experiment.cold_page import notes, place_sections
from viral.report import Curves, Section, Table
from viral.report.wording import DASH, duration, fixed, whole
from viral.serve.pages.experiment_cells import curve
from viral.serve.pages.experiment_files import Found, settings_text
from viral.serve.pages.experiment_sections import METRIC, ablation, comparison


def sections_of(found: Found) -> list[Section]:
    """All of a page; raises ``DataError`` where the file is not what its command writes."""
    makers = {"comparison": comparison, "ablation": ablation, "cold": cold, "tuning": tuning, "run": run}
    try:
        made = makers[found.kind](found) if found.kind in makers else []
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"its file is not what a study writes ({type(error).__name__})", where=found.name) from None
    return [section for section in made if section is not None]


def cold(found: Found) -> list[Section | None]:
    """Chart and table of each place, as in the study's report."""
    failures = found.document.get("failures")
    told = [str(failure) for failure in failures] if isinstance(failures, list) else []
    return [*place_sections(found.cold_rows), notes(told)]


def tuning(found: Found) -> list[Section | None]:
    """The trials, best first."""
    trials = [one for one in found.document.get("trials", ()) if isinstance(one, Mapping)]
    names = list(dict.fromkeys(str(name) for one in trials for name in one.get("point", {})))
    ordered = sorted(trials, key=lambda one: -(one.get("value") or -1.0))
    monitor = str(found.document.get("monitor", METRIC))
    table = Table(
        heading="Trials",
        columns=("trial", f"{monitor} on validation", "ended", "epochs", "time", *names),
        rows=tuple(
            (
                str(one.get("number", "")),
                fixed(one.get("value")),
                str(one.get("state", "")),
                whole(one.get("epochs")),
                duration(one.get("seconds")),
                *(settings_text(one.get("point", {}).get(name)) for name in names),
            )
            for one in ordered
        ),
        numeric=(f"{monitor} on validation", "epochs", "time"),
        caption=f"Made by {found.document.get('command', '')}",
        highlight=frozenset({0}) if ordered else frozenset(),
    )
    return [table]


def run(found: Found) -> list[Section | None]:
    """A run's metrics on test, and how it learnt."""
    metrics = found.document.get("metrics")
    values = metrics if isinstance(metrics, Mapping) else {}
    table = Table(
        heading="On the test set",
        columns=("metric", "value"),
        rows=tuple((str(name), fixed(value)) for name, value in values.items() if isinstance(value, float)),
        numeric=("value",),
        caption=f"{found.document.get('users', DASH)} users; what was taken in train is masked.",
    )
    learnt = curve(str(found.document.get("model", found.name)), found.document, METRIC, highlight=True)
    return [table, Curves(heading="Learning curve", curves=(learnt,), metric=METRIC) if learnt is not None else None]
