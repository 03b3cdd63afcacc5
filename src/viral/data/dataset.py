"""A data set is a folder: ``manifest.json``, ``items.parquet``, ``interactions.parquet``, ``images/``, ``features/``.

``items.parquet`` has ``item_id, title, text, image`` (and may have ``category, image_url, price, colour, brand``);
``interactions.parquet`` has ``user_id, item_id`` (and may have ``timestamp, split``; split is ``train``, ``valid`` or
``test``). External ids are strings. ``rejected.jsonl`` names every input row that was left out, with file, row, field
and reason.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from viral.base.errors import DataError
from viral.base.files import fingerprint, read_json, sha256_file, write_json
from viral.data.catalog import ITEMS_FILE, OPTIONAL_COLUMNS, REQUIRED_COLUMNS, Catalog, check_text
from viral.data.parquet import read_parquet

if TYPE_CHECKING:
    import polars as pl

FORMAT = 1
MANIFEST_FILE, INTERACTIONS_FILE, REJECTED_FILE = "manifest.json", "interactions.parquet", "rejected.jsonl"
IMAGES_FOLDER, FEATURES_FOLDER = "images", "features"
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, slots=True)
class Rejection:
    """One input row that was left out. ``row`` counts data rows from 1, a header not counted."""

    file: str
    row: int | None
    field: str
    reason: str  # a short fixed phrase, counted in the manifest
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a data set came from."""

    layout: str
    path: str = ""
    licence: str = "unknown"
    split: str = ""  # how the log was split, in words: "published, in time order per user"
    options: Mapping[str, Any] = field(default_factory=dict)
    # Every import in its order: path, when, a key of the files, counts.
    history: Sequence[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Dataset:
    """An opened data set folder."""

    path: Path
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open a data set folder; raises ``DataError`` when it is not one."""
        path = Path(path)
        if not (path / MANIFEST_FILE).is_file():
            hint = "make one with `viral import LAYOUT SOURCE DATASET` or `viral shop DATASET`"
            raise DataError("not a data set folder (no manifest.json)", where=str(path), hint=hint)
        manifest = read_json(path / MANIFEST_FILE)
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise DataError(f"not a manifest of format {FORMAT}", where=str(path / MANIFEST_FILE), hint="import again")
        if not isinstance(manifest.get("hashes"), dict):
            raise DataError("the manifest has no hashes", where=str(path / MANIFEST_FILE), hint="import again")
        return cls(path, manifest)

    def catalog(self) -> Catalog:
        return Catalog.read(self.path)

    def interactions(self) -> "pl.DataFrame":
        """The interactions as strings (``user_id, item_id`` and, where known, ``timestamp, split``)."""
        file = self.path / INTERACTIONS_FILE
        frame = read_parquet(file)
        check_text(frame, [name for name in frame.columns if name == "split"] + ["user_id", "item_id"], file)
        return frame

    @property
    def features_folder(self) -> Path:
        return self.path / FEATURES_FOLDER

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the hashes of the items and interactions, as the manifest has them."""
        return fingerprint(self.manifest["hashes"])


def image_name(item_id: str, suffix: str) -> str:
    """A file name below ``images/`` that any item id maps to, uniquely and without a path in it."""
    name = quote(item_id, safe="")
    if len(name) > 120 or name.startswith("."):
        name = "id-" + fingerprint(item_id)[:32]
    return f"{IMAGES_FOLDER}/{name}{suffix.lower()}"


def write_tables(
    folder: Path,
    items: "pl.DataFrame",
    interactions: "pl.DataFrame",
    source: Source,
    rejections: Iterable[Rejection] = (),
) -> Dataset:
    """Write the tables and the manifest of a data set into ``folder`` (usually a ``staged_folder``).

    Pictures are already in ``folder/images``, named by ``image_name``. ``items`` and ``interactions`` have the columns
    of the module's docstring; ids are strings, item ids unique, every interaction's item is in ``items`` and no
    (user, item) pair occurs twice, else ``DataError``.
    """
    _check_tables(items, interactions)
    optional = [name for name in OPTIONAL_COLUMNS if name in items.columns]
    items.select(*REQUIRED_COLUMNS, *optional).write_parquet(folder / ITEMS_FILE)
    kept = [name for name in ("user_id", "item_id", "timestamp", "split") if name in interactions.columns]
    interactions.select(*kept).write_parquet(folder / INTERACTIONS_FILE)
    reasons = write_rejections(folder / REJECTED_FILE, rejections)
    manifest = {
        "format": FORMAT,
        "source": asdict(source),
        "counts": _counts(items, interactions) | {"rejected": reasons},
        "hashes": {name: sha256_file(folder / name) for name in (ITEMS_FILE, INTERACTIONS_FILE)},
    }
    write_json(folder / MANIFEST_FILE, manifest)
    return Dataset(folder, manifest)


def _check_tables(items: "pl.DataFrame", interactions: "pl.DataFrame") -> None:
    import polars as pl

    for frame, names in ((items, REQUIRED_COLUMNS), (interactions, ("user_id", "item_id"))):
        for name in names:
            if frame.schema.get(name) not in (pl.String, pl.Null) or (name.endswith("_id") and frame[name].has_nulls()):
                raise DataError(f"column {name!r} must be text without gaps", where="the imported tables")
    if items["item_id"].is_duplicated().any():
        raise DataError("item ids are not unique", where="the imported items")
    if not interactions["item_id"].is_in(items["item_id"].implode()).all():
        raise DataError("an interaction names an item that is not in the catalogue", where="the imported interactions")
    if interactions.select("user_id", "item_id").is_duplicated().any():
        raise DataError("a (user, item) pair occurs twice", where="the imported interactions")


def _counts(items: "pl.DataFrame", interactions: "pl.DataFrame") -> dict[str, int]:
    counts = {
        "users": interactions["user_id"].n_unique(),
        "items": items.height,
        "interactions": interactions.height,
        "images": items["image"].drop_nulls().len(),
    }
    if "split" in interactions.columns:
        counts |= {name: int((interactions["split"] == name).sum()) for name in SPLITS}
    return counts


def rejections_of(folder: Path) -> Iterator[Rejection]:
    """What the imports of a data set left out."""
    if (folder / REJECTED_FILE).is_file():
        with (folder / REJECTED_FILE).open(encoding="utf-8") as lines:
            yield from (Rejection(**json.loads(line)) for line in lines)


def write_rejections(path: Path, rejections: Iterable[Rejection]) -> dict[str, int]:
    """Write rejected rows as JSON lines; how many there are, by reason."""
    reasons: Counter[str] = Counter()
    with path.open("w", encoding="utf-8") as file:
        for rejection in rejections:
            reasons[rejection.reason] += 1
            file.write(json.dumps(asdict(rejection), ensure_ascii=False) + "\n")
    return dict(sorted(reasons.items()))
