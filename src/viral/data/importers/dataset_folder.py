"""The data set folder that an import fills: whole at the end or absent, and never in the place of its source."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from viral.base.errors import DataError, UsageError
from viral.base.files import fingerprint, staged_folder
from viral.data.dataset import MANIFEST_FILE, Rejection, Source, write_tables
from viral.data.filtering import k_core
from viral.data.importers.carry_over import carry_over
from viral.data.importers.rows import CheckedRows, filled, require_rows

FEEDBACK = ".feedback.jsonl"  # what a server writes beside a run
NOT_OF_THE_SOURCE = (MANIFEST_FILE, "run.json", "identity.json")  # a folder with one of them is something made here


def told_of(source: Source) -> dict[str, Any]:
    """An entry of the history about the import of ``source``, as the folder is now."""
    path = Path(source.path)
    return {
        "path": source.path,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": files_key(path) if source.path and path.exists() else "",
        "split": source.split,
    }


def files_key(source: Path) -> str:
    """Changes where a file is added, taken away or written to: names, sizes and times of all files below."""
    if source.is_file():
        status = source.stat()
        return fingerprint([[source.name, status.st_size, status.st_mtime_ns]])
    found = sorted(_files(source))
    return fingerprint(
        [[str(file.relative_to(source)), file.stat().st_size, file.stat().st_mtime_ns] for file in found]
    )


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name.endswith(FEEDBACK) or path.is_symlink():
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and not any((path / name).is_file() for name in NOT_OF_THE_SOURCE):
            yield from _files(path)


def imported_before(manifest: Mapping[str, Any], source: Path) -> bool:
    """Whether the files of ``source``, as they are, are in the data set already."""
    key = files_key(source)
    return any(entry.get("files") == key for entry in manifest["source"].get("history", ()))


@contextmanager
def new_dataset(source: Path, dataset: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a staging folder that becomes ``dataset`` when the block ends without an error.

    Raises ``DataError`` where ``source`` is absent, and ``UsageError`` where ``dataset`` holds the source, or already
    holds something that is not to be overwritten or is not a data set. What lies beside the tables of a data set that
    is overwritten is kept (:mod:`viral.data.importers.carry_over`).
    """
    if not source.exists():
        raise DataError("no such file or folder", where=str(source), hint="check the name of the source")
    inner, outer = source.resolve(), dataset.resolve()
    if outer == inner or outer in inner.parents:
        raise UsageError(
            "the data set would replace its own source", where=str(dataset), hint="choose another folder for it"
        )
    if overwrite and not (dataset / MANIFEST_FILE).is_file() and _holds_something(dataset):
        hint = "only a data set is overwritten; choose another folder, or remove this one yourself"
        raise UsageError("not a data set folder (no manifest.json)", where=str(dataset), hint=hint)
    if not overwrite and (dataset / MANIFEST_FILE).is_file():
        hint = "--append adds what is new (of tables), --overwrite imports it anew; both keep what was made by hand"
        raise UsageError("already exists", where=str(dataset), hint=hint)
    with staged_folder(dataset, overwrite=overwrite) as staging:
        yield staging
        if (dataset / MANIFEST_FILE).is_file():
            carry_over(dataset, staging)


def _holds_something(path: Path) -> bool:
    return path.exists() and (not path.is_dir() or any(path.iterdir()))


def write(
    staging: Path,
    items: pl.DataFrame,
    interactions: pl.DataFrame,
    source: Source,
    rejections: Iterable[Rejection],
) -> None:
    """Write the tables, with the rejections in the order of files and rows.

    ``items`` has ``item`` and may have the other columns of an item: absent titles and texts become empty, absent
    pictures, categories and URLs stay null. ``interactions`` is what ``log`` made.
    """
    absent = [name for name in ("title", "text", "image", "category", "image_url") if name not in items.columns]
    items = items.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    items = items.with_columns(pl.col("title", "text").fill_null(""), filled("category"), filled("image_url"))
    source = replace(source, history=[told_of(source)])
    ordered = sorted(rejections, key=lambda rejection: (rejection.file, rejection.row or 0))
    write_tables(staging, items.rename({"item": "item_id"}), interactions, source, ordered)


def log(rows: CheckedRows) -> pl.DataFrame:
    """The interactions of cleaned rows, with the column names of a data set."""
    kept = [name for name in ("timestamp", "split") if rows.has(name)]
    return rows.frame.select(pl.col("user").alias("user_id"), pl.col("item").alias("item_id"), *kept)


def joined(items: pl.DataFrame, columns: Iterable[str], separator: str = ". ") -> pl.Expr:
    """The non-empty texts of several columns, those that are there, as one."""
    texts = [filled(name).str.strip_chars() for name in columns if name in items.columns]
    return pl.concat_str(texts, separator=separator, ignore_nulls=True) if texts else pl.lit("")


def core_of(rows: CheckedRows, core: int, *, where: str) -> pl.DataFrame:
    """The ``core``-core of cleaned rows; raises ``DataError`` where nothing is left."""
    require_rows(rows, "interaction", where)
    return nonempty_core(log(rows), core, where=where)


def nonempty_core(interactions: pl.DataFrame, core: int, *, where: str) -> pl.DataFrame:
    """The ``core``-core of interactions; raises ``DataError`` where it is empty."""
    kept = k_core(interactions, core)
    if not kept.height:
        raise DataError(f"the {core}-core is empty", where=where, hint="ask for a smaller core, or none (0)")
    return kept


def with_images(items: pl.DataFrame, images: Mapping[str, str]) -> pl.DataFrame:
    """Add (or replace) the column ``image`` from item id -> name; null where there is none."""
    names = pl.Series([images.get(item) for item in items["item"].to_list()], dtype=pl.String)
    return items.with_columns(image=names)
