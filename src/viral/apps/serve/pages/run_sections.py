"""What the page of a tuning, of new items or of a single run shows, and which page shows what."""

from collections.abc import Mapping

from viral.apps.serve.pages.experiment_cells import curve
from viral.apps.serve.pages.experiment_files import Found, settings_text
from viral.apps.serve.pages.experiment_sections import METRIC, ablation, comparison
from viral.base.errors import DataError
from viral.base.language import _, marked
from viral.lab.report import Curves, Section, Table
from viral.lab.report.wording import DASH, duration, fixed, whole
from viral.lab.study.cold.cold_study import notes, place_sections

STATES = (marked("complete"), marked("pruned"), marked("failed"))  # of a trial


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


def _state(state: str) -> str:
    return _(state) if state in STATES else state


def tuning(found: Found) -> list[Section | None]:
    """The trials, best first."""
    trials = [one for one in found.document.get("trials", ()) if isinstance(one, Mapping)]
    names = list(dict.fromkeys(str(name) for one in trials for name in one.get("point", {})))
    ordered = sorted(trials, key=lambda one: -(one.get("value") or -1.0))
    valued = _("%(metric)s on validation", metric=str(found.document.get("monitor", METRIC)))
    table = Table(
        heading=_("Trials"),
        columns=(_("trial"), valued, _("ended"), _("epochs"), _("time"), *names),
        rows=tuple(
            (
                str(one.get("number", "")),
                fixed(one.get("value")),
                _state(str(one.get("state", ""))),
                whole(one.get("epochs")),
                duration(one.get("seconds")),
                *(settings_text(one.get("point", {}).get(name)) for name in names),
            )
            for one in ordered
        ),
        numeric=(valued, _("epochs"), _("time")),
        caption=_("Made by %(command)s", command=found.document.get("command", "")),
        highlight=frozenset({0}) if ordered else frozenset(),
    )
    return [table]


def run(found: Found) -> list[Section | None]:
    """A run's metrics on test, and how it learnt."""
    metrics = found.document.get("metrics")
    values = metrics if isinstance(metrics, Mapping) else {}
    table = Table(
        heading=_("On the test set"),
        columns=(_("metric"), _("value")),
        rows=tuple((str(name), fixed(value)) for name, value in values.items() if isinstance(value, float)),
        numeric=(_("value"),),
        caption=_("%(users)s users; what was taken in train is masked.", users=found.document.get("users", DASH)),
    )
    learnt = curve(str(found.document.get("model", found.name)), found.document, METRIC)
    return [table, Curves(heading=_("Learning curve"), curves=(learnt,), metric=METRIC) if learnt is not None else None]
