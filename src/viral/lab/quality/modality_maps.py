"""Where items lie by each modality, and how well their groups keep together there: the numbers of ``viral map``."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import UsageError, nearest
from viral.base.progress import track
from viral.data.dataset import Dataset
from viral.encode import Encoder
from viral.enrich import Descriptions
from viral.evaluation import PairedTest, paired_test
from viral.lab.quality.cluster_names import ItemWords, cluster_names
from viral.lab.quality.cosine_clusters import ITEMS_EACH, Clustering, clustering, directional_clusters, neighbour_purity
from viral.lab.quality.map_projection import MapProjection, Method, project
from viral.lab.quality.modality_vectors import BEFORE, MappedItems, ModalityVectors, mapped
from viral.lab.quality.named_attributes import TRUTH_FILE

CATEGORY, CLUSTER = "category", "cluster"
CLUSTERED = ("description", "description-plain", "text", "title")  # the table that tells most of an item comes first
PLANTED = ("colour", "pattern", "tag", "origin")  # beside the category, which is the object

Labels = Sequence[str | None]


@dataclass(frozen=True, slots=True, eq=False)
class ModalityMap:
    """One modality: its map, and its clusters by each grouping, measured in its own space."""

    space: ModalityVectors
    projection: MapProjection
    clusters: Mapping[str, Clustering]  # by grouping; without those that have fewer than two items or groups
    against_image: PairedTest | None  # neighbour purity by the chosen grouping, minus that of the picture, by item


@dataclass(frozen=True, slots=True, eq=False)
class ItemMap:
    """Every modality's map of the same items."""

    item_ids: tuple[str, ...]
    shared: int
    by: str
    labels: tuple[str | None, ...]  # each item's group; None: it has none and is drawn, but not measured
    places: tuple[ModalityMap, ...]
    method: Method
    seed: int
    clustered: str = ""  # the space whose clusters colour the map, where groups are not told by the data

    def to_json(self) -> dict[str, Any]:
        return {
            "by": self.by,
            "clustered": self.clustered or None,
            "items": len(self.item_ids),
            "shared_items": self.shared,
            "groups": dict(Counter(label for label in self.labels if label is not None).most_common()),
            "without_group": sum(label is None for label in self.labels),
            "method": self.method,
            "seed": self.seed,
            "modalities": {
                place.space.name: {
                    "encoder": place.space.encoder,
                    "dimensions": place.space.vectors.shape[1],
                    "explained": place.projection.explained,
                    "clusters": {name: asdict(found) for name, found in place.clusters.items()},
                    "against_image": asdict(place.against_image) if place.against_image is not None else None,
                }
                for place in self.places
            },
        }


def item_map(
    dataset: Dataset,
    sets: Mapping[str, Descriptions],
    *,
    by: str = CATEGORY,
    modalities: Sequence[str] = (),
    method: Method = "pca",
    neighbours: int = 10,
    most: int = 2000,
    seed: int = 0,
    encoder: Encoder | None = None,
) -> ItemMap:
    """Map at most ``most`` items by every modality; ``by`` is ``category`` or a column of a planted shop's truth.

    By ``cluster``, and where no item has a category, the groups are clusters of one modality's vectors, each named by
    the words that set it apart; they are drawn and not measured, as it is their own vectors that made them.
    ``UsageError`` where ``by`` or a modality is unknown, ``DataError`` where there is nothing to map.
    """
    groupings = _groupings(dataset, by)
    items = mapped(dataset, sets, modalities=modalities, most=most, seed=seed, encoder=encoder)
    chosen = {name: [labels.get(item_id) for item_id in items.item_ids] for name, labels in groupings.items()}
    clustered, labels = "", chosen.get(by, [])
    if by == CLUSTER or (by == CATEGORY and not any(labels) and len(items.item_ids) >= 2 * ITEMS_EACH):
        by, clustered, labels = CLUSTER, *_clustered(dataset, items, seed)
    places = [
        ModalityMap(
            space=space,
            projection=project(space.vectors, method, seed=seed),
            clusters=_clusters(space, chosen, neighbours),
            against_image=_against_image(items, space, chosen.get(by, []), neighbours, seed),
        )
        for space in track(items.spaces, f"map ({method})")
    ]
    return ItemMap(items.item_ids, items.shared, by, tuple(labels), tuple(places), method, seed, clustered)


def _groupings(dataset: Dataset, by: str) -> dict[str, Mapping[str, str | None]]:
    """Groups by item id: ``by`` first, then the category and what was planted."""
    there: dict[str, Mapping[str, str | None]] = {
        CATEGORY: {item.id: (item.category or "").strip() or None for item in dataset.catalog()}
    }
    if (file := dataset.path / TRUTH_FILE).is_file():
        import polars as pl

        truth = pl.read_parquet(file)
        for name in truth.columns:
            if name != "item_id" and truth.schema[name] in (pl.String, pl.Int64, pl.Int32, pl.Int8):
                labels = truth[name].cast(pl.String).to_list()
                there[name] = dict(zip(truth["item_id"].to_list(), labels, strict=True))
    if by not in (*there, CLUSTER):
        raise UsageError(f"items cannot be coloured by {by!r}", hint=nearest(by, [*there, CLUSTER]))
    measured = dict.fromkeys((*([by] if by in there else []), CATEGORY, *(name for name in PLANTED if name in there)))
    return {name: there[name] for name in measured}


def _clustered(dataset: Dataset, items: MappedItems, seed: int) -> tuple[str, list[str | None]]:
    """The space whose clusters are drawn, and the name of each item's cluster."""
    import torch

    spaces = {space.name: space for space in items.spaces}
    space = next((spaces[name] for name in CLUSTERED if name in spaces), items.spaces[-1])
    codes = directional_clusters(torch.from_numpy(space.vectors.astype(np.float32)), seed)
    catalog = dataset.catalog()
    there = [catalog[item_id] for item_id in items.item_ids]
    words = [ItemWords(item.title, (item.category or "", item.colour or "", item.brand or "")) for item in there]
    names = cluster_names(words, codes, int(codes.max()) + 1)
    return space.name, [names[code] for code in codes.tolist()]


def _rows(labels: Labels) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The rows that have a group (m,), and the groups as numbers (m,)."""
    rows = np.array([row for row, label in enumerate(labels) if label is not None], dtype=np.int64)
    _, codes = np.unique(np.array([labels[row] for row in rows], dtype=str), return_inverse=True)
    return rows, codes.astype(np.int64)


def _clusters(space: ModalityVectors, groupings: Mapping[str, Labels], neighbours: int) -> dict[str, Clustering]:
    found = {}
    for name, labels in groupings.items():
        rows, codes = _rows(labels)
        if len(np.unique(codes)) > 1:
            found[name] = clustering(space.vectors[rows], codes, neighbours)
    return found


def _against_image(
    items: MappedItems, space: ModalityVectors, labels: Labels, neighbours: int, seed: int
) -> PairedTest | None:
    before = next((one for one in items.spaces if one.name == BEFORE), None)
    rows, codes = _rows(labels)
    if before is None or space is before or len(np.unique(codes)) < 2:
        return None
    k = min(neighbours, len(rows) - 1)
    after, then = (neighbour_purity(one.vectors[rows], codes, k) for one in (space, before))
    return paired_test(after, then, seed=seed)
