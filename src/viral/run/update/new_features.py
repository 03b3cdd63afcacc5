"""Features of what is new in a data set, made as the run's were: by the same describer, prompt, settings and encoders.

Another describer would not mix with the old one's words: the ledger knows its answers by all of these, and every item
would be asked for again. That may be dear, and is done only where it is asked for (``FeatureMakers.anew``).
"""

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.data.dataset import MANIFEST_FILE, Dataset
from viral.data.descriptions import DESCRIPTIONS_FOLDER, IMPORTED, overlaid
from viral.data.edits import EDITS_FILE, HUMAN
from viral.data.features import FloatArray
from viral.data.fetch import FETCHED, Fetcher
from viral.data.modalities import MODALITIES, Modality
from viral.encode import Encoder, SentenceEncoder, VisionEncoder, encode_dataset
from viral.encode.encoders import encoder_of, makes
from viral.encode.feature_tables import CACHE_FILE, PICTURES_CACHE
from viral.encode.vision import EfficientNetLite
from viral.enrich import (
    LEDGER_FILE,
    Answer,
    Describer,
    Description,
    Descriptions,
    EnrichOptions,
    Ledger,
    Picture,
    Prompt,
    enrich,
    load_edits,
    load_prompt,
    save_descriptions,
)
from viral.enrich.import_descriptions import imported_sets
from viral.enrich.protocol import for_catalog
from viral.run.bundle_extras import DescriptionSource, Material, described_by
from viral.run.retrieval.describer import (
    NO_DESCRIBER_OPTIONS,
    DescriberOptions,
    NoDescriber,
    check_revision,
    describer_of,
)
from viral.run.summary import RUN_FILE, read_summary

if TYPE_CHECKING:
    from PIL.Image import Image

FEATURES = "features"
ANEW = "or have all items described anew, by whichever describer is named: viral update … --describe-anew"


@dataclass
class FeatureMakers:
    """Who describes and encodes; by default those that made the run's features, with these ``options``."""

    describer: Describer | None = None
    prompt: Prompt | None = None
    words: Encoder | None = None
    vision: VisionEncoder | None = None
    options: DescriberOptions = NO_DESCRIBER_OPTIONS
    modalities: tuple[Modality, ...] = ()  # rows of yours beside those of the table
    anew: bool = False  # describe all items, by whatever describer, prompt and settings are given


class Counting:
    """A describer or an encoder; ``count`` pictures or texts went through it."""

    name: str
    revision: str
    parameters: dict[str, object]
    batch_size: int
    in_flight: int
    for_categories = None  # it is adapted to the whole catalogue already, and stays so for a part of it

    def __init__(self, worker: Any) -> None:
        self._worker, self.count, self._lock = worker, 0, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._worker, name)

    def _counted(self, work: Callable[..., Any], inputs: Sequence[Any], *more: Any) -> Any:
        with self._lock:
            self.count += len(inputs)
        return work(inputs, *more)

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[Answer | Exception]:
        answers: list[Answer | Exception] = self._counted(self._worker.describe, pictures, prompt)
        return answers

    def encode(self, texts: Sequence[str]) -> FloatArray:
        vectors: FloatArray = self._counted(self._worker.encode, texts)
        return vectors

    def features(self, pictures: "Sequence[Image]") -> FloatArray:
        vectors: FloatArray = self._counted(self._worker.features, pictures)
        return vectors

    def stop(self) -> None:
        """End its waiting, if it is one that waits and tries again."""
        stop = getattr(self._worker, "stop", None)
        if callable(stop):
            stop()


def dataset_of(run: Path) -> Path | None:
    """The data set that the run was trained on, as far as it is known."""
    named = read_summary(run).get("dataset") if (run / RUN_FILE).is_file() else None
    return Path(named) if named else None


def bring_caches(old: Path | None, new: Path) -> None:
    """Copy the ledger, the caches of vectors and what came from humans or files to a new data set that has none."""
    if old is None or not old.is_dir() or old.resolve() == new.resolve():
        return
    for name in (Path(LEDGER_FILE), FEATURES / CACHE_FILE, FEATURES / PICTURES_CACHE):
        if (old / name).is_file() and not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(old / name)) as source, closing(sqlite3.connect(new / name)) as target:
                source.backup(target)
    for one in imported_sets(Dataset.open(old)) if (old / MANIFEST_FILE).is_file() else ():
        if not (new / DESCRIPTIONS_FOLDER / one.file_name).exists():
            save_descriptions(one, new)
    if (old / EDITS_FILE).is_file() and not (new / EDITS_FILE).exists():
        (new / EDITS_FILE).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(old / EDITS_FILE, new / EDITS_FILE)


def refresh(dataset: Dataset, material: Material, makers: FeatureMakers) -> dict[str, int]:
    """Describe and encode what is not known yet, as the material was; how many pictures and texts that were.

    Modalities that came with the old data set by another encoder are those of the new one as they are.
    """
    words = Counting(makers.words or SentenceEncoder())
    vision = Counting(makers.vision or EfficientNetLite())
    described, descriptions, asked = material.described, None, 0
    if described is not None and described.encoder == words.name:
        descriptions, asked = describe(dataset, described, makers)
    chosen = [one for one in (*MODALITIES.values(), *makers.modalities) if one.name in material.encoders]
    modalities = [one for one in chosen if _made_here(one, material, words, vision, descriptions is not None)]
    if modalities:
        encode_dataset(dataset, descriptions=descriptions, encoder=words, vision=vision, modalities=modalities)
    return {"described": asked, "texts": words.count, "pictures": vision.count}


def _made_here(modality: Modality, material: Material, words: Encoder, vision: VisionEncoder, describes: bool) -> bool:
    """Whether the material's table of a modality was made by the encoder, and of the descriptions, that are here."""
    made = material.encoders[modality.name]
    if modality.of_descriptions:
        return describes and described_by(made) == material.described
    return makes(modality, encoder_of(modality, words, vision), made)


def describe(dataset: Dataset, made: DescriptionSource, makers: FeatureMakers) -> tuple[Descriptions, int]:
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
        counting = Counting(for_catalog(describer, dataset.catalog()))
        options = EnrichOptions(locked=edits, fetcher=Fetcher(dataset.path / FETCHED))
        descriptions = enrich(dataset.catalog(), counting, prompt, ledger, options=options)
    save_descriptions(descriptions, dataset.path)
    return replace(descriptions, rows=overlaid(descriptions.rows, edits)), counting.count


def _from_file(dataset: Dataset, made: DescriptionSource, edits: Mapping[str, str]) -> Descriptions:
    """The words that came from a file; items that it does not describe are encoded by their titles."""
    sets = (one for one in imported_sets(dataset, made.describer) if one.prompt == made.prompt)
    there = next(sets, None)
    if there is None:
        what = f"the run's items were described by {made.describer} with prompt {made.prompt}, out of a file"
        words = f"--set file=WORDS.csv --set describer={made.describer} --set prompt={made.prompt}"
        hint = f"take it in: viral enrich {dataset.path} --describer import {words}; {ANEW}"
        raise NoDescriber(what, where=str(dataset.path), hint=hint)
    return replace(there, rows=overlaid(there.rows, edits))


def _who(made: DescriptionSource, makers: FeatureMakers) -> tuple[Describer, Prompt]:
    options = makers.options
    if makers.anew:
        describer = makers.describer or options.describer_for(options.describer or made.describer)
        return describer, makers.prompt or load_prompt(options.prompt or made.prompt)
    if makers.describer is not None:
        check_revision(makers.describer, made)
        return makers.describer, makers.prompt or options.prompt_for(made.prompt)
    describer, prompt = describer_of(made, options)
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
    changed = [f"{key} = {before.get(key)}, here {now.get(key)}" for key in other]
    changed += ["the prompt's words"] if words != prompt.sha256 else []
    what = f"the run's items were described by {describer.name} with other settings: {'; '.join(changed)}"
    raise NoDescriber(what, hint="give those: --set KEY=VALUE")
