"""Train, validation and test: validation chooses, test reports."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import torch

from viral.base.errors import DataError, UsageError, nearest
from viral.data.interactions import Interactions
from viral.data.split_rules import with_split
from viral.data.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The three disjoint parts of a log, over one vocabulary of users and one of items."""

    train: Interactions
    valid: Interactions
    test: Interactions
    users: Vocabulary
    items: Vocabulary

    def part(self, name: str) -> Interactions:
        """The part with this name; ``UsageError`` for any other name."""
        parts = {"train": self.train, "valid": self.valid, "test": self.test}
        if name not in parts:
            raise UsageError(f"unknown split {name!r}", hint=nearest(name, parts))
        return parts[name]


def split(interactions: pl.DataFrame, item_ids: Sequence[str], *, seed: int = 0) -> Split:
    """Turn a log into a ``Split``; items are indexed in the order of ``item_ids``, users by first appearance.

    A ``split`` column is obeyed; a log without one is split by ``random_split(seed)``. Raises ``DataError`` for an
    unknown split, and for a pair that is in two of them.
    """
    interactions = with_split(interactions, seed=seed)
    unknown = interactions.filter(~pl.col("split").is_in(["train", "valid", "test"]) | pl.col("split").is_null())
    if unknown.height:
        raise DataError(
            f"{unknown.height} rows have a split other than train, valid, test (first: {unknown['split'][0]!r})",
            where="interactions, field split",
            hint="correct the column, or drop it to have the log split at random",
        )
    _check_disjoint(interactions)
    users = Vocabulary(interactions["user_id"].unique(maintain_order=True).to_list(), "user")
    items = Vocabulary(item_ids, "item")
    parts = {
        str(name): _indices(frame, users, items)
        for (name,), frame in interactions.partition_by("split", as_dict=True).items()
    }
    empty = torch.zeros(0, dtype=torch.int64)
    nothing = Interactions(empty, empty, len(users), len(items))
    train, valid, test = (parts.get(name, nothing) for name in ("train", "valid", "test"))
    return Split(train, valid, test, users, items)


def sample_users(part: Interactions, count: int, *, seed: int = 0) -> Interactions:
    """The interactions of ``count`` users drawn at random from those that ``part`` has; all where there are no more.

    Raises ``UsageError`` where ``count`` is less than 1.
    """
    if count < 1:
        raise UsageError(f"users = {count} is less than 1", where="--users")
    there = part.users.unique()
    drawn = there[torch.randperm(len(there), generator=torch.Generator().manual_seed(seed))[:count]]
    chosen = torch.zeros(part.num_users, dtype=torch.bool)
    chosen[drawn] = True
    kept = chosen[part.users]
    return Interactions(part.users[kept], part.items[kept], part.num_users, part.num_items)


def _check_disjoint(interactions: pl.DataFrame) -> None:
    """Raise ``DataError`` where a pair is in two splits: a held-out pair would be known to training."""
    pair = ["user_id", "item_id"]
    again = interactions.filter(pl.struct(pair).is_duplicated())
    leaking = again.filter(pl.col("split").n_unique().over(pair) > 1).unique(pair, maintain_order=True)
    if leaking.height:
        first = ", ".join(repr(leaking[name][0]) for name in pair)
        raise DataError(
            f"{leaking.height} (user, item) pairs are in two splits (first: {first})",
            where="interactions, field split",
            hint="keep each pair in one split; `viral doctor DATASET` names them",
        )


def _indices(frame: pl.DataFrame, users: Vocabulary, items: Vocabulary) -> Interactions:
    return Interactions(users.column(frame["user_id"]), items.column(frame["item_id"]), len(users), len(items))
