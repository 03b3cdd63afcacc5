"""Hop 9: what a run leaves. A folder that recommends by raw ids, without the data set and without pickle.

``bundle.json`` (model, recipe, metrics, data set, hashes) · ``scorer.safetensors`` (the tensors that rank) ·
``seen.safetensors`` (what each user has taken) · ``users.json`` (ids) · ``items.parquet`` (ids, titles, text).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from viral.catalog import Catalog
from viral.data import Interactions, Vocabulary
from viral.errors import DataError
from viral.files import read_json, sha256_file, staged_folder, write_json
from viral.models.base import EmbeddingScorer, HistoryScorer

FORMAT = 1
SCORER_FILE, SEEN_FILE, USERS_FILE, ITEMS_FILE, MANIFEST_FILE = (
    "scorer.safetensors",
    "seen.safetensors",
    "users.json",
    "items.parquet",
    "bundle.json",
)
_HASHED = (SCORER_FILE, SEEN_FILE, USERS_FILE, ITEMS_FILE)
_KEYS = {"scorer", "parts", "about", "hashes"}


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Everything that recommending and explaining need."""

    scorer: EmbeddingScorer | HistoryScorer
    users: Vocabulary
    items: Vocabulary
    titles: tuple[str, ...]  # by item index
    seen: Interactions  # the training interactions
    about: Mapping[str, Any]  # model, recipe, metrics, data set

    def save(self, path: Path) -> None:
        """Write the folder, whole or not at all, in the place of an older one."""
        import polars as pl

        with staged_folder(path, overwrite=True) as folder:
            tensors = _tensors(self.scorer)
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / SCORER_FILE)
            save_file(
                {"users": self.seen.users.contiguous(), "items": self.seen.items.contiguous()}, folder / SEEN_FILE
            )
            write_json(folder / USERS_FILE, list(self.users.ids))
            pl.DataFrame({"item_id": self.items.ids, "title": self.titles}).write_parquet(folder / ITEMS_FILE)
            manifest = {
                "format": FORMAT,
                "scorer": type(self.scorer).__name__,
                "parts": {name: list(span) for name, span in getattr(self.scorer, "parts", {}).items()},
                "about": dict(self.about),
                "hashes": {name: sha256_file(folder / name) for name in _HASHED},
            }
            write_json(folder / MANIFEST_FILE, manifest)

    @classmethod
    def load(cls, path: Path) -> "Bundle":
        """Read and verify a bundle; raises ``DataError`` where a file is absent, changed or of another format."""
        import polars as pl

        manifest = read_manifest(path)
        for name in _HASHED:
            if not (path / name).is_file() or sha256_file(path / name) != manifest["hashes"].get(name):
                raise DataError("missing or changed since it was saved", where=str(path / name), hint="train again")
        users = Vocabulary(read_json(path / USERS_FILE), "user")
        frame = pl.read_parquet(path / ITEMS_FILE)
        items = Vocabulary(frame["item_id"].to_list(), "item")
        try:
            tensors, seen = load_file(path / SCORER_FILE), load_file(path / SEEN_FILE)
            scorer = _scorer(manifest, tensors)
        except (SafetensorError, KeyError, TypeError) as error:
            raise DataError(f"not a scorer ({error})", where=str(path), hint="train again") from None
        interactions = Interactions(seen["users"], seen["items"], len(users), len(items))
        return cls(scorer, users, items, tuple(frame["title"].to_list()), interactions, manifest["about"])


def make_bundle(
    scorer: Any, catalog: Catalog, users: Vocabulary, items: Vocabulary, seen: Interactions, about: Mapping[str, Any]
) -> Bundle:
    """Put together what a trained model leaves; titles come from the catalogue, by id."""
    return Bundle(scorer, users, items, tuple(catalog[item_id].title for item_id in items.ids), seen, about)


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a bundle folder; raises ``DataError`` where there is none."""
    if not (path / MANIFEST_FILE).is_file():
        raise DataError(
            "not a bundle (no bundle.json)", where=str(path), hint="train one: viral train DATASET --out RUN"
        )
    manifest: dict[str, Any] = read_json(path / MANIFEST_FILE)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or not manifest.keys() >= _KEYS:
        raise DataError(f"not a bundle of format {FORMAT}", where=str(path / MANIFEST_FILE), hint="train again")
    return manifest


def _tensors(scorer: EmbeddingScorer | HistoryScorer) -> dict[str, Tensor]:
    if isinstance(scorer, EmbeddingScorer):
        return {"users": scorer.users, "items": scorer.items}
    history = {"offsets": scorer.offsets, "items": scorer.items}
    filled = scorer.weights != 0
    if filled.double().mean() > 0.3:  # the indices would take more than the zeros
        return history | {"weights": scorer.weights}
    rows, columns = filled.nonzero(as_tuple=True)
    offsets = torch.nn.functional.pad(filled.sum(dim=1).cumsum(0), (1, 0))
    return history | {"rows": offsets, "columns": columns, "values": scorer.weights[rows, columns]}


def _scorer(manifest: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> EmbeddingScorer | HistoryScorer:
    if manifest["scorer"] == "EmbeddingScorer":
        parts = {name: (int(start), int(stop)) for name, (start, stop) in manifest["parts"].items()}
        return EmbeddingScorer(tensors["users"], tensors["items"], parts)
    if "weights" in tensors:
        return HistoryScorer(tensors["offsets"], tensors["items"], tensors["weights"])
    size = len(tensors["rows"]) - 1
    weights = torch.zeros(size, size, dtype=tensors["values"].dtype)
    rows = torch.arange(size).repeat_interleave(tensors["rows"].diff())
    weights[rows, tensors["columns"]] = tensors["values"]
    return HistoryScorer(tensors["offsets"], tensors["items"], weights)
