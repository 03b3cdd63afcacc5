"""External ids and dense indices: never mixed, and only this converts."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from viral.errors import DataError, UnknownIdError, nearest


class Vocabulary:
    """An ordered set of external ids; an id's place is its index."""

    def __init__(self, ids: Iterable[str], kind: str = "id") -> None:
        self.ids = tuple(ids)
        self.kind = kind
        self._index = {external: index for index, external in enumerate(self.ids)}
        if len(self._index) != len(self.ids):
            raise DataError(f"{kind} ids are not unique", hint="every id may occur once")

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, external: object) -> bool:
        return external in self._index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.ids == other.ids

    def __hash__(self) -> int:
        return hash(self.ids)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} {self.kind} ids)"

    def index(self, external: str) -> int:
        """Return the index of one id; ``UnknownIdError`` names the nearest known ids."""
        try:
            return self._index[external]
        except KeyError:
            hint = f"ids are text, compared exactly; {nearest(str(external), self.ids[:100_000])}"
            raise UnknownIdError(f"unknown {self.kind} {external!r}", hint=hint) from None

    def indices(self, externals: Sequence[str]) -> Tensor:
        """The indices of ids: int64 (len(externals),)."""
        return torch.tensor([self.index(external) for external in externals], dtype=torch.int64)
