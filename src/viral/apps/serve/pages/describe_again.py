"""One item described anew, as ``viral enrich`` would: through the ledger, into the file of descriptions."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any

from viral.apps.serve.pages.item_cards import Card
from viral.base.errors import UsageError, ViralError
from viral.base.language import _
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.data.descriptions import DESCRIPTIONS_FOLDER
from viral.data.edits import HUMAN
from viral.data.fetch import FETCHED, Fetcher
from viral.enrich import (
    LEDGER_FILE,
    Describer,
    Description,
    Descriptions,
    EnrichOptions,
    Ledger,
    all_descriptions,
    describer_named,
    enrich,
    save_descriptions,
)
from viral.enrich.protocol import for_catalog
from viral.run.retrieval import DescriberOptions
from viral.run.update.new_features import OF_CATALOG, Counting


@contextmanager
def alone(dataset: Dataset) -> Iterator[None]:
    """One writer of descriptions at a time, over all workers: an edit reads the file of edits and writes it whole."""
    folder = dataset.path / DESCRIPTIONS_FOLDER
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fault_of(described: Descriptions | None, given: DescriberOptions) -> str:
    """Why nothing can be described anew here; "" where it can, as far as can be told without doing it."""
    if described is None:
        return _("No picture has been described yet.") + " viral enrich DATASET"
    name = described.describer.partition("/")[0]
    if described.imported:
        return (
            _(
                "These words are of %(by)s and came from a file: there is no describer to ask. This takes others:",
                by=name,
            )
            + " viral enrich DATASET --describer import --set file=WORDS.csv"
        )
    try:
        given.prompt_for(described.prompt)
        if name != HUMAN:
            _describer(name, *given.settings_for(name))
    except ViralError:
        return (
            _(
                "These words are of %(name)s, with prompt %(prompt)s; describing anew needs settings that this server"
                " does not have. This does it:",
                name=described.describer,
                prompt=described.prompt,
            )
            + f" viral enrich DATASET --describer {name} --set …"
        )
    return _("Every word is a human's: there is no describer to ask.") if name == HUMAN else ""


def describe_again(dataset: Dataset, described: Descriptions | None, card: Card, given: DescriberOptions) -> str:
    """Ask for one item, and keep the answer; returns what became of it, in words.

    Raises ``UsageError`` where it cannot be asked: no describer here, another revision or other settings than those
    that the other items were described with, or a text that a human has locked.
    """
    fault = fault_of(described, given)
    if described is None or fault:
        raise UsageError(fault.removesuffix("."))
    if card.said.edited:
        raise UsageError(_("A human wrote these words and locked them"), hint=_("Unlock them first."))
    name = described.describer.partition("/")[0]
    describer, prompt = _describer(name, *given.settings_for(name)), given.prompt_for(described.prompt)
    if f"{name}/{describer.revision}" != described.describer:
        what = f"the others were described by {described.describer}, and this is revision {describer.revision}"
        raise UsageError(what, hint="viral enrich DATASET describes all of them anew.")
    fetcher, catalog = Fetcher(dataset.path / FETCHED), dataset.catalog()
    # Counted, it is that of the whole catalogue, and stays so where a catalogue of one item is described.
    describer, item = Counting(for_catalog(describer, catalog)), catalog[card.item_id]
    with Ledger(dataset.path / LEDGER_FILE) as ledger:
        _check_settings(ledger, describer, prompt.name)
        options = EnrichOptions(retry_failed=True, fetcher=fetcher)
        try:
            row = enrich(Catalog((item,)), describer, prompt, ledger, options=options).rows[0]
        except ViralError:
            _describer.cache_clear()  # some answer nothing after a fault, though it may have passed
            raise
    with alone(dataset):
        _put(dataset, described, row)
    return _told(card.said, row)


def _check_settings(ledger: Ledger, describer: Describer, prompt: str) -> None:
    """Raise ``UsageError`` where everything in the ledger was asked for with other settings than the defaults."""
    parameters = (entry.key.parameters for entry in ledger.rows(describer.name, prompt) if entry.status == "done")
    known = [_given(json.loads(one)) for one in set(parameters)]
    if known and _given(json.loads(json.dumps(describer.parameters))) not in known:
        what = f"the others were described by {describer.name} with settings that this server does not have"
        raise UsageError(what, hint=f"viral enrich DATASET --describer {describer.name} --set … does it.")


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody could set of a describer's parameters."""
    return {name: value for name, value in parameters.items() if name != OF_CATALOG}


def _put(dataset: Dataset, described: Descriptions, row: Description) -> None:
    """Put the row into the set as it is on the disk now: without the humans' words, which lie over it."""
    origin = (described.describer, described.prompt)
    there = next((one for one in all_descriptions(dataset) if (one.describer, one.prompt) == origin), None)
    if there is None:
        raise UsageError("the descriptions were replaced meanwhile", hint="Load the page again.")
    known = any(one.item_id == row.item_id for one in there.rows)
    rows = tuple(row if one.item_id == row.item_id else one for one in there.rows)
    save_descriptions(replace(there, rows=rows if known else (*rows, row)), dataset.path)


def _told(before: Description, after: Description) -> str:
    if after.status != "done":
        return _("It could not be described: %(reason)s.", reason=after.error or after.status)
    if before.status == "done" and before.text == after.text:
        return _("The same words again: neither picture nor title has changed.")
    return _("Described anew. The model reads it once the edits are applied.")


@lru_cache(maxsize=4)
def _describer(name: str, *settings: str) -> Describer:
    """Kept: some load a model at their first picture."""
    return describer_named(name, settings)
