"""What a model may know: the training interactions and the item features, aligned by item index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from viral.base.errors import DataError
from viral.data.controls import CONTROLS
from viral.data.features import FeatureTable
from viral.data.interactions import Interactions
from viral.data.splitting import Split

Fill = Literal["mean", "zero", "error"]


@dataclass(frozen=True, slots=True, eq=False)
class ModelInputs:
    """Training interactions and features; row i of every feature tensor describes item index i."""

    train: Interactions
    features: Mapping[str, Tensor] = field(default_factory=dict)  # modality -> (I, F) float32
    present: Mapping[str, Tensor] = field(default_factory=dict)  # modality -> (I,) bool: given, not filled in
    encoders: Mapping[str, str] = field(default_factory=dict)  # modality -> what made its table

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
        features, presence, encoders = {}, {}, {}
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
            encoders[table.modality] = table.encoder
        return cls(split.train, features, presence, encoders)

    def given(self, modality: str) -> Tensor:
        """Which items have features of their own, (I,) bool; all where nothing says otherwise."""
        everyone = torch.ones(self.train.num_items, dtype=torch.bool)
        return self.present.get(self._of_control(modality)[1], everyone)

    def feature(self, modality: str) -> Tensor:
        """Features of one modality (I, F); ``DataError`` names what is there when it is absent.

        ``shuffled:NAME`` and ``random:NAME`` are controls (:mod:`viral.data.controls`).
        """
        kind, of = self._of_control(modality)
        if kind:
            return CONTROLS[kind](self.feature(of), self.given(of))
        if modality not in self.features:
            raise DataError(
                f"the data set has no {modality!r} features (it has: {', '.join(sorted(self.features)) or 'none'})",
                hint="run `viral enrich` and `viral encode` first, or choose a model without them",
            )
        return self.features[modality]

    def _of_control(self, modality: str) -> tuple[str, str]:
        """The kind of control and the modality that it is made of; no kind for a modality itself."""
        kind, colon, of = modality.partition(":")
        return (kind, of) if colon and kind in CONTROLS and modality not in self.features else ("", modality)
