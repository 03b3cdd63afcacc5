"""How far two sets of descriptions of one catalogue agree: by their words, and by their sentence vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import UsageError, nearest
from viral.data.dataset import Dataset
from viral.data.descriptions import Descriptions, all_descriptions
from viral.encode import Encoder
from viral.enrich.checks import units
from viral.lab.quality.modality_vectors import CachedEncoder
from viral.lab.quality.title_agreement import unit_rows

MOST = 2000  # items whose texts are compared: a seeded sample beyond
WORST = 5

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item of which two sets say little that is the same."""

    item_id: str
    overlap: float
    cosine: float
    texts: tuple[str, str]


@dataclass(frozen=True, slots=True)
class SetComparison:
    """Two sets, by the names of their files. Means are over ``compared`` items; NaN where there are none."""

    sets: tuple[str, str]
    both: int  # items that both describe
    first_only: int
    second_only: int
    neither: int
    compared: int
    overlap: float  # of the words: shared ones, of all that either uses (Jaccard)
    cosine: float  # of the sentence vectors
    cosine_others: float  # the same with the second set's text of another item: what agreement by chance is
    worst: tuple[Disagreement, ...]  # by cosine

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(
    dataset: Dataset,
    names: Sequence[str],
    *,
    prompt: str | None = None,
    seed: int = 0,
    encoder: Encoder | None = None,
) -> tuple[SetComparison, ...]:
    """Compare every pair of the named sets of a data set: a file's name without its ending, or a describer's name.

    Human edits play no part. Vectors come from, and go to, the data set's own cache. ``UsageError`` for a name that is
    none or not of one set alone; ``prompt`` chooses among a describer's.
    """
    there = {Path(one.file_name).stem: one for one in all_descriptions(dataset)}
    chosen = {name: there[name] for name in dict.fromkeys(_named(name, there, prompt, dataset) for name in names)}
    if len(chosen) < 2:
        raise UsageError("a comparison takes two sets of descriptions", hint=f"there are {', '.join(there) or 'none'}")
    encode = CachedEncoder.of(dataset, encoder)
    return tuple(_compared(dataset, (a, b), (chosen[a], chosen[b]), encode, seed) for a, b in combinations(chosen, 2))


def _named(name: str, there: Mapping[str, Descriptions], prompt: str | None, dataset: Dataset) -> str:
    if name in there:
        return name
    mine = [
        known
        for known, one in there.items()
        if one.describer.partition("/")[0] == name and prompt in (None, one.prompt)
    ]
    if len(mine) == 1:
        return mine[0]
    if mine:
        raise UsageError(f"several sets by {name!r}", hint=f"name one: {', '.join(mine)}")
    hint = nearest(name, there) if there else f"run `viral enrich {dataset.path}` first"
    raise UsageError(f"no set of descriptions {name!r}", where=str(dataset.path), hint=hint)


def _compared(
    dataset: Dataset, names: tuple[str, str], sets: tuple[Descriptions, Descriptions], encode: CachedEncoder, seed: int
) -> SetComparison:
    ids = dataset.catalog().ids
    first, second = (one.texts for one in sets)
    both = [item_id for item_id in ids if item_id in first and item_id in second]
    generator = np.random.default_rng(seed)
    picked = both
    if len(both) > MOST:
        picked = [both[row] for row in np.sort(generator.choice(len(both), MOST, replace=False))]
    left, right = [first[item_id] for item_id in picked], [second[item_id] for item_id in picked]
    overlaps = np.array([_overlap(a, b) for a, b in zip(left, right, strict=True)])
    cosines, others = _cosines(left, right, names, encode, generator)
    worst = np.argsort(cosines, kind="stable")[:WORST]
    return SetComparison(
        sets=names,
        both=len(both),
        first_only=sum(item_id in first and item_id not in second for item_id in ids),
        second_only=sum(item_id in second and item_id not in first for item_id in ids),
        neither=sum(item_id not in first and item_id not in second for item_id in ids),
        compared=len(picked),
        overlap=_mean(overlaps),
        cosine=_mean(cosines),
        cosine_others=_mean(others),
        worst=tuple(
            Disagreement(picked[row], float(overlaps[row]), float(cosines[row]), (left[row], right[row]))
            for row in worst.tolist()
        ),
    )


def _cosines(
    left: Sequence[str],
    right: Sequence[str],
    names: tuple[str, str],
    encode: CachedEncoder,
    generator: np.random.Generator,
) -> tuple[Vectors, Vectors]:
    """Cosines of the pairs (n,), and of each first text with the second one of another item (n,), drawn in a ring."""
    if not left:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    a, b = (unit_rows(encode(said, f"encode {name}")) for said, name in zip((left, right), names, strict=True))
    ring = generator.permutation(len(left))
    others = np.einsum("nf,nf->n", a[ring], b[np.roll(ring, 1)]) if len(left) > 1 else np.zeros(0, np.float32)
    return np.einsum("nf,nf->n", a, b), others


def _overlap(a: str, b: str) -> float:
    mine, other = set(units(a)), set(units(b))
    return len(mine & other) / max(1, len(mine | other))


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")
