"""How well descriptions name what a planted shop's pictures show: counted by words, against its truth.

A description is read for the values that the shop has of an attribute (its colours, its patterns, …), each by its own
word or a common other word for it. No grammar is read: a text that names the colours of two things has named two.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError
from viral.data.dataset import Dataset
from viral.data.descriptions import Description
from viral.lab.shop.config import TRUTH_FILE

ATTRIBUTES = ("colour", "pattern", "tag")  # what a description of the product itself should name
JUDGED = ("object", *ATTRIBUTES)  # ``object`` is what the title states, in other words than a classifier's
# Other words for the shop's values. What a describer calls a thing is its own affair, as long as it means that value.
ALSO: Mapping[str, tuple[str, ...]] = {
    "coffee mug": ("mug", "cup", "tea cup"),
    "t-shirt": ("tshirt", "t shirt", "tee shirt", "shirt", "jersey"),
    "table lamp": ("lamp", "lampshade", "desk lamp"),
    "bucket": ("pail",),
    "birdhouse": ("bird house", "nest box", "nesting box"),
    "backpack": ("rucksack", "knapsack"),
    "bow tie": ("bow-tie", "bowtie"),
    "wall clock": ("clock", "analog clock", "analogue clock"),
    "two-tone": ("two-toned",),
    "striped": ("stripes", "stripe", "stripy"),
    "zigzag": ("zig-zag", "zigzags", "chevron", "chevrons"),
    "checked": ("checks", "checkered", "chequered", "checkerboard"),
    "dotted": ("dots", "polka dots", "polka dot", "polka-dot", "spotted"),
}
Box = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the picture's sides
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What each of n descriptions names of one attribute. ``foreign`` is NaN where no other thing has a value of it.

    ``right``: the product's value. ``foreign``: a value of another thing in the picture (of the tag: the slogan on
    the background). ``invented``: a value that nothing in the picture was planted with (a backdrop's colour, or an
    error). ``named``: how many values.
    """

    right: BoolArray  # (n,)
    foreign: FloatArray  # (n,) 0, 1 or NaN
    invented: BoolArray  # (n,)
    named: npt.NDArray[np.int64]  # (n,)

    @property
    def exact(self) -> BoolArray:
        """The product's value is named, and no other: (n,)."""
        return self.right & (self.named == 1)

    @property
    def f1(self) -> FloatArray:
        """Of the named values against the one true value: 2 / (1 + named) where it is among them, else 0: (n,)."""
        return np.where(self.right, 2.0 / (1.0 + self.named), 0.0)


def judge(dataset: Dataset, descriptions: Iterable[Description]) -> tuple[tuple[str, ...], dict[str, Judgement]]:
    """Item ids (n,) of the descriptions of status ``done``, and what they name of each of ``JUDGED`` that is planted.

    ``DataError`` where the data set has no truth, or a shop's truth without pictures.
    """
    truth = _truth(dataset)
    done = [row for row in descriptions if row.status == "done" and row.item_id in truth]
    judged = {}
    for name in [name for name in JUDGED if all(name in item for item in truth.values())]:
        vocabulary = _values(truth.values(), name)
        rows = [_names(truth[row.item_id], name, row.text, vocabulary) for row in done]
        right, foreign, invented, named = zip(*rows, strict=True) if rows else ((), (), (), ())
        judged[name] = Judgement(
            np.array(right, dtype=bool),
            np.array(foreign, dtype=np.float64),
            np.array(invented, dtype=bool),
            np.array(named, dtype=np.int64),
        )
    return tuple(row.item_id for row in done), judged


def _truth(dataset: Dataset) -> Mapping[str, Mapping[str, Any]]:
    import polars as pl

    file = dataset.path / TRUTH_FILE
    if not file.is_file():
        hint = "only a planted shop has one: make it with `viral shop DATASET`"
        raise DataError("this data set has no truth to compare with", where=str(file), hint=hint)
    frame = pl.read_parquet(file)
    for name in ("item_id", *ATTRIBUTES, "distractors"):
        if name not in frame.columns:
            raise DataError(f"column {name!r} is missing", where=str(file), hint="generate the shop with pictures")
    return {row["item_id"]: row for row in frame.iter_rows(named=True)}


def _own(item: Mapping[str, Any], name: str) -> str:
    return str(item[name]).lower()


def _others(item: Mapping[str, Any], name: str) -> set[str]:
    """The values of an attribute that the picture shows beside the product's."""
    if name == "tag":
        return {str(item["slogan"]).lower()} if item.get("slogan") else set()
    things: Sequence[Mapping[str, Any]] = item["distractors"] or []
    return {str(thing[name]).lower() for thing in things} - {_own(item, name)}


def _values(items: Iterable[Mapping[str, Any]], name: str) -> dict[str, re.Pattern[str]]:
    """Every value that the shop has of an attribute, with the pattern that finds it as whole words."""
    values = sorted({value for item in items for value in (_own(item, name), *_others(item, name))})
    return {value: _finder(value) for value in values}


def _finder(value: str) -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word in (value, *ALSO.get(value, ())))
    return re.compile(rf"(?<![a-z-])(?:{words})(?![a-z]|-[a-z])")


def _names(
    item: Mapping[str, Any], name: str, text: str, vocabulary: Mapping[str, re.Pattern[str]]
) -> tuple[bool, float, bool, int]:
    """Right, foreign (or NaN), invented, and how many values are named."""
    lower = text.lower()
    named = {value for value, finder in vocabulary.items() if finder.search(lower)}
    own, others = _own(item, name), _others(item, name)
    foreign = float(bool(named & others)) if others else float("nan")
    return own in named, foreign, bool(named - others - {own}), len(named)


def product_boxes(dataset: Dataset) -> Mapping[str, Box]:
    """The place of the product and its tag by item id; empty where it is not known."""
    side = dataset.manifest.get("source", {}).get("options", {}).get("image_size")
    if not isinstance(side, int) or not (dataset.path / TRUTH_FILE).is_file():
        return {}
    import polars as pl

    truth = pl.read_parquet(dataset.path / TRUTH_FILE)
    if not {"item_id", "box"} <= set(truth.columns):
        return {}
    parts = [truth[name].to_list() for name in ("box", "tag_box") if name in truth.columns]
    boxes: dict[str, Box] = {}
    for item_id, *places in zip(truth["item_id"].to_list(), *parts, strict=True):
        lefts, tops, rights, bottoms = zip(*places, strict=True)
        boxes[item_id] = (min(lefts) / side, min(tops) / side, max(rights) / side, max(bottoms) / side)
    return boxes
