"""A long list in pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
AROUND = 2  # numbers shown on either side of the current one


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; numbers from 1."""

    rows: Sequence[T]
    number: int
    pages: int
    total: int

    @classmethod
    def of(cls, rows: Sequence[T], number: str, size: int) -> "Page[T]":
        """The page with that number, or the nearest one there is; what is no number is the first."""
        pages = max(1, -(-len(rows) // size))
        wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 1
        chosen = min(max(1, wanted), pages)
        return cls(rows[(chosen - 1) * size : chosen * size], chosen, pages, len(rows))

    @property
    def numbers(self) -> list[int | None]:
        """The numbers to offer, in order; None where some are left out."""
        near = {1, self.pages, *range(max(1, self.number - AROUND), min(self.pages, self.number + AROUND) + 1)}
        shown: list[int | None] = []
        for one in sorted(near):
            if shown and shown[-1] != one - 1:
                shown.append(None)
            shown.append(one)
        return shown
