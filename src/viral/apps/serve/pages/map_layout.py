"""Where a bundle's items lie on the map and what colours them. Shapes: I items, D or F the width of a vector, P parts.

Two dimensions are made of all vectors at once and kept beside the run under the hash of the vectors, so that a second
look, another worker and a restart read them from a file.
"""

import hashlib
import logging
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from viral.base.errors import DataError
from viral.base.files import atomic_write, fingerprint
from viral.base.language import _, marked, n_
from viral.graph.blocks import row_blocks
from viral.lab.quality.cluster_names import EVERYTHING, UNNAMED, ItemWords, cluster_names
from viral.lab.quality.cosine_clusters import directional_clusters
from viral.lab.quality.map_projection import Method, project
from viral.models.scorers import MEMORY, Scorer, SparseTable
from viral.run.bundle import Bundle
from viral.run.retrieval.similarity import FUSED

VERSION = 1  # raised when the same vectors would be laid out otherwise
FOLDER = "maps"  # in the run's folder
SEED = 0
MOST_TSNE = 5000  # items; its neighbours are found exactly, which takes the square of that
WIDE, NARROWED = 1024, 256  # wider vectors (an item-item model's are as wide as the catalogue) are narrowed first
GROUPS = 24  # that eight tones in three shapes tell apart
NONE = 255  # the code of an item without a group
MOST_USERS = 1000  # of whom it is asked how much a model's memory weighs
KINDS = ("category", "colour", "brand")  # columns whose values are words of a cluster's name
CATEGORY, MODALITY, CLUSTER = marked("Category"), marked("Modality"), marked("Cluster")
OWN = marked("The catalogue's own categories.")
DOMINANT = marked(
    "The part of the model that moves the item's scores most: the largest root mean square, over all users, of what the"
    " part adds to a user's score."
)
CLUSTERED = marked(
    "Clusters of the vectors' directions (k-means), each named by the words of categories, colours, brands and titles"
    " that set it apart from the others."
)
Points = npt.NDArray[np.float32]
log = logging.getLogger("viral.apps.serve")


@dataclass(frozen=True, slots=True, eq=False)
class MapLayout:
    """Points (I, 2) within [-1, 1], NaN where an item has no vector; the share of the variance shown (PCA only)."""

    points: Points
    method: Method
    explained: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """Groups of the items: ``codes`` (I,) uint8 number ``groups``, ``NONE`` is no group."""

    name: str
    label: str
    about: str
    groups: tuple[str, ...]
    codes: npt.NDArray[np.uint8]
    ours: frozenset[str] = frozenset()  # groups that are named by us, not by the catalogue: these are translated
    rest: int = 0  # of the catalogue's groups, as many are together in the last one

    @property
    def names(self) -> list[str]:
        """The groups in the language of the page."""
        made = [_(group) if group in self.ours else group for group in self.groups]
        if self.rest:
            made[-1] = n_("%(number)s smaller category", "%(number)s smaller categories", self.rest)
        return made

    @property
    def counts(self) -> list[int]:
        return np.bincount(self.codes, minlength=NONE + 1)[: len(self.groups)].tolist()


def spaces(bundle: Bundle) -> tuple[str, ...]:
    """What the items can be laid out by: the model's vectors, and each modality's features."""
    return (FUSED, *bundle.material.features)


def methods(bundle: Bundle) -> tuple[Method, ...]:
    """``pca``, and ``tsne`` where openTSNE is installed and the items are not too many."""
    return ("pca", "tsne") if find_spec("openTSNE") is not None and len(bundle.items) <= MOST_TSNE else ("pca",)


def vectors(bundle: Bundle, space: str) -> tuple[Tensor, Tensor]:
    """The space's vectors (I, D), narrowed where they are sparse, and which items have one (I,)."""
    if space == FUSED:
        found = bundle.scorer.item_vectors
        table = found if isinstance(found, Tensor) else narrowed(found)
        return table, torch.ones(len(table), dtype=torch.bool)
    return bundle.material.features[space], bundle.material.present[space]


def layout(bundle: Bundle, space: str, method: Method, run: Path) -> MapLayout:
    """The items in two dimensions, read from ``run``'s maps where these vectors were laid out before."""
    table, there = vectors(bundle, space)
    found = narrowed(table[there].float()).numpy()
    key = fingerprint(VERSION, method, SEED, list(found.shape), hashlib.sha256(found.tobytes()).hexdigest())
    kept = run / FOLDER / f"{key}.npy"
    flat = _read(kept, len(found))
    if flat is None:
        made = project(found, method, seed=SEED)
        flat = np.append(scaled(made.points).ravel(), np.nan if made.explained is None else made.explained)
        _write(kept, flat.astype(np.float32))
    points = np.full((len(there), 2), np.nan, dtype=np.float32)
    points[there.numpy()] = flat[:-1].reshape(-1, 2)
    return MapLayout(points, method, None if np.isnan(flat[-1]) else float(flat[-1]))


def narrowed(table: Tensor | SparseTable) -> Tensor:
    """The vectors, very wide ones by a random projection (Johnson & Lindenstrauss 1984): (n, D) -> (n, ≤ D)."""
    if table.shape[1] <= WIDE:
        return table[torch.arange(len(table))]
    random = torch.randn(table.shape[1], NARROWED, generator=torch.Generator().manual_seed(SEED))
    return table @ random / NARROWED**0.5


def scaled(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same picture (n, 2), centred, and as large as fits in [-1, 1]."""
    if not len(points):
        return points
    low, high = points.min(axis=0), points.max(axis=0)
    half = float((high - low).max()) / 2 or 1.0
    return (points - (low + high) / 2) / half


def _read(path: Path, count: int) -> npt.NDArray[np.float32] | None:
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == (2 * count + 1,) and found.dtype == np.float32 else None


def _write(path: Path, values: npt.NDArray[np.float32]) -> None:
    try:
        with atomic_write(path) as temporary:
            np.save(temporary, values, allow_pickle=False)
    except (OSError, DataError) as error:  # read only, or full; then it is computed at every start
        log.warning("the map cannot be kept beside the run: %s", error)


def by_category(bundle: Bundle) -> Colouring | None:
    """The catalogue's categories, the largest by name; None where there are none."""
    labels = bundle.material.columns.get("category", ())
    counted = Counter(label for label in labels if label)
    if not counted:
        return None
    names = [name for name, _ in counted.most_common()]
    rest = len(names) - GROUPS + 1 if len(names) > GROUPS else 0
    shown = [*names[: GROUPS - 1], ""] if rest else names
    place = {name: min(at, GROUPS - 1) for at, name in enumerate(names)}
    codes = np.array([place.get(label, NONE) for label in labels], dtype=np.uint8)
    return Colouring("category", CATEGORY, OWN, tuple(shown), codes, rest=rest)


def dominance(bundle: Bundle) -> tuple[tuple[str, ...], Tensor] | None:
    """How much each part of the model weighs in an item's scores: names (P,) and root mean squares (I, P).

    The weight of part p in item i is √(mean over users u of ⟨u_p, i_p⟩²) = √(i_pᵀ (U_pᵀ U_p / U) i_p), with u_p and i_p
    the columns of that part: what p adds to, or takes from, a user's score for the item, whichever the user; of the
    memory it is the mean over ``MOST_USERS`` users, evenly spaced. None for a model whose scores have no parts.
    """
    vectors = bundle.scorer.vectors
    if vectors is None or len(vectors.parts) < 2:
        return None
    weights = {}
    for name, (start, stop) in vectors.parts.items():
        users, items = vectors.users[:, start:stop].double(), vectors.items[:, start:stop].double()
        gram = users.T @ users / max(1, len(users))
        weights[name] = ((items @ gram) * items).sum(dim=1).clamp(min=0).sqrt()
    if bundle.scorer.item_weights is not None:
        weights[MEMORY] = _of_memory(bundle.scorer)
    return tuple(weights), torch.stack(list(weights.values()), dim=1)


def _of_memory(scorer: Scorer) -> Tensor:
    """The root mean square of the memory's part of each item's scores: (I,) float64."""
    users = torch.arange(scorer.num_users)[:: max(1, -(-scorer.num_users // MOST_USERS))]
    squares = torch.zeros(scorer.num_items, dtype=torch.float64)
    for rows in row_blocks(len(users), scorer.num_items):
        squares += scorer.history_scores(users[rows]).square().sum(dim=0)
    return squares.div_(max(1, len(users))).sqrt_()


def by_dominance(bundle: Bundle) -> Colouring | None:
    """The part that weighs most in each item's scores."""
    found = dominance(bundle)
    if found is None:
        return None
    parts, weights = found
    names = tuple(name.replace("_", " ") for name in parts)  # as the other pages have them
    codes = weights.argmax(dim=1).numpy().astype(np.uint8)
    codes[(weights.sum(dim=1) == 0).numpy()] = NONE
    return Colouring("dominance", MODALITY, DOMINANT, names, codes, frozenset(names))


def by_cluster(bundle: Bundle, space: str) -> Colouring:
    """Clusters of the directions of the vectors, each named by the words that set its items apart."""
    table, there = vectors(bundle, space)
    found = directional_clusters(narrowed(table[there].float()), SEED)
    count = int(found.max()) + 1 if len(found) else 1
    codes = np.full(len(there), NONE, dtype=np.uint8)
    codes[there.numpy()] = found
    names = cluster_names(_words(bundle), codes, count)
    return Colouring("cluster", CLUSTER, CLUSTERED, tuple(names), codes, frozenset({UNNAMED, EVERYTHING}))


def _words(bundle: Bundle) -> list[ItemWords]:
    """What is known of each item in words."""
    columns = [values for name in KINDS if (values := bundle.material.columns.get(name))]
    kinds = zip(*columns, strict=True) if columns else ((),) * len(bundle.titles)
    return [ItemWords(title, tuple(said)) for title, said in zip(bundle.titles, kinds, strict=True)]
