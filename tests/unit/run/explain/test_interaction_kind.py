"""What people did: said where the log's own column of times says it."""

from pathlib import Path

import pytest

from viral.data.dataset import Dataset
from viral.data.feedback import REPORT_FILE
from viral.run.explain.interaction_kind import interaction_kind


def dataset(folder: Path, columns: dict[str, str | None]) -> Dataset:
    return Dataset(folder, {"source": {"options": {"files": [{"columns": {"sku": "item"}}, {"columns": columns}]}}})


@pytest.mark.parametrize(
    ("name", "deed"),
    [
        ("t_dat", "purchase"), ("Order Date", "purchase"), ("purchased_at", "purchase"), ("InvoiceDate", "purchase"),
        ("下单时间", "purchase"), ("watched_at", "view"), ("visit_time", "view"), ("timestamp", ""),
        ("review_time", ""), ("unixReviewTime", ""), ("created_at", ""), ("dat", ""),
    ],
)  # fmt: skip
def test_the_column_of_times_says_it(tmp_path: Path, name: str, deed: str) -> None:
    assert interaction_kind(dataset(tmp_path, {"customer": "user", name: "timestamp", "order_id": None})) == deed


def test_it_is_not_known_without_times_or_after_feedback(tmp_path: Path) -> None:
    assert interaction_kind(dataset(tmp_path, {"order_date": None})) == ""
    assert interaction_kind(Dataset(tmp_path, {"source": {"layout": "shop"}})) == ""
    assert interaction_kind(Dataset(tmp_path, {"source": {"options": {"files": ["a.csv"]}}})) == ""
    (tmp_path / REPORT_FILE).write_text("{}")
    assert interaction_kind(dataset(tmp_path, {"order_date": "timestamp"})) == ""
