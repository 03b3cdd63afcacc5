"""Hop 1: what others publish, in any of the layouts that are known here, becomes a data set folder.

``layouts`` has one file a layout (Amazon's and anybody's own tables are packages); ``readers`` one a file format;
``columns`` recognises which column is what; ``pictures`` finds each item's; ``cells`` and ``times`` make plain what
stands in a cell; ``splits`` divides the log; ``dataset_folder`` writes, and ``carry_over`` keeps what was made by hand.

An importer reads text as it is written (an id ``007`` stays ``007``), names every row that it leaves out in
``rejected.jsonl``, and writes the folder whole or not at all. A new layout is a function like the others and a line in
``IMPORTERS``.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from viral.base.errors import UsageError, nearest
from viral.data.dataset import Dataset
from viral.data.importers.layouts.amazon.editions import import_amazon2014, import_amazon2018, import_amazon2023
from viral.data.importers.layouts.hm import import_hm
from viral.data.importers.layouts.microlens import import_microlens
from viral.data.importers.layouts.mmrec import import_mmrec
from viral.data.importers.layouts.movielens import import_movielens
from viral.data.importers.layouts.table.importing import import_table

Importer = Callable[..., Dataset]  # (source, dataset, *, overwrite=False, <the layout's options>)

IMPORTERS: dict[str, Importer] = {
    "mmrec": import_mmrec,
    "movielens": import_movielens,
    "table": import_table,
    "hm": import_hm,
    "microlens": import_microlens,
    "amazon2014": import_amazon2014,
    "amazon2018": import_amazon2018,
    "amazon2023": import_amazon2023,
}

__all__ = [
    "IMPORTERS",
    "Importer",
    "import_amazon2014",
    "import_amazon2018",
    "import_amazon2023",
    "import_dataset",
    "import_hm",
    "import_microlens",
    "import_mmrec",
    "import_movielens",
    "import_table",
]


def import_dataset(layout: str, source: Path, dataset: Path, *, overwrite: bool = False, **options: Any) -> Dataset:
    """Import ``source``, which is in ``layout``, as a new data set folder.

    Raises ``UsageError`` for a layout that there is not, or an option that it does not have.
    """
    if layout not in IMPORTERS:
        raise UsageError(f"unknown layout {layout!r}", hint=nearest(layout, IMPORTERS))
    importer = IMPORTERS[layout]
    known = _options(importer)
    for option in options:
        if option not in known:
            having = [name for name, other in IMPORTERS.items() if option in _options(other)]
            hint = f"it is one of {', '.join(having)}" if having else nearest(option, known)
            raise UsageError(f"layout {layout!r} has no option {option!r}", hint=hint)
    return importer(source, dataset, overwrite=overwrite, **options)


def _options(importer: Importer) -> list[str]:
    return [name for name in inspect.signature(importer).parameters if name not in ("source", "dataset")]
