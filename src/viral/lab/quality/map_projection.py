"""Items in two dimensions: principal components, or t-SNE where openTSNE is installed. n items, F dimensions."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from viral.base.errors import UsageError
from viral.base.extras import is_installed, require

FloatArray = npt.NDArray[np.float64]
Method = Literal["pca", "tsne"]

PERPLEXITY = 30.0
METHODS = ("auto", "pca", "tsne")
LEAST_TSNE = 5  # items; fewer have no neighbourhoods


@dataclass(frozen=True, slots=True, eq=False)
class MapProjection:
    """Points (n, 2), how they were made, and the share of the variance that they show (PCA only)."""

    points: FloatArray
    method: Method
    explained: float | None = None


def resolve(method: str) -> Method:
    """``pca`` or ``tsne``; ``auto`` is t-SNE where openTSNE is installed. Else ``UsageError`` says how to get it."""
    if method not in METHODS:
        raise UsageError(f"unknown method {method!r}", hint=", ".join(METHODS))
    if method == "tsne":
        require("map", purpose="t-SNE")
    return "tsne" if method != "pca" and is_installed("openTSNE") else "pca"


def project(vectors: npt.NDArray[np.floating[Any]], method: Method, *, seed: int) -> MapProjection:
    """Two dimensions of the unit vectors (n, F) -> (n, 2); the same input and seed give the same points."""
    values = vectors.astype(np.float64)
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    if method == "tsne" and len(unit) >= LEAST_TSNE:
        return MapProjection(_tsne(unit, seed), "tsne")
    return _pca(unit)


def _pca(unit: FloatArray) -> MapProjection:
    """The two widest principal axes, exactly, so without a seed; each axis's largest loading is positive."""
    from scipy.linalg import eigh

    centred = unit - unit.mean(axis=0)
    total = float((centred**2).sum())
    wide = len(unit) < unit.shape[1]
    gram = centred @ centred.T if wide else centred.T @ centred  # the smaller of the two has the same spectrum
    wanted = min(2, len(gram))
    values, vectors = eigh(gram, subset_by_index=(len(gram) - wanted, len(gram) - 1))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    axes = (
        centred.T @ vectors if wide else vectors
    )  # (F, 2); of the first kind not of length one, which does not matter
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(wanted)])
    points = np.zeros((len(unit), 2))
    points[:, :wanted] = (vectors * np.sqrt(values) if wide else centred @ vectors) * np.where(signs == 0, 1, signs)
    return MapProjection(points, "pca", float(values.sum() / total) if total > 0 else 1.0)


def _tsne(unit: FloatArray, seed: int) -> FloatArray:
    """Points by openTSNE (Poličar et al., JSS 2024) on cosines, begun at the principal components, on one thread."""
    from openTSNE import TSNE

    perplexity = min(PERPLEXITY, (len(unit) - 1) / 3)
    tsne = TSNE(
        perplexity=perplexity, metric="cosine", neighbors="exact", initialization="pca", n_jobs=1, random_state=seed
    )
    return np.asarray(tsne.fit(unit), dtype=np.float64)
