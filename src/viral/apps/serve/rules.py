"""The shop's rules as they are served: a file that is read again when it has changed."""

import logging
from collections.abc import Callable
from pathlib import Path

from fastapi import Request

from viral.apps.serve.metrics import Metrics
from viral.apps.serve.watched import Watched
from viral.run.retrieval import Retriever
from viral.run.retrieval.ranking import NO_RULES
from viral.run.retrieval.rules import Rules, read_rules

SHOWN = 20  # unknown names that are told
log = logging.getLogger("viral.apps.serve")


class RulesFile(Watched[Rules]):
    """The rules of the file as it was last of use; ``served`` gives what they are for."""

    def __init__(self, file: Path, served: Callable[[], Retriever], metrics: Metrics) -> None:
        super().__init__(file, read_rules, "the file of rules")
        self._served, self._metrics = served, metrics
        self.reloads = 0
        self._metrics.rules_broken.set(0)
        self._tell()

    def unknown(self) -> tuple[str, ...]:
        """What the rules name and the bundle that is served does not know."""
        return self._served().ruling(self.value).unknown

    def look(self) -> None:
        """Also tell anew what is unknown where another bundle is served."""
        super().look()
        if self.unknown() != self._told:
            self._tell()

    def taken(self) -> None:
        self.reloads += 1
        self._metrics.rules_reloads.labels("done").inc()
        self._metrics.rules_broken.set(0)
        log.info("new rules: %d", len(self.value))
        self._tell()

    def refused(self) -> None:
        self._metrics.rules_reloads.labels("failed").inc()
        self._metrics.rules_broken.set(1)

    def _tell(self) -> None:
        self._told = unknown = self.unknown()
        self._metrics.rules_unknown.set(len(unknown))
        if unknown:
            more = " …" if len(unknown) > SHOWN else ""
            log.warning("the rules name what the run does not know: %s%s", ", ".join(unknown[:SHOWN]), more)


def rules_of(request: Request, wanted: bool = True) -> Rules:
    """The rules by which this request is answered; none where there is no file, or none are wanted."""
    file: RulesFile | None = request.app.state.rules
    return file.value if file is not None and wanted else NO_RULES
