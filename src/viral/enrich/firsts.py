"""Whether a run is worth going on with: its first answers, all refused for one reason, say that it is not."""

from collections.abc import Iterable

from viral.base.errors import ViralError
from viral.enrich.answers import CAUSES, REASONS
from viral.enrich.entries import Entry

FIRST = 20  # answers, after which a run that has not one description is stopped


class FirstAnswers:
    """Looks at the first ``FIRST`` answers of a run."""

    def __init__(self) -> None:
        self._reason, self._counted, self._watching = "", 0, True

    def add(self, entries: Iterable[Entry]) -> ViralError | None:
        """The fault that ends the run, once all the first answers were refused for one reason."""
        for entry in entries:
            reason = next((reason for reason in REASONS if entry.error.startswith(reason)), "")
            if not self._watching or entry.status == "unreadable":
                continue
            self._watching = reason != "" and self._reason in ("", reason)
            self._reason, self._counted, last = reason, self._counted + 1, entry
            if self._watching and self._counted >= FIRST:
                self._watching = False
                return _fault(reason, last)
        return None


def _fault(reason: str, last: Entry) -> ViralError:
    again = " with --retry-failed" if last.status == "refused" else ""
    return ViralError(
        f"the first {FIRST} answers are no descriptions, all for one reason: {last.error[:200]}",
        hint=f"{CAUSES[reason]}; then run the same command again{again}",
    )
