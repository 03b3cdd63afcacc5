"""Describing a catalogue: each picture once, whatever happens on the way."""

import time
from collections.abc import Callable, Iterable, Iterator

from viral.base.errors import ViralError
from viral.base.parallel import Executor, SerialExecutor, ThreadExecutor
from viral.base.progress import say, stage
from viral.data.catalog import Catalog
from viral.data.descriptions import Descriptions, Spent
from viral.enrich.answers import CAUSES, REASONS
from viral.enrich.describe_batch import BatchResult, DescribeBatch
from viral.enrich.ledger import Ledger
from viral.enrich.ledger_claims import Claims
from viral.enrich.ledger_rows import Entry, spent_on
from viral.enrich.picture_sources import EnrichOptions
from viral.enrich.plan import Plan
from viral.enrich.protocol import BudgetSpent, Describer, Prompt, for_catalog

WAIT = 1.0  # seconds, between two looks at what another run has found
FIRST = 20  # answers, after which a run that has not one description is stopped


def enrich(
    catalog: Catalog,
    describer: Describer,
    prompt: Prompt,
    ledger: Ledger,
    *,
    executor: Executor | None = None,
    in_flight: int | None = None,
    options: EnrichOptions | None = None,
) -> Descriptions:
    """Describe every item's picture; what the ledger already has is not described again.

    Batches of ``describer.batch_size`` pictures go through ``executor`` (default: ``describer.in_flight`` threads, or
    one after the other), at most ``in_flight`` at a time (default: twice the describer's), and each is in the ledger as
    soon as it is done: a run that is stopped or killed goes on where it was. Items with equal pictures and equal
    rendered prompts are described once. An item without a description has a row that says why; the next run tries it
    again, within ``options``. A ``ViralError`` that the describer raises ends the run when what is under way is done
    and kept, and so do twenty first answers that are all refused for one reason; a ``BudgetSpent`` does so without
    being raised: what was not asked is "pending".
    """
    options = options or EnrichOptions()
    claims = Claims(ledger)
    describer = for_catalog(describer, catalog)
    plan = Plan(catalog, describer, prompt, ledger, options, claims)
    workers = describer.in_flight
    chosen = executor or (ThreadExecutor(workers) if workers > 1 else SerialExecutor())
    with claims.kept(), stage(f"describe ({describer.name}, {prompt.name})", len(catalog)) as advance:
        run = _Run(describer, plan, ledger, options.max_attempts, advance)
        work, most = DescribeBatch(describer, prompt), in_flight or 2 * workers
        run.through(chosen.map(work, plan.batches(advance), in_flight=most, ordered=False))
        if plan.waiting:
            say(f"another run is asking for {plan.waiting} of these pictures; waiting for what it finds")
        while plan.waiting:  # nothing is under way here: what others may wait for is in the ledger
            time.sleep(WAIT)
            run.through(chosen.map(work, plan.batches_elsewhere(advance), in_flight=most, ordered=False))
    return Descriptions(tuple(plan.collect()), plan.describer, prompt.name, run.spent)


class _Run:
    """Keeps every outcome in the ledger, and what the run took."""

    def __init__(
        self, describer: Describer, plan: Plan, ledger: Ledger, max_attempts: int, advance: Callable[..., None]
    ) -> None:
        self._describer = describer
        self._plan, self._ledger, self._max_attempts, self._advance = plan, ledger, max_attempts, advance
        self._fault: ViralError | None = None
        self._failed, self._first = 0, FirstAnswers()
        self.spent = Spent()

    def through(self, outcomes: Iterator[BatchResult]) -> None:
        """Keep all of them; after a fault or Ctrl-C those of what is under way, and only then raise it."""
        interrupted: KeyboardInterrupt | None = None
        while True:
            try:
                for outcome in outcomes:
                    self._keep(outcome)
                break
            except KeyboardInterrupt as interruption:
                self._plan.stop()
                stop = getattr(self._describer, "stop", None)  # of describers that wait and try again
                if callable(stop):
                    stop()
                if interrupted is not None:
                    break
                interrupted = interruption
        if interrupted is not None:
            say("stopped; what has been described is in the ledger: run the same command again to go on")
            raise interrupted
        if isinstance(self._fault, BudgetSpent):
            say(str(self._fault))
        elif self._fault is not None:
            raise self._fault

    def _keep(self, outcome: BatchResult) -> None:
        entries = outcome.entries
        self._ledger.put(entries, quarantine_after=self._max_attempts)
        self.spent += spent_on(entries)
        self._failed += sum(entry.status != "done" for entry in entries)
        self._advance(len(entries), f"{self._failed} failed" if self._failed else "")
        fault = outcome.fault or self._first.add(entries)
        if fault is not None:
            self._plan.stop()
            # A fault that the user must mend says more than a budget that is spent.
            if self._fault is None or isinstance(self._fault, BudgetSpent):
                self._fault = fault


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
