"""What a model may know: the training interactions and the item features, aligned by item index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.encode.table import FeatureTable
from viral.errors import DataError

Fill = Literal["mean", "zero", "error"]


@dataclass(frozen=True, slots=True, eq=False)
class ModelInputs:
    """Training interactions and features; row i of every feature tensor describes item index i."""

    train: Interactions
    features: Mapping[str, Tensor] = field(default_factory=dict)  # modality -> (I, F) float32
    present: Mapping[str, Tensor] = field(default_factory=dict)  # modality -> (I,) bool: given, not filled in

    def __post_init__(self) -> None:
        for modality, values in self.features.items():
            if values.dim() != 2 or len(values) != self.train.num_items:
                raise DataError(
                    f"features have {len(values)} rows, the catalogue has {self.train.num_items} items",
                    where=f"modality {modality!r}",
                    hint="encode the catalogue again with `viral encode DATASET`",
                )

    @classmethod
    def of(cls, split: Split, tables: Iterable[FeatureTable] = (), *, fill: Fill = "mean") -> "ModelInputs":
        """Align feature tables with the split's items.

        An item without a row in a table is filled with the mean of the others (``mean``, as the published benchmark
        does), with zeros (``zero``), or is an error naming it (``error``); ``present`` remembers which.
        """
        features, presence = {}, {}
        for table in tables:
            values, present = table.aligned(split.items.ids)
            if not present.any():
                raise DataError(
                    "not one item of the catalogue has features",
                    where=f"modality {table.modality!r}",
                    hint="the tables belong to another data set; run `viral encode DATASET`",
                )
            if not present.all():
                if fill == "error":
                    absent = split.items.ids[int((~present).argmax())]
                    raise DataError(
                        f"{int((~present).sum())} items have no features (first: {absent!r})",
                        where=f"modality {table.modality!r}",
                        hint='encode again, or allow a fill: "mean" or "zero"',
                    )
                if fill == "mean":
                    values[~present] = values[present].mean(axis=0)
            features[table.modality], presence[table.modality] = torch.from_numpy(values), torch.from_numpy(present)
        return cls(split.train, features, presence)

    def given(self, modality: str) -> Tensor:
        """Which items have features of their own, (I,) bool; all where nothing says otherwise."""
        everyone = torch.ones(self.train.num_items, dtype=torch.bool)
        return self.present.get(modality, everyone)

    def feature(self, modality: str) -> Tensor:
        """Features of one modality (I, F); ``DataError`` names what is there when it is absent."""
        if modality not in self.features:
            raise DataError(
                f"the data set has no {modality!r} features (it has: {', '.join(sorted(self.features)) or 'none'})",
                hint="run `viral enrich` and `viral encode` first, or choose a model without them",
            )
        return self.features[modality]
