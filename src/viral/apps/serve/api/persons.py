"""Lists of recommended items for whoever asks: a user, a visit, both, or somebody of whom nothing is known."""

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import Request

from viral.apps.serve.api.common import filters_of, stamp, stocked, work
from viral.apps.serve.api.schemas import RecommendIn, WhoIn
from viral.apps.serve.api.shown import ranked
from viral.apps.serve.metrics import Metrics
from viral.apps.serve.problems import status_of
from viral.apps.serve.recent import recent_counts
from viral.apps.serve.rules import rules_of
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.variants import Variants
from viral.base.errors import UnknownIdError, ViralError
from viral.run.retrieval import Filters, Recommendation

Source = Literal["user", "visit", "user_and_visit", "popular"]


@dataclass(frozen=True, slots=True)
class Who:
    """One person: an id, what the current visit has shown, or both."""

    user_id: str | None
    item_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: str | WhoIn) -> "Who":
        """As a call for many names them."""
        return cls(told) if isinstance(told, str) else cls(told.user_id, tuple(told.item_ids))


class Lists:
    """What one request asks for, of any person."""

    def __init__(self, request: Request, asked: RecommendIn) -> None:
        self._request, self._asked = request, asked
        self._in_stock = stocked(request, asked.filters.in_stock)
        self._rules = rules_of(request, asked.rules)
        self._variants: Variants = request.app.state.variants
        self._metrics: Metrics = request.app.state.metrics

    async def of(self, who: Who) -> dict[str, Any]:
        """A person's answer; raises ``UnknownIdError`` for an unknown id where that is asked for."""
        variant, live = self._variants.chosen(self._asked.variant, who.user_id)
        snapshot = live.current
        told = await work(self._request).ranking.run(lambda: self._told(who, snapshot))
        self._metrics.lists.labels(told["source"], self._metrics.variant(variant)).inc()
        return stamp(snapshot) | {"user_id": who.user_id, "variant": variant} | told

    async def of_many(self, who: Who) -> dict[str, Any]:
        """A person's answer among many, where a fault is that person's own, and told in the place of a list."""
        try:
            return await self.of(who) | {"error": None}
        except ViralError as error:
            fault = {"status": int(status_of(error)), "detail": error.what, "hint": error.hint}
        nothing: dict[str, Any] = {"variant": None, "source": None, "unknown_item_ids": []}
        told = {"user_id": who.user_id, "offset": self._asked.offset, **nothing, "recommendations": [], "error": fault}
        return stamp(self._variants.served.current) | told

    def _told(self, who: Who, snapshot: Snapshot) -> dict[str, Any]:
        filters = filters_of(self._asked.filters, snapshot, self._in_stock, self._asked.exclude)
        strange = [item_id for item_id in who.item_ids if item_id not in snapshot.bundle.items]
        if self._asked.unknown == "error":
            _check(who, strange, snapshot)
        source, found = self._found(who, snapshot, filters)
        return {
            "source": source, "offset": self._asked.offset, "unknown_item_ids": list(dict.fromkeys(strange)),
            "recommendations": ranked(found, snapshot),
        }  # fmt: skip

    def _found(self, who: Who, snapshot: Snapshot, filters: Filters) -> tuple[Source, list[Recommendation]]:
        asked, retriever = self._asked, snapshot.retriever
        visit = list(dict.fromkeys(one for one in who.item_ids if one in snapshot.bundle.items))
        known = who.user_id if who.user_id is not None and who.user_id in snapshot.bundle.users else None
        if known is None and not visit:
            counts = recent_counts(snapshot, asked.popular_days)
            return "popular", retriever.popular(
                asked.k, offset=asked.offset, filters=filters, rules=self._rules, counts=counts
            )
        source: Source
        if known is None:
            source, taste = "visit", retriever.newcomer(visit)
        elif visit:
            source, taste = "user_and_visit", retriever.visitor(known, visit)
        else:
            source, taste = "user", retriever.taste(known)
        found = retriever.rank(
            taste, asked.k, offset=asked.offset, exclude_seen=asked.exclude_seen, filters=filters,
            diversity=asked.diversity, rules=self._rules,
        )  # fmt: skip
        return source, found


def _check(who: Who, strange: list[str], snapshot: Snapshot) -> None:
    """Raise ``UnknownIdError`` for a user or an item of the visit that the bundle does not know."""
    if who.user_id is not None:
        try:
            snapshot.known_user(who.user_id)
        except UnknownIdError as error:
            hint = f"{error.hint}; without unknown=error, what is popular is answered"
            raise UnknownIdError(error.what, hint=hint) from None
    for item_id in strange:
        snapshot.known_item(item_id)
