"""A run: a trained model on disk, and everything that can be asked of it. ``viral.train`` makes one."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from viral.base.errors import UsageError
from viral.base.recipe import Recipe
from viral.base.setting_words import words_of
from viral.data.dataset import Dataset
from viral.data.modalities import Modality
from viral.run.bundle import Bundle
from viral.run.dataset import as_dataset
from viral.run.explain.explanation import Explanation, explain
from viral.run.explain.information import load as load_information
from viral.run.explain.sentence import because
from viral.run.frames import listed, ranked
from viral.run.identity import RECIPE_FILE
from viral.run.pipeline import BUNDLE_FOLDER, evaluate_run
from viral.run.retrieval.describer import NO_DESCRIBER_OPTIONS, DescriberOptions
from viral.run.retrieval.filters import Filters
from viral.run.retrieval.new_items import ColdItem
from viral.run.retrieval.ranking import NO_FILTERS, NO_RULES
from viral.run.retrieval.retriever import Retriever
from viral.run.retrieval.rules import Rules
from viral.run.summary import read_summary

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class NewItem:
    """An item that the model never saw, described, encoded and embedded as those of the run; nothing is trained."""

    id: str
    cold: ColdItem

    @property
    def title(self) -> str:
        return self.cold.title

    @property
    def description(self) -> str:
        """What the describer said of its picture; empty without one."""
        return self.cold.description

    @property
    def features(self) -> "Mapping[str, Tensor]":
        """Vectors by modality, of those that could be encoded."""
        return self.cold.features

    @property
    def vector(self) -> "Tensor":
        """The item's side of a score, (D,)."""
        return self.cold.vector


@dataclass(frozen=True)
class Run:
    """A finished run in a folder: what was measured of it, and recommendations from it, without the data set.

    Tables come as polars frames. A recommendation's score is the sum of its columns ``score_<part>``.
    """

    path: Path
    approximate_above: int | None = None  # items, from which on faiss searches (extra ``ann``)
    describer: DescriberOptions = field(default=NO_DESCRIBER_OPTIONS, repr=False)
    modalities: tuple[Modality, ...] = ()  # rows of yours, for new items

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        approximate_above: int | None = None,
        describer: str | None = None,
        prompt: str | None = None,
        modalities: Iterable[Modality] = (),
        **settings: Any,
    ) -> "Run":
        """Open what ``viral.train`` or ``viral train`` left; raises ``DataError`` where no finished run is.

        ``describer``, its ``settings`` and ``prompt`` say how to ask the describer of the run's items, for new ones;
        ``modalities`` are rows of yours that the items' features were made by (docs/add-a-modality.md).
        """
        run = cls(
            Path(path),
            approximate_above,
            DescriberOptions(describer, tuple(words_of(settings)), prompt),
            tuple(modalities),
        )
        _ = run.summary
        return run

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What ``run.json`` says: metrics under both protocols, epochs, seconds, memory, what was read."""
        return read_summary(self.path)

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics of the test set, such as ``recall@20``; a run for production has none."""
        return dict(self.summary["metrics"])

    @cached_property
    def recipe(self) -> Recipe:
        """Everything that determined the training."""
        return Recipe.read(self.path / RECIPE_FILE)

    @property
    def bundle(self) -> Bundle:
        """The model as it is stored: vectors, ids, titles, training interactions, features."""
        return self.retriever.bundle

    @cached_property
    def retriever(self) -> Retriever:
        """What answers one question at a time, with everything that can be asked of it."""
        bundle = Bundle.load(self.path / BUNDLE_FOLDER)
        options: dict[str, Any] = {"describer": self.describer, "modalities": self.modalities}
        return Retriever(bundle, approximate_above=self.approximate_above, **options)

    def recommend(
        self,
        users: str | Iterable[str],
        k: int = 10,
        *,
        unknown: Literal["error", "leave"] = "error",
        seen: bool = False,
        filters: Filters = NO_FILTERS,
        diversity: float = 0.0,
        rules: Rules = NO_RULES,
    ) -> "pl.DataFrame":
        """The k best items of each user: user_id, rank, item_id, title, score and its parts.

        Users whom the run does not know are an ``UnknownIdError``, or left out. Items of the user's history are not
        recommended unless ``seen``. ``diversity`` from 0 to 1 trades score for variety.
        """
        if unknown not in ("error", "leave"):
            raise UsageError(f"unknown={unknown!r} is neither 'error' nor 'leave'")
        known = self.bundle.users
        asked = [one for one in ([users] if isinstance(users, str) else users) if unknown == "error" or one in known]
        options: dict[str, Any] = {"exclude_seen": not seen, "filters": filters, "diversity": diversity, "rules": rules}
        ask, profile = self.retriever.rank, self.retriever.profile
        return ranked((({"user_id": one}, ask(profile(one), k, **options)) for one in asked), "user_id")

    def recommend_for(
        self,
        items: Sequence[str],
        k: int = 10,
        *,
        seen: bool = False,
        filters: Filters = NO_FILTERS,
        diversity: float = 0.0,
        rules: Rules = NO_RULES,
    ) -> "pl.DataFrame":
        """The k best items for a new user with these items as history: rank, item_id, title, score and its parts."""
        options: dict[str, Any] = {"exclude_seen": not seen, "filters": filters, "diversity": diversity, "rules": rules}
        return ranked([({}, self.retriever.rank(self.retriever.new_user(items), k, **options))])

    def popular(self, k: int = 10, *, filters: Filters = NO_FILTERS, rules: Rules = NO_RULES) -> "pl.DataFrame":
        """The items with most interactions, for users of whom nothing is known: the score is how many they are."""
        found = self.retriever.popular(k, filters=filters, rules=rules)
        return listed(found, "rank", "item_id", "title", "score")

    def history(self, user: str) -> "pl.DataFrame":
        """The user's training interactions: item_id, title."""
        import polars as pl

        return pl.DataFrame(self.retriever.history(user), {"item_id": pl.String, "title": pl.String}, orient="row")

    def explain(self, user: str, item: str) -> Explanation:
        """Why this item for this user: the score taken apart, exactly, and the items of the history behind it."""
        measured = load_information(self.path)
        return explain(self.bundle, user, item, fold_in=self.retriever.fold_in, information=measured)

    def because(self, user: str, item: str) -> str:
        """:meth:`explain` in one sentence."""
        return because(self.explain(user, item), self.bundle)

    def similar(
        self, item: str | NewItem, k: int = 10, *, by: str = "fused", filters: Filters = NO_FILTERS
    ) -> "pl.DataFrame":
        """The k items most like one: rank, item_id, title, similarity. ``by`` is the model's vectors or a modality."""
        found = self.retriever.similar(_known_or_cold(item), k, by=by, filters=filters)
        return listed(found, "rank", "item_id", "title", "similarity")

    def audience(self, item: str | NewItem, k: int = 10) -> "pl.DataFrame":
        """The k users who would want an item most, without those who have it: rank, user_id, score."""
        return listed(self.retriever.audience(_known_or_cold(item), k), "rank", "user_id", "score")

    def add_item(
        self, title: str = "", *, text: str = "", image: Path | str | bytes | None = None, id: str | None = None
    ) -> NewItem:
        """Describe, encode and embed an item that is not in the run: for :meth:`similar` and :meth:`audience`.

        The run stays as it is: :meth:`update` makes the items of a grown data set recommendable.
        """
        picture = Path(image) if isinstance(image, str) else image
        cold = self.retriever.cold(title, picture, text=text)
        if id is not None and id in self.bundle.items:
            raise UsageError(f"item {id!r} is in the run already", hint="leave id away, or choose another")
        digest = hashlib.sha256(f"{title}\n{text}".encode() + cold.vector.numpy().tobytes()).hexdigest()
        return NewItem(id or f"new-{digest[:12]}", cold)

    def evaluate(
        self, split: str = "test", *, dataset: Dataset | Path | str | None = None, **wishes: Any
    ) -> dict[str, Any]:
        """Rank anew and measure ``train``, ``valid`` or ``test`` of the run's data set, or of where that lies now.

        ``wishes`` are those of :func:`viral.run.pipeline.evaluate_run`: ``mask``, ``users``, ``less_popular``.
        """
        place = None if dataset is None else as_dataset(dataset).path
        return evaluate_run(self.path, name=split, dataset=place, **wishes)

    def update(self, dataset: Dataset | Path | str, out: Path | str | None = None, **wishes: Any) -> "Run":
        """Go on from a data set that has changed; the new run is in ``out``, or in the place of this one.

        ``wishes`` are those of :func:`viral.run.update.update`, such as ``epochs``.
        """
        from viral.run.update import FeatureMakers, update

        wishes.setdefault("makers", FeatureMakers(options=self.describer, modalities=self.modalities))
        target = self.path if out is None else Path(out)
        update(self.path, as_dataset(dataset), target, **wishes)
        return Run(target, self.approximate_above, self.describer, self.modalities)

    def export(self, out: Path | str, *, overwrite: bool = False) -> dict[str, Any]:
        """Write vectors as Parquet and an ONNX graph that ranks (extra ``onnx``); what the folder has."""
        from viral.run.export import export

        return export(self.bundle, Path(out), overwrite=overwrite)


def _known_or_cold(item: str | NewItem) -> str | ColdItem:
    return item.cold if isinstance(item, NewItem) else item
