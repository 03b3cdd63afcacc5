"""A shop's rules applied to one bundle: what they change in the scores and the order of its items. I: items."""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from viral.evaluation.exposure import above_average
from viral.run.bundle import Bundle
from viral.run.retrieval.exact_search import Best
from viral.run.retrieval.rules import TARGETS, Rules, short

AHEAD = 4  # times the places asked for: how far an order is looked through first


@dataclass(frozen=True, slots=True, eq=False)
class AppliedRules:
    """Rules as indices of a bundle's items."""

    pins: tuple[tuple[int, int], ...]  # place and item, in the order of the places
    shift: Tensor | None  # (I,) in standard deviations
    most: int | None  # of a category
    categories: Sequence[str]  # by item; "" is unknown
    unknown: tuple[str, ...]  # what the rules name and the bundle does not know
    penalty: Tensor | None = None  # (I,) in standard deviations, for being popular

    @classmethod
    def of(cls, rules: Rules, bundle: Bundle) -> "AppliedRules":
        columns = bundle.material.columns
        categories, brands = columns.get("category", ()), columns.get("brand", ())
        rows = {"categories": _rows(categories), "brands": _rows(brands)}

        def named(kind: str, word: str) -> list[int]:
            if kind == "item_ids":
                return [bundle.items.index(word)] if word in bundle.items else []
            return rows[kind].get(word, [])

        shift = torch.zeros(len(bundle.items))
        words = [("item_ids", pin.item_id) for pin in rules.pins]
        for one in rules.shifts:
            targets = [(kind, word) for kind in TARGETS for word in getattr(one, kind)]
            shift[sorted({row for kind, word in targets for row in named(kind, word)})] += one.by
            words += targets
        pins = [(pin.position, row) for pin in rules.pins for row in named("item_ids", pin.item_id)]
        ordered = tuple(sorted(pins, key=lambda pin: pin[0]))
        lost = [f"{TARGETS[kind]} {short(word)}" for kind, word in words if not named(kind, word)]
        unknown = tuple(dict.fromkeys(lost))
        if rules.max_per_category is not None and not rows["categories"]:
            unknown += ("max_per_category, as the run's items have no categories",)
        penalty = rules.less_popular * above_average(bundle.seen) if rules.less_popular else None
        raised = shift if bool(shift.any()) else None
        return cls(ordered, raised, rules.max_per_category, categories, unknown, penalty)

    def added(self, scores: Tensor) -> Tensor | None:
        """What the rules add to the scores (I,) of one user: (I,)."""
        if self.shift is None and self.penalty is None:
            return None
        shift = torch.zeros_like(scores) if self.shift is None else self.shift.to(scores)
        if self.penalty is not None:
            shift = shift - self.penalty.to(scores)
        return shift * (float(scores.std(correction=0)) or 1.0)

    def placed(self, allowed: Callable[[int], bool]) -> dict[int, int]:
        """Items by place; where a place is occupied, the next free one."""
        found: dict[int, int] = {}
        for place, item in self.pins:
            if allowed(item):
                while place in found:
                    place += 1
                found[place] = item
        return found

    def listed(self, best: Best, pinned: Mapping[int, int], k: int, offset: int, deepest: int) -> list[int]:
        """The items of the places offset + 1 … offset + k; ``best`` orders what is not pinned.

        With at most so many of a category, what is too many for the k places before moves on to the next k.
        """
        windows = [range(offset % k)] if offset % k else []
        windows += [range(start, start + k) for start in range(offset % k, offset + 1, k)]
        free = [sum(place + 1 not in pinned for place in window) for window in windows]
        if self.most is None or k <= self.most:
            left = iter(best(sum(free))[0][sum(free[:-1]) :].tolist())
        else:
            counts = [self._counted(window, pinned) for window in windows]
            left = iter(self._spread(best, free, counts, deepest))
        found = [pinned[place + 1] if place + 1 in pinned else next(left, None) for place in windows[-1]]
        return [item for item in found if item is not None]

    def _counted(self, window: range, pinned: Mapping[int, int]) -> Counter[str]:
        return Counter(self._category(pinned[place + 1]) for place in window if place + 1 in pinned)

    def _category(self, item: int) -> str:
        return self.categories[item] if self.categories else ""

    def _spread(self, best: Best, sizes: Sequence[int], counts: Sequence[Counter[str]], deepest: int) -> list[int]:
        """What fills the last of the windows, with at most so many of a category in each."""
        depth = min(AHEAD * max(1, sum(sizes)), deepest)
        while True:
            order = best(depth)[0].tolist()
            found = self._filled(order, sizes, [Counter(one) for one in counts])
            if len(found) == sizes[-1] or len(order) < depth or depth >= deepest:
                return found
            depth = min(AHEAD * depth, deepest)

    def _filled(self, order: Sequence[int], sizes: Sequence[int], counts: Sequence[Counter[str]]) -> list[int]:
        queues: dict[str, deque[int]] = {}
        for place, item in enumerate(order):
            queues.setdefault(self._category(item), deque()).append(place)
        heads = [(queue[0], name) for name, queue in queues.items()]
        heapq.heapify(heads)
        chosen: list[int] = []
        for size, count in zip(sizes, counts, strict=True):
            chosen, full = [], []
            while heads and len(chosen) < size:
                place, name = heapq.heappop(heads)
                if name and self.most is not None and count[name] >= self.most:
                    full.append((place, name))
                    continue
                chosen.append(order[place])
                count[name] += 1
                queues[name].popleft()
                if queues[name]:
                    heapq.heappush(heads, (queues[name][0], name))
            for head in full:
                heapq.heappush(heads, head)
        return chosen


def _rows(column: Sequence[str]) -> dict[str, list[int]]:
    """The items with each word of a column; "" is none."""
    found: dict[str, list[int]] = {}
    for row, word in enumerate(column):
        if word:
            found.setdefault(word, []).append(row)
    return found
