"""What one answer is made from: a bundle, its data set if there is one, and what is looked up in them."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import torch

from viral.apps.serve.bundle_copies import BundleCopies
from viral.apps.serve.settings import Settings
from viral.base.errors import DataError, UnknownIdError
from viral.base.files import sha256_file
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.run.bundle import MANIFEST_FILE, Bundle
from viral.run.explain.information import load as load_information
from viral.run.pipeline import BUNDLE_FOLDER
from viral.run.retrieval import Retriever
from viral.run.retrieval.fold_in import FoldIn
from viral.run.summary import RUN_FILE, read_summary

T = TypeVar("T")


class ItemView(NamedTuple):
    """What is shown of an item of the bundle."""

    id: str
    title: str
    text: str
    category: str  # "" is unknown
    description: str  # as the bundle's features encode it; "" is unknown
    image: Path | None  # a file of the data set


class OfFiles(Generic[T]):
    """What is made of files, kept as long as their stamp is the same; a subclass says of which (``Snapshot.kept``)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[object, T] | None = None

    def of(self, stamp: object, make: Callable[[], T]) -> T:
        """What ``make`` makes, made by one thread, and only where the stamp is another."""
        with self._lock:
            if self._kept is None or self._kept[0] != stamp:
                self._kept = (stamp, make())
            return self._kept[1]

    def known(self, stamp: object) -> T | None:
        """What was made, if the files are still those that it was made of."""
        return self._kept[1] if self._kept is not None and self._kept[0] == stamp else None


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One loaded bundle; never changed, so that a request which holds it can go on with it after a reload."""

    retriever: Retriever
    dataset: Dataset | None
    catalog: Catalog | None
    etag: str  # of the bundle's manifest
    loaded: float  # seconds since 1970
    without: str = ""  # why there is no data set
    information: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # bits by item id and part
    categories: Mapping[str, int] = field(default_factory=dict)  # how many items are in each, the largest first
    haystacks: tuple[str, ...] = ()  # by item: title and text on two lines, to be searched in
    aside: dict[type, Any] = field(default_factory=dict)  # see ``kept``

    def kept(self, kind: type[T], *given: Any) -> T:
        """What is computed of this snapshot little by little: one of a kind, which is gone with the snapshot.

        It must not refer to the snapshot: a loaded one is frozen, and the collector never opens a circle with it.
        """
        found: T = self.aside.setdefault(kind, kind(*given))
        return found

    @property
    def bundle(self) -> Bundle:
        return self.retriever.bundle

    @property
    def fold_in(self) -> FoldIn | None:
        """The rule that folds new users in; None for a model of item-item weights alone, which needs none."""
        return self.retriever.fold_in

    def of_catalogue(self, name: str, item_id: str) -> str | None:
        """What the bundle keeps of the catalogue of an item; None where it is unknown."""
        column = self.bundle.material.columns.get(name)
        return None if column is None else column[self.bundle.items.index(item_id)] or None

    def known_user(self, user_id: str) -> str:
        """The id; ``UnknownIdError`` where the bundle does not know it."""
        if user_id not in self.bundle.users:
            raise unknown_id("user", user_id)
        return user_id

    def known_item(self, item_id: str) -> str:
        """The id; ``UnknownIdError`` where the bundle does not know it."""
        if item_id not in self.bundle.items:
            raise unknown_id("item", item_id)
        return item_id

    def item(self, item_id: str) -> ItemView:
        """An item of the bundle, as it was trained on; its picture is the data set's."""
        return self.item_at(self.bundle.items.index(self.known_item(item_id)))

    def item_at(self, index: int) -> ItemView:
        """The item with this index."""
        return item_view(self.bundle, self.catalog, index)

    def search(self, words: str, category: str | None = None) -> list[int]:
        """Indices of the items whose title or text has every word, those with all in the title first."""
        wanted = words.casefold().split()[:16]
        of_items = self.bundle.material.columns.get("category", ())
        rows: Iterator[int] = iter(range(len(self.haystacks)))
        if category is not None:
            rows = (row for row, one in enumerate(of_items) if one == category)
        found = [row for row in rows if all(word in self.haystacks[row] for word in wanted)]
        titles = {row: self.haystacks[row].partition("\n")[0] for row in found}
        return sorted(found, key=lambda row: not all(word in titles[row] for word in wanted))


def item_view(bundle: Bundle, catalog: Catalog | None, index: int) -> ItemView:
    """An item of a bundle; from the catalogue what the bundle does not keep."""
    item_id, columns = bundle.items.ids[index], bundle.material.columns
    now = catalog[item_id] if catalog is not None and item_id in catalog else None
    text = columns["text"][index] if "text" in columns else (now.text if now else "")
    category = columns["category"][index] if "category" in columns else (now.category if now else None)
    description = columns["description"][index] if "description" in columns else ""
    return ItemView(item_id, bundle.titles[index], text, category or "", description, now.image if now else None)


def unknown_id(kind: str, external: str) -> UnknownIdError:
    """The error of an id that is not known, without the nearest ones: of many ids they would take seconds."""
    shown = external if len(external) <= 80 else external[:80] + " …"
    return UnknownIdError(f"unknown {kind} {shown!r}", hint="ids are text, compared exactly")


def bundle_folder(run: Path) -> Path:
    """The bundle of a run; the folder itself where it is a bundle."""
    return run / BUNDLE_FOLDER if (run / BUNDLE_FOLDER).is_dir() else run


def load_snapshot(settings: Settings) -> Snapshot:
    """Read and verify everything, and compute once what requests would else compute at their first use.

    Raises ``DataError`` for a bundle that is not whole or does not rank by numbers, and for a data set that was named
    and cannot be read; one that is only known from the run's summary may be gone.
    """
    folder = bundle_folder(settings.run)
    if settings.held is not None:
        folder = BundleCopies(settings.held, settings.run).hold(folder)
    return _snapshot(settings, folder)


def load_last(settings: Settings) -> Snapshot | None:
    """What was served last, for a worker that starts while the disk's bundle cannot be loaded; None: nothing was."""
    last = None if settings.held is None else BundleCopies(settings.held, settings.run).last()
    return None if last is None else _snapshot(settings, last)


def _snapshot(settings: Settings, folder: Path) -> Snapshot:
    bundle = Bundle.load(folder)
    etag = sha256_file(folder / MANIFEST_FILE)[:16]
    if not all(bool(torch.isfinite(table).all()) for table in bundle.scorer.tensors().values()):
        raise DataError("scores are not numbers", where=str(folder), hint="train again")
    dataset, catalog, without = _data(settings)
    texts = bundle.material.columns.get("text", [""] * len(bundle.items))
    pairs = zip(bundle.titles, texts, strict=True)
    haystacks = tuple(f"{' '.join(title.split())}\n{text}".casefold() for title, text in pairs)
    categories = dict(Counter(one for one in bundle.material.columns.get("category", ()) if one).most_common())
    retriever = Retriever(bundle, approximate_above=settings.approximate_above, describer=settings.describer)
    if len(bundle.items) and len(bundle.users):
        retriever.recommend_for(bundle.items.ids[:1], 1)  # learns the rule that folds new users in
        retriever.similar(bundle.items.ids[0], 1)
        retriever.popular(1)
    information = load_information(settings.run)
    return Snapshot(retriever, dataset, catalog, etag, time.time(), without, information, categories, haystacks)


def _data(settings: Settings) -> tuple[Dataset | None, Catalog | None, str]:
    """The data set with its catalogue, or why there is none."""
    if settings.dataset is not None:
        dataset = Dataset.open(settings.dataset)
        return dataset, dataset.catalog(), ""
    named = read_summary(settings.run).get("dataset") if (settings.run / RUN_FILE).is_file() else None
    if not named:
        return None, None, "the run names no data set"
    try:
        dataset = Dataset.open(Path(named))
        return dataset, dataset.catalog(), ""
    except DataError as error:
        return None, None, f"the data set of the run cannot be read: {error.what}"
