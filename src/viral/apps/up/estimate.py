"""How long each step will take, roughly, by counts.

Processor seconds on one core of a machine of 2026, measured with `viral` on 150 product photos of 1,750 pixels' height
and 2,000 interactions, and for training on the data sets of docs/leaderboard.md (VIRAL's default: 14 to 20 µs a
training interaction and epoch, 70 to 87 epochs). A machine that does other things takes as much longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from viral.data.dataset import Dataset
from viral.data.pictures import SUFFIXES

START = 1.5  # seconds that every command takes
ROW_READ, PICTURE_COPIED = 2e-5, 0.002
PICTURE_LOOKED_AT = 0.002
PICTURE_DESCRIBED = 0.08  # by the pixel describer
PICTURE_ENCODED, ITEM_ENCODED = 0.03, 0.02  # three texts an item
EPOCHS, INTERACTION_LEARNT = 80, 2e-5
UPDATED = 0.12  # of the epochs of a training from scratch (viral.run.update.warm_start)
BYTES_A_ROW = 40  # of a table of text


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    items: int
    pictures: int
    interactions: int


def size_of(source: Path, opened: Dataset | None) -> Size:
    """The counts of the data set, and of what lies in the source where that is more."""
    counts = opened.manifest["counts"] if opened is not None else {}
    pictures = rows = 0
    for file in _files(source):
        if file.suffix.lower() in SUFFIXES:
            pictures += 1
        else:
            rows += file.stat().st_size // BYTES_A_ROW
    interactions = int(counts.get("interactions", rows))
    items = int(counts.get("items", max(pictures, rows // 20)))
    return Size(items, max(pictures, int(counts.get("images", 0))), interactions)


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
    elif source.is_dir():
        yield from (file for file in source.rglob("*") if file.is_file() and not file.name.startswith("."))


def seconds(step: str, size: Size) -> float:
    """Of a step over so much."""
    work = {
        "import": size.interactions * ROW_READ + size.pictures * PICTURE_COPIED,
        "doctor": size.pictures * PICTURE_LOOKED_AT,
        "enrich": size.pictures * PICTURE_DESCRIBED,
        "encode": size.pictures * PICTURE_ENCODED + size.items * ITEM_ENCODED,
        "train": size.interactions * INTERACTION_LEARNT * EPOCHS,
        "update": size.interactions * INTERACTION_LEARNT * EPOCHS * UPDATED,
    }
    return START + work.get(step, 0.0)
