"""The kind of a log's interactions, purchases or views, where the file that it came from says so."""

import re
from collections.abc import Mapping
from typing import Any

from viral.data.dataset import Dataset
from viral.data.feedback import REPORT_FILE

PURCHASE, VIEW = "purchase", "view"
KIND = "deed"  # the key in run.json
# Names of the column of times: only an order has a time of ordering.
_TIMES = {
    PURCHASE: re.compile(
        r"order|purchas|bought|paid|invoice|transact|checkout|^tdat$|下单|购买|订单|付款|支付|成交|交易"
    ),
    VIEW: re.compile(r"watch|(?<!re)view|visit|浏览|观看|访问"),
}


def interaction_kind(dataset: Dataset) -> str:
    """``purchase`` or ``view`` where the log's column of times is called so, "" where it is not known.

    Nor is it known once feedback of several kinds has been added.
    """
    if (dataset.path / REPORT_FILE).is_file():
        return ""
    name = _time_column(dataset.manifest["source"].get("options", {}))
    return next((kind for kind, names in _TIMES.items() if names.search(name)), "")


def _time_column(options: Mapping[str, Any]) -> str:
    """The file's name of the column of times, letters alone; "" where an import did not keep it."""
    files = options.get("files", [])
    tables = [file.get("columns", {}) for file in files if isinstance(file, Mapping)]
    columns = [(name, role) for table in tables for name, role in table.items()]
    found = next((name for name, role in columns if role == "timestamp"), "")
    return "".join(letter for letter in found.casefold() if letter.isalpha())
