"""The H&M layout (Kaggle, 2022): ``transactions_train.csv``, ``articles.csv`` and ``images/010/0108775015.jpg``.

It is the layout ``table`` with the names of these files and columns; ``customers.csv`` is not read.
"""

from pathlib import Path

from viral.base.errors import DataError
from viral.data.dataset import Dataset
from viral.data.importers.layouts.recognising import elsewhere
from viral.data.importers.layouts.table.importing import import_table
from viral.data.importers.readers.compressed import refuse_foreign

LOG, ITEMS, IMAGES = "transactions_train", "articles", "images"
_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_COLUMNS = {
    "user": "customer_id",
    "item": "article_id",
    "timestamp": "t_dat",
    "title": "prod_name",
    "text": "detail_desc",
    "category": "product_type_name",
    "colour": "colour_group_name",
}


def import_hm(
    source: Path,
    dataset: Path,
    *,
    overwrite: bool = False,
    core: int = 0,
    split: str | None = None,
    seed: int = 0,
    images: Path | None = None,
    repair_ids: bool = False,
) -> Dataset:
    """Import the folder of the competition as it is unzipped: purchases with their day, articles and their pictures.

    Options are those of ``import_table``. Article numbers begin with a zero, which spreadsheets and data frames lose:
    ``repair_ids`` gives it back. Raises ``DataError`` where one of the two files is not there.
    """
    if source.is_file():
        refuse_foreign(source)
    folder = source.parent if source.is_file() else source
    log, items = (_table(folder, stem, dataset) for stem in (LOG, ITEMS))
    pictures = folder / IMAGES
    return import_table(
        source if source.is_file() else log,
        dataset,
        overwrite=overwrite,
        columns=_COLUMNS,
        images=images or (pictures if pictures.is_dir() else None),
        items=items,
        core=core,
        split=split,
        seed=seed,
        repair_ids=repair_ids,
    )


def _table(folder: Path, stem: str, dataset: Path) -> Path:
    for suffix in _SUFFIXES:
        if (folder / (stem + suffix)).is_file():
            return folder / (stem + suffix)
    hint = elsewhere("hm", folder, dataset) or f"give the folder that has {LOG}.csv and {ITEMS}.csv"
    raise DataError(f"no {stem}.csv here", where=str(folder), hint=hint)
