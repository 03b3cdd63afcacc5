"""The retriever: everything that is asked of a bundle by raw ids. Shapes: I items, D the width of a vector."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from viral.base.errors import UsageError
from viral.base.progress import say
from viral.data.pictures import read_bytes
from viral.models.scorers import UserProfile
from viral.run.bundle import Bundle
from viral.run.retrieval.approximate import Approximate
from viral.run.retrieval.describer import NOTHING_GIVEN, Given
from viral.run.retrieval.encoding import Encoders, OnStep, unheard
from viral.run.retrieval.filters import Filters, Masks
from viral.run.retrieval.fold_in import FoldIn
from viral.run.retrieval.new_items import ColdItem, embed, way_of
from viral.run.retrieval.order import asked_of, top
from viral.run.retrieval.popular import MostTaken
from viral.run.retrieval.ranking import NO_FILTERS, NO_RULES, Ask, Ranked, check_count, plain, ruled, told
from viral.run.retrieval.results import Fan, Recommendation, Similar
from viral.run.retrieval.ruled import Ruling
from viral.run.retrieval.rules import Rules
from viral.run.retrieval.scan import Scan
from viral.run.retrieval.similarity import FUSED, Tables, missing
from viral.run.retrieval.visit import visiting


class Retriever:
    """Ranks items for users, newcomers and items.

    Exact, unless the bundle has more than ``approximate_above`` items: then faiss (extra ``ann``) finds candidates that
    are scored exactly, and ``recall`` says how many of the best 20 it finds. Asked with filters, it is exact in any
    case.
    """

    def __init__(
        self, bundle: Bundle, *, approximate_above: int | None = None, describer: Given = NOTHING_GIVEN
    ) -> None:
        self.bundle = bundle
        self.encoders = Encoders(bundle.material, given=describer)
        self._offsets, self._items = bundle.seen.rows()
        self._index: Approximate | None = None
        self._tables, self._masks = Tables(bundle), Masks(bundle)
        self._vectors = bundle.scorer.vectors
        self._ruling: tuple[Rules, Ruling] | None = None
        many = approximate_above is not None and len(bundle.items) > approximate_above
        if many and self._vectors is not None:
            self._index = Approximate(self._vectors.items, self._vectors.users)
            say(f"approximate search over {len(bundle.items):,} items: recall@20 {self._index.recall:.3f}")

    @classmethod
    def load(
        cls, run: Path | str, *, approximate_above: int | None = None, describer: Given = NOTHING_GIVEN
    ) -> "Retriever":
        """From a run's folder, or from a bundle's; ``describer`` is needed where that of the items takes settings."""
        run = Path(run)
        bundle = Bundle.load(run / "bundle" if (run / "bundle").is_dir() else run)
        return cls(bundle, approximate_above=approximate_above, describer=describer)

    @property
    def recall(self) -> float:
        """The share of the exact best 20 that is found: 1 unless the search is approximate."""
        return 1.0 if self._index is None else self._index.recall

    def recommend(
        self, user_id: str, k: int = 10, *, exclude_seen: bool = True, filters: Filters = NO_FILTERS,
        diversity: float = 0.0,
    ) -> list[Recommendation]:  # fmt: skip
        """The k best items for a user, best first; what the user took in training is left out unless asked for.

        ``diversity`` from 0 to 1 trades score for variety (MMR). Raises ``UnknownIdError`` for a user the bundle does
        not know, ``UsageError`` for k < 1.
        """
        return self.rank(self.taste(user_id), k, exclude_seen=exclude_seen, filters=filters, diversity=diversity)

    def recommend_for(
        self, item_ids: Sequence[str], k: int = 10, *, exclude_seen: bool = True, filters: Filters = NO_FILTERS,
        diversity: float = 0.0,
    ) -> list[Recommendation]:  # fmt: skip
        """The k best items for somebody who took these items (:mod:`viral.run.retrieval.fold_in`)."""
        return self.rank(self.newcomer(item_ids), k, exclude_seen=exclude_seen, filters=filters, diversity=diversity)

    def taste(self, user_id: str) -> UserProfile:
        """A user's side of a score."""
        user = self.bundle.users.index(user_id)
        seen = self._items[self._offsets[user] : self._offsets[user + 1]]
        return self.bundle.scorer.profile(user, seen)

    def newcomer(self, item_ids: Sequence[str]) -> UserProfile:
        """The side of somebody who took these items; raises ``UnknownIdError``, and ``UsageError`` for none."""
        if not item_ids or isinstance(item_ids, str):
            raise UsageError("no items to go by", hint="name at least one item that was taken, in a list")
        taken = self.bundle.items.indices(item_ids).unique()
        vector = torch.empty(0) if self._vectors is None else self.fold_in.vector(taken)
        return self.bundle.scorer.fold_in(taken, vector)

    def visitor(self, user_id: str, item_ids: Sequence[str]) -> UserProfile:
        """The side of a user who has just looked at these items (:mod:`viral.run.retrieval.visit`)."""
        known, looked_at = self.taste(user_id), self.bundle.items.indices(item_ids).unique()
        return visiting(self.bundle.scorer, known, looked_at, self.rule)

    @cached_property
    def degrees(self) -> Tensor:
        """How many users took each item in training: (I,) int64."""
        return self.bundle.seen.item_degrees()

    @property
    def rule(self) -> FoldIn | None:
        """The rule for newcomers; None for a model of item-item weights alone, which needs none."""
        return None if self._vectors is None else self.fold_in

    @cached_property
    def fold_in(self) -> FoldIn:
        """The rule that makes a user's vector of items, learnt from the bundle at its first use."""
        return FoldIn.of(self.bundle)

    @cached_property
    def scan(self) -> Scan | None:
        """A quicker way to the same best items, where the bundle's vectors have one."""
        return None if self._vectors is None else Scan.of(self._vectors.items)

    def rank(
        self, taste: UserProfile, k: int, *, offset: int = 0, exclude_seen: bool = True, filters: Filters = NO_FILTERS,
        diversity: float = 0.0, rules: Rules = NO_RULES,
    ) -> list[Recommendation]:  # fmt: skip
        """The k best items for a taste behind the first ``offset``, in an order that is the same for every part."""
        ask = Ask(k=k, offset=offset, filters=filters, diversity=diversity, rules=rules)
        hidden = taste.seen if exclude_seen else taste.seen[:0]
        if rules:
            ranked = self._ruled(taste.scores(), hidden, ask, self.ruling(rules))
        else:
            ranked = plain(lambda count: self._best(taste, count, hidden, filters), self._rows, ask)
        return told(ranked, taste.splits(ranked.items), self.bundle, offset)

    def popular(
        self, k: int, *, offset: int = 0, filters: Filters = NO_FILTERS, rules: Rules = NO_RULES,
        counts: Tensor | None = None,
    ) -> list[Recommendation]:  # fmt: skip
        """The items that most users took in training, or by other ``counts`` (I,): what fits somebody unknown."""
        ask = Ask(k=k, offset=offset, filters=filters, rules=rules)
        taken = MostTaken.of(self.degrees, counts)
        alone = replace(self.ruling(rules), penalty=None)  # the popular ones are what is asked for
        ranked = self._ruled(taken.levels.clone(), torch.zeros(0, dtype=torch.int64), ask, alone)
        return told(taken.counted(ranked), taken.parts(ranked.items), self.bundle, offset)

    def ruling(self, rules: Rules) -> Ruling:
        """The rules as they are for the bundle's items, remembered for the rules that were used last."""
        known = self._ruling
        if known is None or known[0] is not rules:
            self._ruling = known = rules, Ruling.of(rules, self.bundle)
        return known[1]

    def _ruled(self, scores: Tensor, hidden: Tensor, ask: Ask, ruling: Ruling) -> Ranked:
        return ruled(scores, self._masks.of(ask.filters), hidden, self._rows, ask, ruling, self.bundle)

    def _rows(self, items: Tensor) -> Tensor:
        return self.bundle.scorer.item_vectors[items]

    def _best(self, taste: UserProfile, count: int, hidden: Tensor, filters: Filters) -> tuple[Tensor, Tensor]:
        """Indices and scores of the best items, at most ``count``."""
        blocked, asked = self._masks.of(filters), filters.predicate is not None
        if self._index is not None and blocked is None and not asked:
            best = self._index.best(taste, count, hidden)
            if best is not None:
                return best
        elif self.scan is not None and not asked:
            return self.scan.best(taste.vector, count, blocked, hidden, taste.summed())
        scores = taste.scores()
        if blocked is not None:
            scores.masked_fill_(blocked, -torch.inf)
        scores[hidden] = -torch.inf
        return asked_of(scores, count, filters.predicate, self.bundle.items.ids)

    def similar(self, item_id: str, k: int = 10, *, by: str = FUSED, filters: Filters = NO_FILTERS) -> list[Similar]:
        """The k items most like one, by cosine: of the model's vectors (``fused``) or of a modality's features.

        Items without features of that modality are not ranked; ``DataError`` where the item itself has none,
        ``UsageError`` for a modality that the bundle does not keep.
        """
        item = self.bundle.items.index(item_id)
        cosines = self._tables.cosines(self._tables.vector(item, by), by)
        cosines[item] = -torch.inf
        return self._similar(cosines, k, filters)

    def like(self, item: ColdItem, k: int = 10, *, by: str = FUSED, filters: Filters = NO_FILTERS) -> list[Similar]:
        """The k known items most like a new one, as :meth:`similar`."""
        vector = item.vector if by == FUSED else item.features.get(by)
        if vector is None:
            raise missing(repr(item.title), by)
        return self._similar(self._tables.cosines(vector, by), k, filters)

    def _similar(self, cosines: Tensor, k: int, filters: Filters) -> list[Similar]:
        check_count(k)
        blocked = self._masks.of(filters)
        if blocked is not None:
            cosines.masked_fill_(blocked, -torch.inf)
        ids, titles = self.bundle.items.ids, self.bundle.titles
        found, values = asked_of(cosines, k, filters.predicate, ids)
        pairs = enumerate(zip(found.tolist(), values.tolist(), strict=True), start=1)
        return [Similar(ids[i], titles[i], rank, value) for rank, (i, value) in pairs]

    def cold(
        self, title: str, picture: bytes | Path | None = None, *, text: str = "", on_step: OnStep = unheard
    ) -> ColdItem:
        """Describe, encode and embed an item that the model never saw (:mod:`viral.run.retrieval.new_items`).

        ``picture`` is a file or its bytes; ``text`` the catalogue's further words; ``on_step`` hears of each of
        ``STEPS`` as it begins. Raises ``DataError`` where the
        picture cannot be read or nothing can be encoded as the bundle's items were.
        """
        data = read_bytes(picture) if isinstance(picture, Path) else picture
        features, description = self.encoders.encode(title, data, text, on_step)
        on_step("place")
        rows = {name: values[None] for name, values in features.items()}
        present = {name: torch.ones(1, dtype=torch.bool) for name in rows}
        vector = embed(self.bundle, rows, present)[0]
        return ColdItem(title, description, features, vector, way_of(self.bundle))

    def fans(self, item: str | ColdItem, k: int = 10) -> list[Fan]:
        """The k users who would want an item most, without those who took it."""
        check_count(k)
        if isinstance(item, str):
            index = self.bundle.items.index(item)
            scores = self.bundle.scorer.interest(self.bundle.scorer.item_vectors[index], index)
            scores[self.bundle.seen.users[self.bundle.seen.items == index]] = -torch.inf
        else:
            scores = self.bundle.scorer.interest(item.vector)
        found, values = top(scores, k)
        pairs = enumerate(zip(found.tolist(), values.tolist(), strict=True), start=1)
        return [Fan(self.bundle.users.ids[user], rank, value) for rank, (user, value) in pairs]

    def history(self, user_id: str) -> list[tuple[str, str]]:
        """What the user took in training: (item id, title)."""
        ids, titles = self.bundle.items.ids, self.bundle.titles
        return [(ids[item], titles[item]) for item in self.taste(user_id).seen.tolist()]
