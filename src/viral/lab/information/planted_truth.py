"""Exact information of the planted shop's modalities, in bits: by enumeration of its attributes, without sampling.

X1, the attributes in the words: colour, origin, text bit. X2, those in the picture: colour, pattern, picture bit. Y:
chosen by a user of known preferences, against an item drawn uniformly, one to one. A choice depends on an attribute
only through whether the user likes its value, which half of the values are; so each attribute is enumerated as that
bit, and neither decomposition changes (p(y | x) depends on the bits alone).

Two idealisations. The first choice is meant: users choose no item twice, so later choices are a little less strict. And
the catalogue is endless: in a small one the attributes are, by chance, not quite independent. The appeal of an item is
independent of its attributes and of preferences.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from viral.data.dataset import Dataset
from viral.lab.information.decomposition import (
    FloatArray,
    IntArray,
    Parts,
    decompose,
    mutual_information,
    union_information,
)
from viral.lab.shop.config import TRUTH_FILE
from viral.lab.shop.world import World


@dataclass(frozen=True, slots=True)
class Truth:
    """The exact parts of a planted shop under three definitions."""

    broja: Parts
    common: Parts  # redundant: shared by both, the colour (Gács–Körner common part; Griffith et al. 2014)
    imin: Parts


def table(logit: Sequence[float]) -> FloatArray:
    """p(x1, x2, y) (8, 8, 2) from what a match of each kind adds to the log-odds (4,), in the order of ``KINDS``.

    x1 = (colour liked, origin liked, text bit) and x2 = (colour liked, pattern liked, picture bit), as numbers of
    three binary digits; the user likes the exclusive-or 1.
    """
    colour, origin, text_bit, pattern, picture_bit = np.indices((2,) * 5).reshape(5, -1)
    matches = np.stack([colour, origin, pattern, text_bit ^ picture_bit])  # (4, 32)
    chosen = np.exp(np.asarray(logit) @ matches)
    p = np.zeros((8, 8, 2))
    first, second = 4 * colour + 2 * origin + text_bit, 4 * colour + 2 * pattern + picture_bit
    p[first, second, 1] = chosen / chosen.sum() / 2
    p[first, second, 0] = 1 / 64
    return p


def planted_truth(world: World) -> Truth:
    """The parts in a world, exactly."""
    return truth_of(world.logit.tolist())


def truth_of(logit: Sequence[float]) -> Truth:
    """The parts for given log-odds of the four kinds."""
    p = table(logit)
    first, second, both = p.sum(axis=1), p.sum(axis=0), p.reshape(-1, 2)
    colour = first.reshape(2, 4, 2).sum(axis=1)
    one, two, joint = mutual_information(first), mutual_information(second), mutual_information(both)
    return Truth(
        Parts.of(one, two, joint, union_information(first, second)),
        Parts.of_common(one, two, joint, mutual_information(colour)),
        decompose(p, "imin"),
    )


def planted_attributes(dataset: Dataset, item_ids: Sequence[str], names: Sequence[str]) -> dict[str, IntArray]:
    """The values of items' attributes as numbers (n,), by name, from the shop's truth; without those that it lacks."""
    import polars as pl

    truth = pl.read_parquet(dataset.path / TRUTH_FILE)
    rows = pl.DataFrame({"item_id": list(item_ids)}).join(truth, on="item_id", how="left", maintain_order="left")
    there = [name for name in names if name in rows.columns]
    return {name: rows[name].cast(pl.String).rank("dense").to_numpy().astype(np.int64) - 1 for name in there}
