"""External ids and dense indices: never mixed, and only this converts."""

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
import torch
from torch import Tensor

from viral.base.errors import DataError, UnknownIdError, nearest


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
        found = list(map(self._index.get, externals))
        if None in found:
            self.index(externals[found.index(None)])  # which says what is wrong
        return torch.tensor(found, dtype=torch.int64)

    def column(self, externals: pl.Series) -> Tensor:
        """The indices of a column of ids, by a join: int64 (len(externals),)."""
        if externals.dtype != pl.String:
            return self.indices(externals.to_list())
        known = pl.DataFrame({"id": pl.Series(self.ids, dtype=pl.String), "index": np.arange(len(self))})
        rows = externals.to_frame("id").join(known, on="id", how="left", maintain_order="left", nulls_equal=True)
        if rows["index"].null_count():
            self.index(externals.filter(rows["index"].is_null())[0])  # which says what is wrong
        return torch.from_numpy(rows["index"].to_numpy(writable=True))
