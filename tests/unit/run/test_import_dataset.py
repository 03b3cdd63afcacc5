"""Data sets from Python: files, frames and arrays, with the command line's checks and in its folders."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

import viral
from shop_folder import make_folder
from viral.base.errors import DataError, UsageError
from viral.data.features import load_features
from viral.data.importers import IMPORTERS
from viral.run import import_dataset
from viral.run.frames import as_polars


def log(**more: Any) -> pl.DataFrame:
    """Seven interactions of three users, ids as numbers."""
    return pl.DataFrame(
        {
            "user_id": [7, 7, 7, 8, 8, 9, 9],
            "item_id": ["a", "b", "c", "a", "b", "b", "c"],
            "timestamp": range(7),
            **more,
        }
    )


ITEMS = pl.DataFrame({"item_id": ["a", "b", "c"], "title": ["A", "B", "C"], "text": ["", "bee", ""]})


def test_every_layout_has_its_function() -> None:
    for layout in IMPORTERS:
        assert f"import_{layout}" in viral.__all__ and callable(getattr(viral, f"import_{layout}"))


@pytest.mark.parametrize("layout", IMPORTERS)
def test_each_imports_its_own_layout(layout: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []
    made = viral.dataset_from_frames(tmp_path / "data", log(), ITEMS)

    def spy(*words: Any, **more: Any) -> viral.Dataset:
        asked.append((words, more))
        return made

    monkeypatch.setattr(import_dataset.importers, "import_dataset", spy)
    found = getattr(viral, f"import_{layout}")("source", "target", seed=3, images="pictures")
    assert type(found) is viral.Dataset and found.path == made.path
    assert asked == [((layout, Path("source"), Path("target")), {"seed": 3, "images": Path("pictures")})]


def test_a_table_is_imported_as_by_the_command(tmp_path: Path) -> None:
    source = make_folder(tmp_path / "shop")
    ours = viral.import_table(source, tmp_path / "ours", images=str(source / "pictures"))
    theirs = IMPORTERS["table"](source, tmp_path / "theirs", images=source / "pictures")
    assert ours.fingerprint == theirs.fingerprint and type(ours) is viral.Dataset
    assert viral.Dataset.open(str(ours.path)) == ours
    with pytest.raises(UsageError, match="has no option 'imges'"):
        viral.import_table(source, tmp_path / "other", imges=source)


def test_frames_become_a_folder(tmp_path: Path) -> None:
    arrays = {"image": (["c", "a"], np.arange(4).reshape(2, 2))}
    made = viral.dataset_from_frames(tmp_path / "data", log(), ITEMS, arrays)
    assert made.manifest["counts"]["users"] == 3 and made.catalog()["b"].text == "bee"
    assert set(made.interactions()["user_id"]) == {"7", "8", "9"}
    table = load_features(made.features_folder)["image"]
    assert table.item_ids == ("c", "a") and table.values.dtype == np.float32 and table.values[0].tolist() == [0, 1]
    told = json.dumps(made.manifest)
    assert "/tmp" not in told and "(frames)" in told, "where the tables lay for a moment says nothing"
    assert made.doctor().examined if hasattr(made.doctor(), "examined") else made.doctor() is not None


def test_bad_rows_are_counted(tmp_path: Path) -> None:
    frame = log().with_columns(item_id=pl.Series(["a", "b", None, "a", "b", "nowhere", "c"]))
    made = viral.dataset_from_frames(tmp_path / "data", frame, ITEMS)
    assert sum(made.manifest["counts"]["rejected"].values()) == 2
    assert [json.loads(line)["file"] for line in (made.path / "rejected.jsonl").read_text().splitlines()] == [
        "interactions.parquet"
    ] * 2


def test_a_frame_s_columns_are_named_as_files_are(tmp_path: Path) -> None:
    frame = {"who": ["x", "x", "y"], "what": ["a", "b", "a"]}
    made = viral.dataset_from_frames(
        tmp_path / "data", frame, columns={"user": "who", "item": "what"}, split="none", overwrite=True
    )
    assert made.manifest["counts"]["interactions"] == 3 and set(made.catalog().ids) == {"a", "b"}
    with pytest.raises(UsageError, match="already exists"):
        viral.dataset_from_frames(tmp_path / "data", log())


def test_features_of_another_catalogue_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not one item"):
        viral.dataset_from_frames(tmp_path / "data", log(), ITEMS, {"image": (["z"], np.ones((1, 2)))})
    with pytest.raises(DataError, match="finite"):
        viral.dataset_from_frames(tmp_path / "other", log(), ITEMS, {"image": (["a"], np.full((1, 2), np.nan))})
    assert not (tmp_path / "other").exists(), "wrong arrays are told before anything is written"


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    made = viral.dataset_from_frames(tmp_path / "data", log(), ITEMS, dry_run=True)
    assert made.manifest["counts"]["items"] == 3 and not (tmp_path / "data").exists()


class Interchange:
    """A frame of another library, by the protocol for that."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame.to_arrow()

    def __dataframe__(self, *words: Any, **more: Any) -> Any:
        return self._frame.__dataframe__(*words, **more)


class Old:
    """A frame that only gives its columns."""

    def to_dict(self) -> dict[str, list[int]]:
        return {"a": [1, 2]}


def test_tables_of_every_kind_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"a": [1, 2]})
    for table in (frame, frame.lazy(), frame.to_arrow(), {"a": [1, 2]}, Interchange(frame), Old()):
        assert as_polars(table, "it").equals(frame)
    pandas = ModuleType("pandas")
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    given = type("DataFrame", (), {"__module__": "pandas.core.frame"})()
    monkeypatch.setattr(pl, "from_pandas", lambda table: frame if table is given else None)
    assert as_polars(given, "it") is frame


def test_what_is_no_table_is_told() -> None:
    with pytest.raises(UsageError, match="interactions is list, which is no table"):
        as_polars([1, 2], "interactions")
    with pytest.raises(UsageError, match="cannot be read as a table"):
        as_polars({"a": [1], "b": [1, 2]}, "interactions")
