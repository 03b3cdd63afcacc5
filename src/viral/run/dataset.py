"""A data set with the verbs that prepare it for training, as the command line has them: enrich, encode, doctor."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.base.setting_words import words_of
from viral.data import dataset as folders

if TYPE_CHECKING:
    from viral.data.descriptions import Descriptions
    from viral.data.doctor import DoctorReport
    from viral.data.features import FeatureTable
    from viral.data.modalities import Modality
    from viral.enrich.import_descriptions import Imported


@dataclass(frozen=True, slots=True)
class Dataset(folders.Dataset):
    """An opened data set folder that can be described, encoded and examined.

    Every verb does what the one of the command line does, in the same folder: what is finished is not done again, and
    one that was stopped goes on.
    """

    def enrich(self, describer: str = "pixel", prompt: str = "title", **wishes: Any) -> "Descriptions":
        """Describe every picture in words; the descriptions, with what was written by hand in its place.

        ``wishes`` are ``ledger``, ``max_attempts``, ``retry_failed``, ``fetch`` and ``fetch_private`` of
        :func:`describe_pictures`; all others are settings of the describer, such as ``url`` and ``model`` of openai.
        """
        options = {name: wishes.pop(name) for name in _OPTIONS if name in wishes}
        return describe_pictures(self, describer, prompt, words_of(wishes), **options)

    def import_descriptions(self, file: Path | str, *, ledger: Path | None = None, **wishes: Any) -> "Imported":
        """Take in descriptions that were made elsewhere; ``wishes`` are ``describer``, ``prompt`` and columns."""
        from viral.base.recipe import build
        from viral.enrich import LEDGER_FILE, Ledger
        from viral.enrich.import_descriptions import ImportConfig, import_words

        config = build(ImportConfig, {"file": str(file), **wishes}, where="import_descriptions")
        with Ledger(ledger or self.path / LEDGER_FILE) as book:
            return import_words(self, config, book)

    def encode(
        self, *modalities: "str | Modality", describer: str | None = None, prompt: str | None = None
    ) -> "dict[str, FeatureTable]":
        """Turn titles, texts, descriptions and pictures into feature tables; all there are where none is named.

        ``describer`` and ``prompt`` choose among several sets of descriptions.
        """
        from viral.data.modalities import modalities_of
        from viral.encode import encode_dataset
        from viral.enrich import load_descriptions

        chosen = modalities_of(modalities)
        wanted = not chosen or any(one.of_descriptions for one in chosen)
        descriptions = load_descriptions(self, describer, prompt) if wanted else None
        return encode_dataset(self, descriptions=descriptions, modalities=chosen or None)

    def doctor(self) -> "DoctorReport":
        """What is wrong or missing, row by row; ``report.trainable`` says whether it can be trained on."""
        from viral.data.doctor import examine

        return examine(self)


_OPTIONS = ("ledger", "max_attempts", "retry_failed", "fetch", "fetch_private")


def describe_pictures(
    dataset: folders.Dataset,
    describer: str,
    prompt: str,
    settings: Sequence[str] = (),
    *,
    ledger: Path | None = None,
    max_attempts: int = 3,
    retry_failed: bool = False,
    fetch: bool = True,
    fetch_private: bool = False,
) -> "Descriptions":
    """Describe every picture of a data set and keep the descriptions in it; a human's stand in the place of others.

    ``settings`` are words ``KEY=VALUE`` of the describer's configuration; ``ledger`` is where answers are kept, else
    beside the data; with ``fetch`` pictures that are only named by URL are fetched, with ``fetch_private`` from
    addresses of one's own network, too.
    """
    from viral.data.descriptions import overlaid
    from viral.data.fetch import FETCHED, FetchConfig, Fetcher
    from viral.enrich import LEDGER_FILE, EnrichOptions, Ledger, describer_named, enrich, load_edits, load_prompt
    from viral.enrich import save_descriptions as save

    fetcher = Fetcher(dataset.path / FETCHED, FetchConfig(allow_private=fetch_private)) if fetch else None
    by_hand = load_edits(dataset)
    options = EnrichOptions(max_attempts=max_attempts, retry_failed=retry_failed, locked=by_hand, fetcher=fetcher)
    chosen, asked = describer_named(describer, settings), load_prompt(prompt)
    with Ledger(ledger or dataset.path / LEDGER_FILE) as book:
        descriptions = enrich(dataset.catalog(), chosen, asked, book, options=options)
    save(descriptions, dataset.path)
    return replace(descriptions, rows=overlaid(descriptions.rows, by_hand))


def as_dataset(dataset: folders.Dataset | Path | str) -> folders.Dataset:
    """A data set, or the one of a folder."""
    return dataset if isinstance(dataset, folders.Dataset) else Dataset.open(dataset)
