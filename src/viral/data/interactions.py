"""Interactions and mini-batches as dense indices. Shapes: U users, I items, E interactions, B batch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Observed (user, item) pairs: implicit feedback."""

    users: Tensor  # (E,) int64 in [0, num_users)
    items: Tensor  # (E,) int64 in [0, num_items)
    num_users: int
    num_items: int

    def __post_init__(self) -> None:
        if self.users.shape != self.items.shape or self.users.dim() != 1:
            raise ValueError(f"users {tuple(self.users.shape)} and items {tuple(self.items.shape)} differ in length")
        for name, indices, size in (("user", self.users, self.num_users), ("item", self.items, self.num_items)):
            if len(indices) and not (int(indices.min()) >= 0 and int(indices.max()) < size):
                raise ValueError(f"a {name} index lies outside [0, {size})")

    def __len__(self) -> int:
        return self.users.numel()

    def keys(self) -> Tensor:
        """``user * num_items + item`` of every distinct pair, ascending: int64 (≤ E,)."""
        keys = np.sort((self.users * self.num_items + self.items).numpy())  # ten times quicker than torch.unique
        return torch.from_numpy(keys[np.diff(keys, prepend=-1) > 0])

    def user_degrees(self) -> Tensor:
        """Interactions per user: int64 (U,)."""
        return torch.bincount(self.users, minlength=self.num_users)

    def item_degrees(self) -> Tensor:
        """Interactions per item: int64 (I,)."""
        return torch.bincount(self.items, minlength=self.num_items)

    def union(self, other: "Interactions") -> "Interactions":
        """Both sets of pairs, one after the other."""
        users, items = torch.cat([self.users, other.users]), torch.cat([self.items, other.items])
        return Interactions(users, items, self.num_users, self.num_items)

    def rows(self) -> tuple[Tensor, Tensor]:
        """Items by user, compressed: offsets (U+1,) and item indices (E,), ascending within a user."""
        keys = self.keys()
        users = torch.div(keys, self.num_items, rounding_mode="floor")
        offsets = torch.zeros(self.num_users + 1, dtype=torch.int64)
        offsets[1:] = torch.bincount(users, minlength=self.num_users).cumsum(0)
        return offsets, keys - users * self.num_items


@dataclass(frozen=True, slots=True, eq=False)
class Triplets:
    """A BPR mini-batch: each user with an item of their history and one that is not in it."""

    users: Tensor  # (B,)
    positives: Tensor  # (B,)
    negatives: Tensor  # (B,)

    def __len__(self) -> int:
        return len(self.users)

    def to(self, device: torch.device | str) -> "Triplets":
        return Triplets(self.users.to(device), self.positives.to(device), self.negatives.to(device))
