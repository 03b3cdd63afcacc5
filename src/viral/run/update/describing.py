"""What is new in a data set described as the run's items were: by the same describer, prompt and settings.

Another describer would not mix with the old one's words: the ledger knows its answers by all of these, and every item
would be asked for again. That may be dear, and is done only where it is asked for (``FeatureMakers.anew``).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from viral.data.dataset import Dataset
from viral.data.descriptions import IMPORTED, overlaid
from viral.data.edits import HUMAN
from viral.data.fetch import FETCHED, Fetcher
from viral.data.modalities import Modality
from viral.encode import Encoder, VisionEncoder
from viral.enrich import (
    LEDGER_FILE,
    Describer,
    Description,
    Descriptions,
    Ledger,
    Prompt,
    Terms,
    enrich,
    load_edits,
    load_prompt,
    save_descriptions,
)
from viral.enrich.import_descriptions import imported_sets
from viral.enrich.protocol import for_catalog
from viral.run.bundle_extras import Described
from viral.run.retrieval.describer import (
    NO_DESCRIBER_OPTIONS,
    DescriberOptions,
    NoDescriber,
    check_revision,
    describer_of,
)
from viral.run.update.counting import CountingDescriber

ANEW = "or have all items described anew, by whichever describer is named: viral update … --describe-anew"


@dataclass
class FeatureMakers:
    """Who describes and encodes; by default those that made the run's features, with what is ``given`` of them."""

    describer: Describer | None = None
    prompt: Prompt | None = None
    words: Encoder | None = None
    vision: VisionEncoder | None = None
    given: DescriberOptions = NO_DESCRIBER_OPTIONS
    modalities: tuple[Modality, ...] = ()  # rows of yours beside those of the table
    anew: bool = False  # describe all items, by whatever describer, prompt and settings are given


def describe(dataset: Dataset, made: Described, makers: FeatureMakers) -> tuple[Descriptions, int]:
    """The descriptions of all items, kept in the data set, and how many pictures were asked about.

    What a human wrote is not asked for and stands in the place of the describer's words; where a human described the
    run's items, or a file did (``viral.enrich.import_descriptions``), nobody is asked. Raises ``NoDescriber`` where
    this would not be the describer that ``made`` names, or not its settings.
    """
    edits = load_edits(dataset)
    if made.revision == IMPORTED and not makers.anew:
        return _from_file(dataset, made, edits), 0
    if made.describer == HUMAN and not makers.anew:
        nothing = (Description(item_id, "", f"{HUMAN}/1", HUMAN, "", "pending") for item_id in dataset.catalog().ids)
        return Descriptions(overlaid(tuple(nothing), edits), f"{HUMAN}/1", HUMAN), 0
    with Ledger(dataset.path / LEDGER_FILE) as ledger:
        try:
            describer, prompt = _who(made, makers)
            if not makers.anew:
                _check_settings(ledger, describer, prompt)
        except NoDescriber as error:
            raise NoDescriber(error.what, where=error.where, hint=f"{error.hint}; {ANEW}") from None
        counting = CountingDescriber(for_catalog(describer, dataset.catalog()))
        terms = Terms(locked=edits, fetcher=Fetcher(dataset.path / FETCHED))
        descriptions = enrich(dataset.catalog(), counting, prompt, ledger, terms=terms)
    save_descriptions(descriptions, dataset.path)
    return replace(descriptions, rows=overlaid(descriptions.rows, edits)), counting.count


def _from_file(dataset: Dataset, made: Described, edits: Mapping[str, str]) -> Descriptions:
    """The words that were taken from a file; items that it does not describe are encoded by their titles."""
    sets = (one for one in imported_sets(dataset, made.describer) if one.prompt == made.prompt)
    there = next(sets, None)
    if there is None:
        what = f"the run's items were described by {made.describer} with prompt {made.prompt}, out of a file"
        words = f"--set file=WORDS.csv --set describer={made.describer} --set prompt={made.prompt}"
        hint = f"take it in: viral enrich {dataset.path} --describer import {words}; {ANEW}"
        raise NoDescriber(what, where=str(dataset.path), hint=hint)
    return replace(there, rows=overlaid(there.rows, edits))


def _who(made: Described, makers: FeatureMakers) -> tuple[Describer, Prompt]:
    given = makers.given
    if makers.anew:
        describer = makers.describer or given.describer_for(given.describer or made.describer)
        return describer, makers.prompt or load_prompt(given.prompt or made.prompt)
    if makers.describer is not None:
        check_revision(makers.describer, made)
        return makers.describer, makers.prompt or given.prompt_for(made.prompt)
    describer, prompt = describer_of(made, given)
    return describer, makers.prompt or prompt


OF_CATALOG = (
    "classes"  # that categories name (viral.enrich.protocol.for_catalog): nobody has set them, and they may grow
)


def _given(parameters: Mapping[str, object]) -> str:
    """What somebody could set of a describer's parameters."""
    given = {name: value for name, value in parameters.items() if name != OF_CATALOG}
    return json.dumps(given, sort_keys=True, ensure_ascii=False)


def _check_settings(ledger: Ledger, describer: Describer, prompt: Prompt) -> None:
    """Raise ``NoDescriber`` where all that was answered so far was asked for with other settings, or other words."""
    rows = (row for row in ledger.rows(describer.name, prompt.name) if row.status == "done")
    settings = {row.key: _given(json.loads(row.key.parameters)) for row in rows}
    known = {(words, key.prompt_sha256) for key, words in settings.items() if key.revision == describer.revision}
    mine = _given(describer.parameters)
    if not known or (mine, prompt.sha256) in known:
        return
    then, words = min(known)
    before, now = json.loads(then), json.loads(mine)
    other = [key for key in before | now if before.get(key) != now.get(key)]
    told = [f"{key} = {before.get(key)}, here {now.get(key)}" for key in other]
    told += ["the prompt's words"] if words != prompt.sha256 else []
    what = f"the run's items were described by {describer.name} with other settings: {'; '.join(told)}"
    raise NoDescriber(what, hint="give those: --set KEY=VALUE")
