"""Encoding a data set: one feature table per modality, made again only where its inputs have changed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from viral.base.errors import DataError, UsageError
from viral.base.files import fingerprint
from viral.base.progress import say, stage
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.data.descriptions import Descriptions
from viral.data.features import MADE_HERE, FeatureTable, FloatArray
from viral.data.modalities import DESCRIPTION, MODALITIES, Modality, modalities_of
from viral.data.pictures import PictureError, open_picture, read_bytes
from viral.encode.cache import encode_cached, read_vectors, write_vectors
from viral.encode.encoders import Encoder, VisionEncoder, encoder_name, encoder_of

VERSION = 1  # raised when the same inputs would give another table
CACHE_FILE = Path(".cache") / "texts.sqlite"
PICTURES_CACHE = Path(".cache") / "pictures.sqlite"
PICTURES = 32  # decoded and encoded together
SHORTER_SIDE = 256  # pictures are decoded to it: image encoders look at 224 pixels


def encode_dataset(
    dataset: Dataset,
    *,
    descriptions: Descriptions | None = None,
    encoder: Encoder | None = None,
    vision: VisionEncoder | None = None,
    modalities: Sequence[str | Modality] | None = None,
) -> dict[str, FeatureTable]:
    """Write ``features/<modality>.parquet`` and return the tables by modality.

    Of what each is made says :data:`viral.data.modalities.MODALITIES`; ``modalities`` chooses by name, and takes rows
    of yours. An item with nothing to encode has no row. By default every modality of the table for which there is
    something, ``words`` only where it is there already; a table that came with the data set is then kept. A table whose
    inputs and encoder are unchanged is not made again. ``encoder`` and ``vision`` stand in for VIRAL's own.
    """
    from viral.data.fetch import catalog_with_fetched  # loads an HTTP client, which training need not

    catalog, folder = catalog_with_fetched(dataset), dataset.features_folder
    tables = {}
    for modality in _chosen(modalities, descriptions, folder):
        file = folder / f"{modality.name}.parquet"
        there = _existing(file)
        if there is not None and not there.fingerprint.startswith(MADE_HERE) and modalities is None:
            say(f"{modality.name}: kept as it came with the data set ({there.encoder})")
            tables[modality.name] = there
            continue
        made_by = encoder_of(modality, encoder, vision)
        if modality.of_pictures:
            work = _picture_work(catalog, encoder_name(modality, made_by), made_by, folder / PICTURES_CACHE)
        else:
            work = _text_work(catalog, modality, descriptions, made_by, folder / CACHE_FILE)
        if work.inputs:
            tables[modality.name] = _table(folder, modality.name, work, there)
        elif modalities is None:
            file.unlink(missing_ok=True)  # of what was there before
            say(f"{modality.name}: no item has anything to encode; no table is made")
        else:
            raise DataError(f"no item has anything to encode as {modality.name!r}", where=str(dataset.path))
    return tables


@dataclass(frozen=True)
class _Work:
    """What a table is made of, and how."""

    inputs: Mapping[str, str]  # item id → the text, or the picture's hash
    encoder: str
    make: Callable[[str], tuple[Sequence[str], FloatArray]]  # label of the bar → item ids, values


def _table(folder: Path, modality: str, work: _Work, there: FeatureTable | None) -> FeatureTable:
    stamp = MADE_HERE + fingerprint(VERSION, modality, work.encoder, list(work.inputs.items()))
    if there is not None and there.fingerprint == stamp:
        say(f"{modality}: unchanged")
        return there
    item_ids, values = work.make(f"encode {modality}")
    table = FeatureTable(tuple(item_ids), modality, values, work.encoder, stamp)
    table.save(folder)
    return table


def _existing(path: Path) -> FeatureTable | None:
    if not path.exists():
        return None
    try:
        return FeatureTable.load(path)
    except DataError as error:
        say(f"{error.where}: {error.what}; it is made anew")
        return None


def _chosen(
    wanted: Sequence[str | Modality] | None, descriptions: Descriptions | None, folder: Path
) -> Sequence[Modality]:
    if wanted is None:
        there = [one for one in MODALITIES.values() if not one.on_request or (folder / f"{one.name}.parquet").is_file()]
        return [one for one in there if not one.of_descriptions or descriptions is not None]
    chosen = modalities_of(wanted)
    if descriptions is None and any(one.of_descriptions for one in chosen):
        raise UsageError("there are no descriptions to encode", hint="run `viral enrich DATASET` first")
    return chosen


def _text_work(
    catalog: Catalog, modality: Modality, descriptions: Descriptions | None, encoder: Encoder, cache: Path
) -> _Work:
    texts = _texts(catalog, modality, descriptions)
    name = encoder_name(modality, encoder)
    if modality.of_descriptions and descriptions is not None:
        name += f" of {descriptions.describer} with prompt {descriptions.prompt}"

    def make(label: str) -> tuple[Sequence[str], FloatArray]:
        return list(texts), encode_cached(encoder, list(texts.values()), cache, label)

    return _Work(texts, name, make)


def _texts(catalog: Catalog, modality: Modality, descriptions: Descriptions | None) -> dict[str, str]:
    """What is encoded of each item that has any words."""
    described = descriptions.texts if descriptions is not None else {}
    if modality.of_descriptions and described and not any(item_id in catalog for item_id in described):
        hint = "run `viral enrich` on this data set"
        raise DataError("the descriptions belong to another data set: not one item is the same", hint=hint)
    columns = [name for name in modality.reads if name != DESCRIPTION]
    texts = {}
    for item in catalog:
        parts = {name: getattr(item, name) or "" for name in columns} | {DESCRIPTION: described.get(item.id, "")}
        if words := modality.text_of(parts):
            texts[item.id] = words
    return texts


def _picture_work(catalog: Catalog, name: str, vision: VisionEncoder, cache: Path) -> _Work:
    paths = {item.id: item.image for item in catalog if item.image is not None}
    hashes = {}
    for item_id, path in paths.items():
        try:
            hashes[item_id] = hashlib.sha256(read_bytes(path)).hexdigest()
        except PictureError:
            continue  # counted below, where all faults of pictures are found
    keys = {item_id: f"{name}\0{digest}" for item_id, digest in hashes.items()}
    return _Work(hashes, name, lambda label: _encode_pictures(paths, keys, vision, cache, label))


def _encode_pictures(
    paths: Mapping[str, Path], keys: Mapping[str, str], vision: VisionEncoder, cache: Path, label: str
) -> tuple[Sequence[str], FloatArray]:
    """Item ids and features (n, F) of the pictures that can be read; the others are named and counted.

    ``keys`` name a picture's vector in the cache, out of which those come that were encoded before.
    """
    known = read_vectors(cache, list(keys.values()))
    found = {item_id: known[key] for item_id, key in keys.items() if key in known}
    missing = [item_id for item_id in paths if item_id not in found]
    faults: list[PictureError] = []
    with stage(label, len(missing)) as advance:
        for start in range(0, len(missing), PICTURES):
            chunk = missing[start : start + PICTURES]
            pictures = {}
            for item_id in chunk:
                try:
                    pictures[item_id] = open_picture(paths[item_id], shorter_side=SHORTER_SIDE)
                except PictureError as error:
                    faults.append(error)
            if pictures:
                new = dict(zip(pictures, vision.features(list(pictures.values())), strict=True))
                write_vectors(cache, {keys[item_id]: vector for item_id, vector in new.items() if item_id in keys})
                found |= new
            advance(len(chunk))
    if faults:
        say(f"{len(faults):,} pictures cannot be read; their items have no image features. The first: {faults[0]}")
    if not found:
        raise DataError("not one picture can be read", hint="run `viral doctor DATASET`")
    item_ids = [item_id for item_id in paths if item_id in found]
    return item_ids, np.stack([found[item_id] for item_id in item_ids])
