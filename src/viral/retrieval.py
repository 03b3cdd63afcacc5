"""Hop 10: recommendations by raw ids from a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from viral.bundle import Bundle
from viral.errors import UsageError
from viral.evaluation.ranking import mask_seen


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One recommended item; the parts add up to the score."""

    item_id: str
    title: str
    rank: int  # from 1
    score: float
    parts: Mapping[str, float]


class Retriever:
    """Ranks all items for one user, exactly."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._offsets, self._items = bundle.seen.rows()

    @classmethod
    def load(cls, run: Path | str) -> "Retriever":
        """From a run's folder, or from a bundle's."""
        run = Path(run)
        return cls(Bundle.load(run / "bundle" if (run / "bundle").is_dir() else run))

    def recommend(self, user_id: str, k: int = 10, *, exclude_seen: bool = True) -> list[Recommendation]:
        """The k best items for a user, best first; what the user took in training is left out unless asked for.

        Raises ``UnknownIdError`` for a user the bundle does not know, ``UsageError`` for k < 1.
        """
        if k < 1:
            raise UsageError(f"k = {k} is not positive", hint="ask for at least one item")
        user = self.bundle.users.index(user_id)
        scores = self.bundle.scorer(torch.tensor([user])).clone()  # (1, I)
        if exclude_seen:
            mask_seen(scores, torch.tensor([user]), self._offsets, self._items)
        top = scores[0].topk(min(k, scores.shape[1]))
        found = [(item, value) for item, value in zip(top.indices.tolist(), top.values.tolist(), strict=True)]
        return [
            Recommendation(
                self.bundle.items.ids[item], self.bundle.titles[item], rank, score, self.bundle.scorer.split(user, item)
            )
            for rank, (item, score) in enumerate(found, start=1)
            if score != -float("inf")
        ]

    def history(self, user_id: str) -> list[tuple[str, str]]:
        """What the user took in training: (item id, title)."""
        user = self.bundle.users.index(user_id)
        taken = self._items[self._offsets[user] : self._offsets[user + 1]].tolist()
        return [(self.bundle.items.ids[item], self.bundle.titles[item]) for item in taken]
