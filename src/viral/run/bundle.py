"""Hop 9: what a run leaves. A folder that recommends by raw ids, without the data set and without pickle.

``bundle.json`` (model, recipe, metrics, data set, hashes) · ``scorer.safetensors`` (the tensors that rank) ·
``seen.safetensors`` (each user's history) · ``users.json`` (ids) · ``items.parquet`` (ids, titles, words). Where
its :class:`~viral.run.bundle_extras.Material` is known, also ``features.safetensors`` and ``parameters.safetensors``:
with them it embeds items that it never saw, and training can go on from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from viral.base.errors import DataError
from viral.base.files import fingerprint, read_json, sha256_file, staged_folder, write_json
from viral.data.catalog import Catalog
from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.models.scorers import Scorer, load_scorer
from viral.run.bundle_extras import COLUMNS, Material

FORMAT = 1
SCORER_FILE, SEEN_FILE, USERS_FILE, ITEMS_FILE, MANIFEST_FILE = (
    "scorer.safetensors",
    "seen.safetensors",
    "users.json",
    "items.parquet",
    "bundle.json",
)
FEATURES_FILE, PARAMETERS_FILE = "features.safetensors", "parameters.safetensors"
_HASHED = (SCORER_FILE, SEEN_FILE, USERS_FILE, ITEMS_FILE)
_OPTIONAL = (FEATURES_FILE, PARAMETERS_FILE)
_KEYS = {"scorer", "parts", "about", "hashes"}


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Bundle:
    """Everything that recommending and explaining need."""

    scorer: Scorer
    users: Vocabulary
    items: Vocabulary
    titles: tuple[str, ...]  # by item index
    seen: Interactions  # the training interactions
    about: Mapping[str, Any]  # model, recipe, metrics, data set
    material: Material = field(default_factory=Material)

    def save(self, path: Path) -> None:
        """Write the folder, whole or not at all, in the place of an older one."""
        import polars as pl

        with staged_folder(path, overwrite=True) as folder:
            tensors = self.scorer.tensors()
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / SCORER_FILE)
            save_file(
                {"users": self.seen.users.contiguous(), "items": self.seen.items.contiguous()}, folder / SEEN_FILE
            )
            write_json(folder / USERS_FILE, list(self.users.ids))
            columns = {"item_id": self.items.ids, "title": self.titles, **self.material.columns}
            pl.DataFrame(columns).write_parquet(folder / ITEMS_FILE)
            optional = _save_material(self.material, folder)
            manifest = {
                "format": FORMAT,
                **self.scorer.manifest(),
                "encoders": dict(self.material.encoders),
                "about": dict(self.about),
                "hashes": {name: sha256_file(folder / name) for name in (*_HASHED, *optional)},
            }
            write_json(folder / MANIFEST_FILE, manifest | {"sha256": fingerprint(manifest)})

    @classmethod
    def load(cls, path: Path) -> "Bundle":
        """Read and verify a bundle; raises ``DataError`` where a file is absent, changed or of another format."""
        import polars as pl

        manifest = read_manifest(path)
        there = [name for name in _OPTIONAL if name in manifest["hashes"]]
        for name in (*_HASHED, *there):
            if not (path / name).is_file() or sha256_file(path / name) != manifest["hashes"].get(name):
                raise DataError("missing or changed since it was saved", where=str(path / name), hint="train again")
        users = Vocabulary(read_json(path / USERS_FILE), "user")
        frame = pl.read_parquet(path / ITEMS_FILE)
        items = Vocabulary(frame["item_id"].to_list(), "item")
        try:
            tensors, seen = load_file(path / SCORER_FILE), load_file(path / SEEN_FILE)
            scorer = load_scorer(manifest, tensors)
            material = _load_material(path, manifest, frame, there)
        except (SafetensorError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise DataError(f"not a scorer ({error})", where=str(path), hint="train again") from None
        interactions = Interactions(seen["users"], seen["items"], len(users), len(items))
        titles, about = tuple(frame["title"].to_list()), _with_variant(manifest["about"])
        return cls(scorer, users, items, titles, interactions, about, material)


def make_bundle(
    scorer: Any,
    catalog: Catalog,
    users: Vocabulary,
    items: Vocabulary,
    seen: Interactions,
    about: Mapping[str, Any],
    material: Material | None = None,
) -> Bundle:
    """Put together what a trained model leaves; titles come from the catalogue, by id."""
    titles = tuple(catalog[item_id].title for item_id in items.ids)
    return Bundle(scorer, users, items, titles, seen, about, material or Material())


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a bundle folder; raises ``DataError`` where there is none."""
    if not (path / MANIFEST_FILE).is_file():
        raise DataError(
            "not a bundle (no bundle.json)", where=str(path), hint="train one: viral train DATASET --out RUN"
        )
    manifest: dict[str, Any] = read_json(path / MANIFEST_FILE)
    where = str(path / MANIFEST_FILE)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or not manifest.keys() >= _KEYS:
        raise DataError(f"not a bundle of format {FORMAT}", where=where, hint="train again")
    for name in ("parts", "about", "hashes"):
        if not isinstance(manifest[name], dict):
            raise DataError(f"{name!r} is not what a bundle has there", where=where, hint="train again")
    # A bundle of before there was one has no checksum of what it says of itself.
    if "sha256" in manifest and manifest.pop("sha256") != fingerprint(manifest):
        raise DataError("changed since it was saved: its checksum differs", where=where, hint="train again")
    return manifest


def _save_material(material: Material, folder: Path) -> list[str]:
    """Write what there is; returns the names of the files."""
    features = {f"values/{name}": values for name, values in material.features.items()}
    features |= {f"present/{name}": present for name, present in material.present.items()}
    parameters = {f"model/{name}": value for name, value in material.parameters.items()}
    if material.unlinked is not None:
        parameters["unlinked"] = material.unlinked
    files = {FEATURES_FILE: features, PARAMETERS_FILE: parameters}
    for name, tensors in files.items():
        if tensors:
            save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / name)
    return [name for name, tensors in files.items() if tensors]


def _load_material(path: Path, manifest: Mapping[str, Any], frame: Any, there: Sequence[str]) -> Material:
    features = load_file(path / FEATURES_FILE) if FEATURES_FILE in there else {}
    parameters = load_file(path / PARAMETERS_FILE) if PARAMETERS_FILE in there else {}
    return Material(
        {name: frame[name].to_list() for name in COLUMNS if name in frame.columns},
        _below("values/", features),
        _below("present/", features),
        manifest.get("encoders", {}),
        _below("model/", parameters),
        parameters.get("unlinked"),
    )


def _with_variant(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a bundle is about; one of before VIRAL's default was ``beyond`` names no variant, and means ``light``."""
    recipe = about.get("recipe", {})
    if recipe.get("model") != "viral" or "memory" in recipe:
        return about
    return {**about, "recipe": {**recipe, "config": {"variant": "light", **recipe.get("config", {})}}}


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
