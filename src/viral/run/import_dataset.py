"""Data sets made from Python: the importers of files, and frames and arrays that are in memory already."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from viral.base.errors import DataError
from viral.base.files import read_json, write_json
from viral.data import importers
from viral.data.dataset import MANIFEST_FILE
from viral.run.dataset import Dataset
from viral.run.frames import as_polars

IN_MEMORY = "(frames)"  # in the place of a source's path
GIVEN = "given"  # the encoder of features that came as arrays


def import_table(source: Path | str, dataset: Path | str, **wishes: Any) -> Dataset:
    """Import a log and an item table as anybody exports them (:func:`viral.data.importers.import_table`)."""
    return _imported("table", source, dataset, wishes)


def import_mmrec(source: Path | str, dataset: Path | str, **wishes: Any) -> Dataset:
    """Import a folder as MMRec publishes it (:func:`viral.data.importers.import_mmrec`)."""
    return _imported("mmrec", source, dataset, wishes)


def import_movielens(source: Path | str, dataset: Path | str, **wishes: Any) -> Dataset:
    """Import MovieLens (:func:`viral.data.importers.import_movielens`)."""
    return _imported("movielens", source, dataset, wishes)


def import_amazon2014(source: Path | str, dataset: Path | str, **wishes: Any) -> Dataset:
    """Import a category of Amazon's reviews of 2014 (:func:`viral.data.importers.import_amazon2014`)."""
    return _imported("amazon2014", source, dataset, wishes)


def import_amazon2018(source: Path | str, dataset: Path | str, **wishes: Any) -> Dataset:
    """Import a category of Amazon's reviews of 2018 (:func:`viral.data.importers.import_amazon2018`)."""
    return _imported("amazon2018", source, dataset, wishes)


def import_amazon2023(source: Path | str, dataset: Path | str, **wishes: Any) -> Dataset:
    """Import a category of Amazon's reviews of 2023 (:func:`viral.data.importers.import_amazon2023`)."""
    return _imported("amazon2023", source, dataset, wishes)


def import_hm(source: Path | str, dataset: Path | str, **wishes: Any) -> Dataset:
    """Import the H&M data (:func:`viral.data.importers.import_hm`)."""
    return _imported("hm", source, dataset, wishes)


def import_microlens(source: Path | str, dataset: Path | str, **wishes: Any) -> Dataset:
    """Import MicroLens (:func:`viral.data.importers.import_microlens`)."""
    return _imported("microlens", source, dataset, wishes)


def _imported(layout: str, source: Path | str, dataset: Path | str, wishes: Mapping[str, Any]) -> Dataset:
    """The options are those of ``viral import``, and files and folders may be given as text."""
    paths = {name: Path(value) for name, value in wishes.items() if name in ("images", "items") and value is not None}
    made = importers.import_dataset(layout, Path(source), Path(dataset), **{**wishes, **paths})
    return Dataset(made.path, made.manifest)


def dataset_from_frames(
    path: Path | str,
    interactions: Any,
    items: Any = None,
    features: Mapping[str, tuple[Sequence[Any], Any]] | None = None,
    **wishes: Any,
) -> Dataset:
    """A data set folder at ``path`` from tables in memory, checked and split as files are; bad rows are counted.

    ``interactions`` and ``items`` are polars or pandas frames or mappings of columns, which are recognised by their
    names as those of files are, or named by ``columns={"user": "theirs"}``. ``features`` has, by modality, item ids (n)
    and an array (n, F). ``wishes`` are those of :func:`import_table`: ``images`` (the folder of the files that an image
    column names), ``split``, ``core``, ``seed``, ``overwrite``, ``append``, …
    """
    tables = [_features(name, ids, values) for name, (ids, values) in (features or {}).items()]
    with tempfile.TemporaryDirectory() as place:
        as_polars(interactions, "interactions").write_parquet(Path(place) / "interactions.parquet")
        if items is not None:
            as_polars(items, "items").write_parquet(Path(place) / "items.parquet")
            wishes["items"] = Path(place) / "items.parquet"
        made = import_table(Path(place), path, **wishes)
        if wishes.get("dry_run"):
            return made
    _forget_place(made.path, place)
    known = set(made.catalog().ids)
    for table in tables:
        if known.isdisjoint(table.item_ids):
            hint = "their ids are those of another catalogue: give them as the items have them"
            raise DataError(f"not one item of the features {table.modality!r} is in the data set", hint=hint)
        made.features_folder.mkdir(exist_ok=True)
        table.save(made.features_folder)
    return Dataset.open(made.path)


def _features(name: str, ids: Sequence[Any], values: Any) -> Any:
    import numpy as np

    from viral.data.features import FeatureTable

    return FeatureTable(tuple(map(str, ids)), name, np.asarray(values, dtype=np.float32), GIVEN)


def _forget_place(dataset: Path, place: str) -> None:
    """Take the temporary folder of the tables out of the manifest: it is not there any more."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cleaned(one) for name, one in value.items()}
        if isinstance(value, list):
            return [cleaned(one) for one in value]
        return IN_MEMORY + value.removeprefix(place) if isinstance(value, str) and value.startswith(place) else value

    write_json(dataset / MANIFEST_FILE, cleaned(read_json(dataset / MANIFEST_FILE)))
