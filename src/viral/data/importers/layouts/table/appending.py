"""Another week's files onto a data set that is there: new and changed items, new interactions; nothing is taken away.

The new files are imported by themselves into a folder of their own, and then laid onto the data set, whose ids keep
their order and whose old interactions keep their part of the split. The result takes the data set's place in one step.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from viral.base.errors import ViralError
from viral.base.files import staged_folder
from viral.data.catalog import ITEMS_FILE, OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from viral.data.dataset import Dataset, Rejection, Source, rejections_of, write_tables
from viral.data.importers.carry_over import carry_over, link, same_picture
from viral.data.importers.dataset_folder import told_of
from viral.data.importers.rows import filled
from viral.data.importers.splits import SplitRule, new_parts, rule_of, split_rule
from viral.data.parquet import read_parquet

WORDS = tuple(name for name in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS) if name not in ("item_id", "image"))
# How the new files are read, for each rule by which they are split afterwards: what is needed must be there.
_READ_AS: Mapping[SplitRule, SplitRule] = {
    "random": "none", "none": "none", "temporal": "temporal", "global": "temporal", "column": "column",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Appended:
    """How many of each the new files brought."""

    new_items: int
    changed_items: int  # in title, text, price, another column, or picture
    new_interactions: int
    known_interactions: int
    left_out: int  # rows that could not be used

    @property
    def nothing(self) -> bool:
        return not (self.new_items or self.changed_items or self.new_interactions)


def append_table(
    read: Callable[..., Dataset],
    source: Path,
    dataset: Path,
    split: str | None,
    *,
    columns: Mapping[str, str] | None,
    dry_run: bool = False,
    **options: Any,
) -> Dataset:
    """Append what ``read`` (``import_table``) finds in ``source`` to a data set.

    New interactions are split by the data set's own rule, or by ``split``; columns are those that are named, else those
    that were named when the data set was made, and ids are repaired where they were then. Returns the data set, whose
    manifest has under ``appended`` what was new (in memory only; the file has it in ``source.history``). Where nothing
    is new, or in a ``dry_run``, nothing is written. Raises ``DataError`` where there is no data set, and as ``read``
    does.
    """
    old = Dataset.open(dataset)
    rule = split_rule(split, has_column=True) if split else rule_of(old.manifest)
    before = old.manifest["source"].get("options", {})
    options["repair_ids"] = options.get("repair_ids") or bool(before.get("ids", {}).get("repaired_rows"))
    read = partial(read, source, known=old.catalog().ids, split=_READ_AS[rule], **options)
    with tempfile.TemporaryDirectory(prefix=f".{dataset.name}.new.", dir=dataset.parent) as place:
        new = _read(read, Path(place) / "data", columns, old)
        merged = _merge(old, new, rule)
        counts = merged.counts
        if counts.nothing or dry_run:
            return Dataset(dataset, {**old.manifest, "appended": asdict(counts)})
        with staged_folder(dataset, overwrite=True) as staging:
            _lay(old.path, new.path, staging, merged)
            faults = [*rejections_of(old.path), *(_named(fault, source) for fault in rejections_of(new.path))]
            write_tables(staging, merged.items, merged.interactions, _source(old, new, merged), faults)
            carry_over(old.path, staging)
    made = Dataset.open(dataset)
    return Dataset(dataset, {**made.manifest, "appended": asdict(counts)})


def _read(read: Callable[..., Dataset], place: Path, columns: Mapping[str, str] | None, old: Dataset) -> Dataset:
    """The new files as a data set; with the columns of the first import, where they are still called so."""
    remembered = old.manifest["source"].get("options", {}).get("columns")
    if columns is not None or not remembered:
        return read(place, columns=columns)
    try:
        return read(place, columns=remembered)
    except ViralError as fault:
        try:
            return read(place, columns=None)
        except ViralError:
            raise fault from None


@dataclass(frozen=True, slots=True)
class _Merged:
    items: pl.DataFrame
    interactions: pl.DataFrame
    pictures: dict[str, str]  # of items whose picture is new or another: item id -> its name in the new data set
    counts: Appended
    told: str  # how the new interactions were split


def _merge(old: Dataset, new: Dataset, rule: SplitRule) -> _Merged:
    before, now = read_parquet(old.path / ITEMS_FILE), read_parquet(new.path / ITEMS_FILE)
    pictures = _new_pictures(before, now, old.path, new.path)
    items, words_changed = _items(before, now, pictures)
    log, parts, added, known = _interactions(old, new, rule)
    fresh = set(now["item_id"]) - set(before["item_id"])
    changed = words_changed | (set(pictures) - fresh)
    left_out = sum(new.manifest["counts"]["rejected"].values())
    counts = Appended(len(fresh), len(changed), added, known, left_out)
    return _Merged(items, log, pictures, counts, parts)


def _new_pictures(before: pl.DataFrame, now: pl.DataFrame, old: Path, new: Path) -> dict[str, str]:
    """Items whose new picture is not the one that is there. One that comes without a picture keeps its own."""
    names = dict(before.select("item_id", "image").iter_rows())
    found = {}
    for item, name in now.select("item_id", "image").iter_rows():
        there = names.get(item)
        if name and not same_picture(old / there if there else None, new / name):
            found[item] = name
    return found


def _items(before: pl.DataFrame, now: pl.DataFrame, pictures: Mapping[str, str]) -> tuple[pl.DataFrame, set[str]]:
    """Old items in their order, then new ones; and the old ones that say something else. A gap changes nothing."""
    columns = [name for name in WORDS if name in before.columns or name in now.columns]
    for name in columns:
        before, now = (one if name in one.columns else one.with_columns(pl.lit(None, pl.String).alias(name))
                       for one in (before, now))  # fmt: skip
    said = now.select("item_id", *map(filled, columns))
    both = before.join(said, on="item_id", how="left", suffix=" now", maintain_order="left")
    differs = [
        pl.col(f"{name} now").is_not_null() & (pl.col(f"{name} now") != pl.col(name).fill_null("")) for name in columns
    ]
    changed = set(both.filter(pl.any_horizontal(differs))["item_id"].to_list())
    old = both.with_columns(pl.coalesce(f"{name} now", name).alias(name) for name in columns)
    old = old.select("item_id", *columns, "image")
    new = now.filter(~pl.col("item_id").is_in(before["item_id"].implode())).select("item_id", *columns, "image")
    merged = pl.concat([old, new.cast(dict(old.schema.items()))])
    image = pl.col("item_id").replace_strict(pictures, default=pl.col("image"), return_dtype=pl.String)
    merged = merged.with_columns(image=image) if pictures else merged
    return merged.with_columns(pl.col("title", "text").fill_null("")), changed


def _interactions(old: Dataset, new: Dataset, rule: SplitRule) -> tuple[pl.DataFrame, str, int, int]:
    """The log with the new rows at its end, how those were split, how many they are, and how many were known."""
    from viral.data.split_rules import with_split

    log, more = with_split(old.interactions()), new.interactions()
    if "timestamp" in log.columns and "timestamp" in more.columns:
        scaled = pl.col("timestamp") * 10.0 ** (_digits(old) - _digits(new))
        time = pl.col("timestamp") if _digits(old) == _digits(new) else scaled
        more = more.with_columns(time.cast(log.schema["timestamp"], strict=False).alias("timestamp"))
    fresh = more.join(log, on=["user_id", "item_id"], how="anti", maintain_order="left")
    options = old.manifest["source"].get("options", {})
    told = "no new interaction"
    if fresh.height:
        fresh, told = new_parts(log, fresh, rule, options)
    merged = pl.concat([log, fresh.select(name for name in log.columns if name in fresh.columns)], how="diagonal")
    return merged, told, fresh.height, more.height - fresh.height


def _digits(dataset: Dataset) -> int:
    """In which unit a log counts its time: the zeros that a second has in it."""
    unit = dataset.manifest["source"].get("options", {}).get("time_unit", "s")
    return {"ms": 3, "us": 6, "ns": 9}.get(unit, 0)


def _lay(old: Path, new: Path, staging: Path, merged: _Merged) -> None:
    """The pictures: the old ones, and in their place those that are another now."""
    replaced = set(merged.pictures.values())
    for name in sorted({name for name in merged.items["image"].to_list() if name}):
        origin = (new if name in replaced else old) / name
        if origin.is_file():
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            link(origin, staging / name)


def _source(old: Dataset, new: Dataset, merged: _Merged) -> Source:
    before = Source(**old.manifest["source"])
    entry = dict(new.manifest["source"]["history"][-1]) | {"counts": asdict(merged.counts), "split": merged.told}
    return replace(before, history=[*(before.history or [told_of(before)]), entry])


def _named(fault: Rejection, source: Path) -> Rejection:
    """With the week's folder before the file's name: two weeks' files are called alike."""
    return replace(fault, file=f"{source.name}/{fault.file}")
