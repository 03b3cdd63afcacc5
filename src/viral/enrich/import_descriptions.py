"""Descriptions as data: words that were made elsewhere, through the ledger into the data set, without any picture."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from viral.base.files import atomic_write
from viral.data.catalog import Catalog, Item
from viral.data.dataset import Dataset, Rejection
from viral.data.descriptions import (
    DESCRIPTIONS_FOLDER,
    IMPORTED,
    Description,
    Descriptions,
    all_descriptions,
    save_descriptions,
)
from viral.enrich.answers import judge
from viral.enrich.attributes import as_text
from viral.enrich.checks import flags
from viral.enrich.describe_batch import ERROR_LIMIT
from viral.enrich.description_file import ImportConfig, WordsFile, read_words
from viral.enrich.ledger import Ledger
from viral.enrich.ledger_rows import Entry, RequestKey
from viral.enrich.prompts import load_prompt, prompt_names
from viral.enrich.protocol import Prompt

REJECTED_FILE = Path(DESCRIPTIONS_FOLDER) / "import.rejected.jsonl"  # of the last file


@dataclass(frozen=True, slots=True)
class ImportedSet:
    """One describer's words by one prompt: the whole set as it is now, and what the file did to it."""

    descriptions: Descriptions
    path: Path
    added: int
    replaced: int
    unchanged: int
    declined: int  # what the checks of answers let through from no describer: refusals, no JSON where that is asked for


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file of words."""

    file: WordsFile
    sets: tuple[ImportedSet, ...]


def import_words(dataset: Dataset, config: ImportConfig, ledger: Ledger) -> Imported:
    """Take the words of a file into the data set, in place of earlier ones by the same describer and prompt.

    What the file says no more stays. Every new text is a row of the ledger with the file's name and SHA-256 in its
    parameters, all of a set in one transaction, and then in ``descriptions/``: a run that was killed is made good by
    the same command. Rows that cannot be used are in ``REJECTED_FILE``. Raises as :func:`read_words`.
    """
    own = load_prompt(config.prompt) if config.prompt.endswith(".txt") and Path(config.prompt).is_file() else None
    catalog = dataset.catalog()
    file = read_words(config if own is None else replace(config, prompt=own.name), catalog.ids)
    sets = []
    for (describer, name), texts in file.said.items():
        prompt = own if own is not None and own.name == name else _prompt(name)
        sets.append(_take(dataset, catalog, _Origin(describer, prompt, file), texts, ledger))
    _keep_rejections(dataset.path / REJECTED_FILE, file.rejections)
    return Imported(file, tuple(sets))


def imported_sets(dataset: Dataset, describer: str | None = None) -> tuple[Descriptions, ...]:
    """The data set's descriptions that came from files, of one describer or of all."""
    return tuple(
        one
        for one in all_descriptions(dataset)
        if one.imported and describer in (None, one.describer.partition("/")[0])
    )


@dataclass(frozen=True, slots=True)
class _Origin:
    """Who said it, by which prompt, and where it stands."""

    describer: str
    prompt: Prompt
    file: WordsFile

    def entry(self, item: Item, text: str) -> Entry:
        verdict = judge(text, self.prompt)
        source = {"file": self.file.path.name, "sha256": self.file.sha256}
        key = RequestKey(
            item_id=item.id,
            image_sha256="",
            rendered_sha256=hashlib.sha256(text.encode("utf-8")).hexdigest(),
            describer=self.describer,
            revision=IMPORTED,
            prompt=self.prompt.name,
            prompt_sha256=self.prompt.sha256,
            parameters=json.dumps(source, sort_keys=True, ensure_ascii=False),
        )
        return Entry(key, verdict.status, verdict.text, verdict.error[:ERROR_LIMIT], attempts=0)

    def row(self, item: Item, entry: Entry | None) -> Description:
        who, name = f"{self.describer}/{IMPORTED}", self.prompt.name
        if entry is None:
            return Description(item.id, "", who, name, "", "pending", f"no words of it in {self.file.path.name}")
        text = as_text(entry.text, self.prompt) if self.prompt.schema and entry.text else entry.text
        title = item.title if self.prompt.uses_title else ""
        found = flags(text, self.prompt, title) if entry.status == "done" else ()
        return Description(item.id, text, who, name, "", entry.status, entry.error, found)


def _take(dataset: Dataset, catalog: Catalog, origin: _Origin, texts: Mapping[str, str], ledger: Ledger) -> ImportedSet:
    there = [one for one in imported_sets(dataset, origin.describer) if one.prompt == origin.prompt.name]
    before = {row.item_id: row for one in there for row in one.rows}
    entries = {item_id: origin.entry(catalog[item_id], text) for item_id, text in texts.items()}
    rows = tuple(_merged(catalog, origin, entries, before))
    now = {row.item_id: row for row in rows}
    said = {one.item_id: one.text for one in before.values() if one.status == "done"}
    done = [item_id for item_id, entry in entries.items() if entry.status == "done"]
    unchanged = {item_id for item_id in done if said.get(item_id) == now[item_id].text}
    known = ledger.known(origin.describer, origin.prompt.name, entries)
    ledger.put(entry for item_id, entry in entries.items() if item_id not in unchanged & known)
    whole = Descriptions(rows, f"{origin.describer}/{IMPORTED}", origin.prompt.name)
    path = save_descriptions(whole, dataset.path)
    replaced = sum(item_id in said and item_id not in unchanged for item_id in done)
    added = len(done) - len(unchanged) - replaced
    return ImportedSet(whole, path, added, replaced, len(unchanged), len(entries) - len(done))


def _merged(
    catalog: Catalog, origin: _Origin, entries: Mapping[str, Entry], before: Mapping[str, Description]
) -> Iterator[Description]:
    """A row per item: the file's, or else the one there was; what declines does not take the place of words."""
    for item in catalog:
        entry, old = entries.get(item.id), before.get(item.id)
        told = entry is not None and (entry.status == "done" or old is None or old.status != "done")
        yield old if old is not None and not told else origin.row(item, entry)


def _prompt(name: str) -> Prompt:
    """The package's prompt of that name, whose checks the words must pass; else one of which nothing is known."""
    return load_prompt(name) if name in prompt_names() else Prompt(name, "", "", language="")


def _keep_rejections(path: Path, rejections: tuple[Rejection, ...]) -> None:
    with atomic_write(path) as temporary:
        lines = (json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in rejections)
        temporary.write_text("".join(lines), encoding="utf-8")
