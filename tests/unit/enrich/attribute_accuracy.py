"""One number an attribute for a planted shop's descriptions, for tests of describers."""

from collections.abc import Iterable

import numpy as np

from viral.data.dataset import Dataset
from viral.data.descriptions import Description
from viral.lab.quality.named_attributes import ATTRIBUTES, FloatArray, judge

FOREIGN = ("colour", "pattern")  # what a description should not name of the things beside the product


def attribute_accuracy(dataset: Dataset, descriptions: Iterable[Description]) -> dict[str, float | int]:
    """Shares of items whose description names the planted attributes, and names those of other things.

    Keys: ``described`` (how many items), ``colour``, ``pattern``, ``tag`` (share whose value's word is in the text),
    ``all`` (share with all three), ``foreign_colour``, ``foreign_pattern`` (share of the items with other things in
    the picture whose text has a word that is true of one of those and not of the product), ``foreign`` (either),
    ``exact`` (mean over colour, pattern and tag of the share that is named rightly while no other value is named).
    Items without a description of status ``done`` are left out. ``DataError`` where the data set has no truth.
    """
    items, judged = judge(dataset, descriptions)
    found: dict[str, float | int] = {"described": len(items)}
    found |= {name: _mean(judged[name].right.astype(np.float64)) for name in ATTRIBUTES}
    found["all"] = _mean(np.all([judged[name].right for name in ATTRIBUTES], axis=0).astype(np.float64))
    found |= {f"foreign_{name}": _mean(judged[name].foreign) for name in FOREIGN}
    found["foreign"] = _mean(np.fmax.reduce([judged[name].foreign for name in FOREIGN]))
    found["exact"] = _mean(np.mean([judged[name].exact for name in ATTRIBUTES], axis=0))
    return found


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0
