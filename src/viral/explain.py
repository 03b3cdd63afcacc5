"""What each information part adds to one score."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from viral.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Explanation:
    """A score as the sum of its parts, and where the item stands among all items for this user."""

    user_id: str
    item_id: str
    title: str
    score: float
    parts: Mapping[str, float]  # they add up to ``score``
    rank: int  # among all items, 1 is best; what the user has taken is not left out
    num_items: int
    seen: bool  # the user took this item in training

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        """One line for a human."""
        total = sum(abs(value) for value in self.parts.values()) or 1.0
        ordered = sorted(self.parts.items(), key=lambda part: -abs(part[1]))
        shares = ", ".join(
            f"{name.replace('_', ' ')} {value:+.3f} ({abs(value) / total:.0%})" for name, value in ordered
        )
        taken = "; the user has it already" if self.seen else ""
        place = f"rank {self.rank} of {self.num_items}{taken}"
        return f"{self.title or self.item_id}: score {self.score:.3f} = {shares}; {place}"


def explain(bundle: Bundle, user_id: str, item_id: str) -> Explanation:
    """Split the score of (user, item) exactly into its parts; raises ``UnknownIdError`` for an unknown id."""
    import torch

    user, item = bundle.users.index(user_id), bundle.items.index(item_id)
    scores = bundle.scorer(torch.tensor([user]))[0]  # (I,)
    parts = bundle.scorer.split(user, item)
    taken = bool(((bundle.seen.users == user) & (bundle.seen.items == item)).any())
    return Explanation(
        user_id,
        item_id,
        bundle.titles[item],
        sum(parts.values()),
        parts,
        int((scores > scores[item]).sum()) + 1,
        bundle.scorer.num_items,
        taken,
    )
