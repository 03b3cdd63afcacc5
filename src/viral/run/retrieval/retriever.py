"""The retriever: everything that is asked of a bundle by raw ids. Shapes: I items, D the width of a vector."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from viral.base.errors import UsageError
from viral.base.progress import say
from viral.data.modalities import Modality
from viral.data.pictures import read_bytes
from viral.models.scorers import UserProfile
from viral.run.bundle import Bundle
from viral.run.retrieval.approximate_search import ApproximateSearch
from viral.run.retrieval.describer import NO_DESCRIBER_OPTIONS, DescriberOptions
from viral.run.retrieval.exact_search import BoundedSearch, top, top_allowed
from viral.run.retrieval.filters import Filters, Masks
from viral.run.retrieval.fold_in import FoldIn, in_session
from viral.run.retrieval.item_encoders import ItemEncoders, OnStep, unheard
from viral.run.retrieval.new_items import ColdItem, embed, way_of
from viral.run.retrieval.ranking import (
    NO_FILTERS,
    NO_RULES,
    POPULARITY,
    RankedItems,
    RankingRequest,
    check_count,
    popularity_levels,
    rank_by_rules,
    rank_plainly,
    recommendations,
)
from viral.run.retrieval.results import AudienceUser, Recommendation, Similar
from viral.run.retrieval.rules import Rules
from viral.run.retrieval.rules_applied import AppliedRules
from viral.run.retrieval.similarity import FUSED, ItemSimilarity


class Retriever:
    """Ranks items for users, new users and items.

    Exact, unless the bundle has more than ``approximate_above`` items: then faiss (extra ``ann``) finds candidates that
    are scored exactly, and ``recall`` says how many of the best 20 it finds. Asked with filters, it is exact in any
    case. ``modalities`` are rows of yours, by which the features of new items are made, too.
    """

    def __init__(
        self, bundle: Bundle, *, approximate_above: int | None = None,
        describer: DescriberOptions = NO_DESCRIBER_OPTIONS, modalities: Sequence[Modality] = (),
    ) -> None:  # fmt: skip
        self.bundle, self._scorer, self._vectors = bundle, bundle.scorer, bundle.scorer.vectors
        self.encoders = ItemEncoders(bundle.material, options=describer, modalities=modalities)
        self._offsets, self._items = bundle.seen.rows()
        self._approximate: ApproximateSearch | None = None
        self._similarity, self._masks = ItemSimilarity(bundle), Masks(bundle)
        self._last_rules: tuple[Rules, AppliedRules] | None = None
        many = approximate_above is not None and len(bundle.items) > approximate_above
        if many and self._vectors is not None:
            self._approximate = ApproximateSearch(self._vectors.items, self._vectors.users)
            say(f"approximate search over {len(bundle.items):,} items: recall@20 {self.recall:.3f}")

    @classmethod
    def load(
        cls, run: Path | str, *, approximate_above: int | None = None,
        describer: DescriberOptions = NO_DESCRIBER_OPTIONS,
    ) -> "Retriever":  # fmt: skip
        """From a run's folder, or from a bundle's; ``describer`` is needed where that of the items needs settings."""
        run = Path(run)
        bundle = Bundle.load(run / "bundle" if (run / "bundle").is_dir() else run)
        return cls(bundle, approximate_above=approximate_above, describer=describer)

    @property
    def recall(self) -> float:
        """The share of the exact best 20 that is found: 1 unless the search is approximate."""
        return 1.0 if self._approximate is None else self._approximate.recall

    def recommend(
        self, user_id: str, k: int = 10, *, exclude_seen: bool = True, filters: Filters = NO_FILTERS,
        diversity: float = 0.0,
    ) -> list[Recommendation]:  # fmt: skip
        """The k best items for a user, best first; those of the user's history are left out unless asked for.

        ``diversity`` from 0 to 1 trades score for variety (MMR). Raises ``UnknownIdError`` for a user the bundle does
        not know, ``UsageError`` for k < 1.
        """
        return self.rank(self.profile(user_id), k, exclude_seen=exclude_seen, filters=filters, diversity=diversity)

    def recommend_for(
        self, item_ids: Sequence[str], k: int = 10, *, exclude_seen: bool = True, filters: Filters = NO_FILTERS,
        diversity: float = 0.0,
    ) -> list[Recommendation]:  # fmt: skip
        """The k best items for a new user with this history (:mod:`viral.run.retrieval.fold_in`)."""
        return self.rank(self.new_user(item_ids), k, exclude_seen=exclude_seen, filters=filters, diversity=diversity)

    def profile(self, user_id: str) -> UserProfile:
        """A user's side of a score."""
        user = self.bundle.users.index(user_id)
        return self._scorer.profile(user, self._items[self._offsets[user] : self._offsets[user + 1]])

    def new_user(self, item_ids: Sequence[str]) -> UserProfile:
        """The side of a user with this history; raises ``UnknownIdError``, and ``UsageError`` for none."""
        if not item_ids or isinstance(item_ids, str):
            raise UsageError("no items to go by", hint="name at least one item that was chosen, in a list")
        history = self.bundle.items.indices(item_ids).unique()
        return self._scorer.fold_in(history, torch.empty(0) if self.fold_in is None else self.fold_in.vector(history))

    def in_session(self, user_id: str, item_ids: Sequence[str]) -> UserProfile:
        """The side of a user who has just looked at these items (:mod:`viral.run.retrieval.fold_in`)."""
        known, session = self.profile(user_id), self.bundle.items.indices(item_ids).unique()
        return in_session(self._scorer, known, session, self.fold_in)

    @cached_property
    def degrees(self) -> Tensor:
        """How many users interacted with each item in training: (I,) int64."""
        return self.bundle.seen.item_degrees()

    @cached_property
    def fold_in(self) -> FoldIn | None:
        """The rule for new users, learnt from the bundle at its first use; models of item-item weights need none."""
        return None if self._vectors is None else FoldIn.of(self.bundle)

    @cached_property
    def bounded(self) -> BoundedSearch | None:
        """A quicker way to the same best items, where the bundle's vectors have one."""
        return None if self._vectors is None else BoundedSearch.of(self._vectors.items)

    def rank(
        self, profile: UserProfile, k: int, *, offset: int = 0, exclude_seen: bool = True,
        filters: Filters = NO_FILTERS, diversity: float = 0.0, rules: Rules = NO_RULES,
    ) -> list[Recommendation]:  # fmt: skip
        """The k best items for a user behind the first ``offset``, in an order that is the same for every part."""
        request = RankingRequest(k=k, offset=offset, filters=filters, diversity=diversity, rules=rules)
        hidden = profile.seen if exclude_seen else profile.seen[:0]
        if rules:
            ranked = self._by_rules(profile.scores(), hidden, request, self.applied(rules))
        else:
            ranked = rank_plainly(lambda count: self._best(profile, count, hidden, filters), self._rows, request)
        return recommendations(ranked, profile.splits(ranked.items), self.bundle, offset)

    def popular(
        self, k: int, *, offset: int = 0, filters: Filters = NO_FILTERS, rules: Rules = NO_RULES,
        counts: Tensor | None = None,
    ) -> list[Recommendation]:  # fmt: skip
        """The most popular items in training, or by other ``counts`` (I,): what suits a user of whom nothing is known.

        Equal counts are ordered by popularity in training.
        """
        request = RankingRequest(k=k, offset=offset, filters=filters, rules=rules)
        counts = self.degrees if counts is None else counts
        alone = replace(self.applied(rules), penalty=None)  # the popular ones are what is asked for
        hidden = torch.zeros(0, dtype=torch.int64)
        ranked = self._by_rules(popularity_levels(self.degrees, counts), hidden, request, alone)
        shown = counts[ranked.items]
        parts = [{POPULARITY: float(count)} for count in shown.tolist()]
        return recommendations(replace(ranked, scores=shown + ranked.added), parts, self.bundle, offset)

    def applied(self, rules: Rules) -> AppliedRules:
        """The rules as they are for the bundle's items, remembered for the rules that were used last."""
        known = self._last_rules
        if known is None or known[0] is not rules:
            self._last_rules = known = rules, AppliedRules.of(rules, self.bundle)
        return known[1]

    def _by_rules(
        self, scores: Tensor, hidden: Tensor, request: RankingRequest, rules: AppliedRules
    ) -> RankedItems:  # fmt: skip
        return rank_by_rules(
            scores, self._masks.of(request.filters), hidden, self._rows, request, rules, self.bundle
        )  # fmt: skip

    def _rows(self, items: Tensor) -> Tensor:
        return self._scorer.item_vectors[items]

    def _best(self, profile: UserProfile, count: int, hidden: Tensor, filters: Filters) -> tuple[Tensor, Tensor]:
        """Indices and scores of the best items, at most ``count``."""
        blocked, asked = self._masks.of(filters), filters.predicate is not None
        if self._approximate is not None and blocked is None and not asked:
            best = self._approximate.best(profile, count, hidden)
            if best is not None:
                return best
        elif self.bounded is not None and not asked:
            return self.bounded.best(profile.vector, count, blocked, hidden, profile.summed())
        scores = profile.scores()
        if blocked is not None:
            scores.masked_fill_(blocked, -torch.inf)
        scores[hidden] = -torch.inf
        return top_allowed(scores, count, filters.predicate, self.bundle.items.ids)

    def similar(
        self, item: str | ColdItem, k: int = 10, *, by: str = FUSED, filters: Filters = NO_FILTERS
    ) -> list[Similar]:  # fmt: skip
        """The k known items most similar to one, by cosine of the model's vectors (``fused``) or a modality's features.

        ``item`` is an id, or a new item. Items without features of that modality are not ranked; ``DataError`` where
        the item itself has none, ``UsageError`` for a modality that the bundle does not keep.
        """
        if isinstance(item, str):
            index = self.bundle.items.index(item)
            cosines = self._similarity.cosines(self._similarity.vector(index, by), by)
            cosines[index] = -torch.inf
        else:
            cosines = self._similarity.cosines(item.side(by), by)
        check_count(k)
        blocked = self._masks.of(filters)
        if blocked is not None:
            cosines.masked_fill_(blocked, -torch.inf)
        ids, titles = self.bundle.items.ids, self.bundle.titles
        found, values = top_allowed(cosines, k, filters.predicate, ids)
        pairs = enumerate(zip(found.tolist(), values.tolist(), strict=True), start=1)
        return [Similar(ids[i], titles[i], rank, value) for rank, (i, value) in pairs]

    def cold(
        self, title: str, picture: bytes | Path | None = None, *, text: str = "", on_step: OnStep = unheard
    ) -> ColdItem:
        """Describe, encode and embed an item that the model never saw (:mod:`viral.run.retrieval.new_items`).

        ``picture`` is a file or its bytes; ``text`` the catalogue's further words; ``on_step`` hears of each of
        ``STEPS`` as it begins. Raises ``DataError`` where the picture cannot be read or nothing can be encoded as the
        bundle's items were.
        """
        data = read_bytes(picture) if isinstance(picture, Path) else picture
        features, description = self.encoders.encode(title, data, text, on_step)
        on_step("place")
        rows = {name: values[None] for name, values in features.items()}
        present = {name: torch.ones(1, dtype=torch.bool) for name in rows}
        vector = embed(self.bundle, rows, present)[0]
        return ColdItem(title, description, features, vector, way_of(self.bundle))

    def audience(self, item: str | ColdItem, k: int = 10) -> list[AudienceUser]:
        """The k users who are drawn to an item most, without those who have it already (``Scorer.interest``)."""
        check_count(k)
        if isinstance(item, str):
            index = self.bundle.items.index(item)
            scores = self._scorer.interest(self._scorer.item_vectors[index], index)
            scores[self.bundle.seen.users[self.bundle.seen.items == index]] = -torch.inf
        else:
            scores = self._scorer.interest(item.vector)
        found, values = top(scores, k)
        pairs = enumerate(zip(found.tolist(), values.tolist(), strict=True), start=1)
        return [AudienceUser(self.bundle.users.ids[user], rank, value) for rank, (user, value) in pairs]

    def history(self, user_id: str) -> list[tuple[str, str]]:
        """The items of a user's training interactions: (item id, title)."""
        ids, titles = self.bundle.items.ids, self.bundle.titles
        return [(ids[item], titles[item]) for item in self.profile(user_id).seen.tolist()]
