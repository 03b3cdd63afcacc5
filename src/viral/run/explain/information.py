"""What an item's modalities tell of choices, as ``viral information RUN`` measured and kept it."""

from collections.abc import Mapping
from pathlib import Path

from viral.base.errors import DataError
from viral.base.files import read_json

FILE = "information.json"  # in the run's folder
DEFINITION = "broja"


def load(run: Path) -> dict[str, Mapping[str, float]]:
    """Bits by item id and part (redundant, unique, synergistic) from ``RUN/information.json``; empty without one.

    What could not be measured (null) is left out. Raises ``DataError`` where the file is something else.
    """
    file = run / FILE
    if not file.is_file():
        return {}
    document = read_json(file)
    try:
        return {
            str(row["item_id"]): {k: float(v) for k, v in row[DEFINITION].items() if v is not None}
            for row in document["items"]
        }
    except (KeyError, TypeError, AttributeError, ValueError):
        hint = f"viral information {run}"
        raise DataError("not what `viral information` keeps", where=str(file), hint=hint) from None
