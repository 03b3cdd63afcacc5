"""A modality from outside the project: the code of docs/add-a-modality.md as it stands there."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

import viral
from viral.apps.cli import app
from viral.base.errors import UsageError
from viral.data.dataset import Source, write_tables
from viral.data.modalities import MODALITIES, Modality, modality_named

PAGE = Path(__file__).parents[3] / "docs" / "add-a-modality.md"
DEFINES, USES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
COLOURS = [(200, 30, 40), (40, 60, 200)]
BRANDS = ("Acme", "Zenith", "")


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a shop of red and blue things, a picture of a mug, and the page's module."""
    ids = [f"i{n}" for n in range(12)]
    (tmp_path / "shop" / "images").mkdir(parents=True)
    for n, item in enumerate(ids):
        Image.new("RGB", (40, 40), COLOURS[n % 2]).save(tmp_path / "shop" / "images" / f"{item}.png")
    Image.new("RGB", (60, 30), COLOURS[0]).save(tmp_path / "mug.png")
    items = pl.DataFrame(
        {
            "item_id": ids,
            "title": [f"Thing {n}" for n in range(12)],
            "text": [""] * 12,
            "image": [f"images/{item}.png" for item in ids],
            "brand": [BRANDS[n % 3] for n in range(12)],
        }
    )
    rows = [(f"u{user}", f"i{(user % 2 + 2 * step) % 12}") for user in range(10) for step in range(5)]
    parts = ["train", "train", "train", "valid", "test"] * 10
    log = pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row").with_columns(split=pl.Series(parts))
    write_tables(tmp_path / "shop", items, log, Source(layout="test"))
    (tmp_path / "shop_modalities.py").write_text(DEFINES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "shop_modalities", raising=False)
    return tmp_path


def test_the_page_runs_from_encoding_to_a_new_item(there: Path) -> None:
    names: dict[str, Any] = {}
    exec(USES, names)
    tables = viral.Dataset.open(there / "shop").encode(names["COLOUR"], names["BRAND"])
    colour, brand = tables["mean-colour"], tables["brand"]
    assert colour.encoder == "mean-colour/1" and brand.encoder == "one-hot-16/1"
    np.testing.assert_allclose(colour.values[:2], np.array(COLOURS) / 255, rtol=1e-6)
    assert brand.item_ids == tuple(f"i{n}" for n in range(12) if n % 3 < 2)  # an item without a brand has no row
    run, mug = names["run"], names["mug"]
    assert run.summary["reads"] == ["mean-colour", "brand"]
    assert set(mug.features) == {"mean-colour"}
    np.testing.assert_allclose(mug.features["mean-colour"].numpy(), np.array(COLOURS[0]) / 255, rtol=1e-6)
    red = run.similar(mug, k=3, by="mean-colour")["item_id"].to_list()
    assert {int(item[1:]) % 2 for item in red} == {0}
    assert run.recommend("u1", k=3).height == 3
    with pytest.raises(viral.ViralError, match="nothing of the new item can be encoded"):
        viral.Run.open("run").add_item("Red mug", image="mug.png")  # without the row nobody knows how


def test_the_command_line_finds_it_in_the_current_folder(there: Path) -> None:
    words = ["encode", "shop", "--modality", "shop_modalities:COLOUR", "--modality", "shop_modalities:BRAND"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "mean-colour: 12 × 3 by mean-colour/1" in done.output
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 0 and "unchanged" in again.stderr


def test_an_update_makes_its_vectors_of_new_items(there: Path) -> None:
    names: dict[str, Any] = {}
    exec(USES, names)
    items = pl.read_parquet(there / "shop" / "items.parquet")
    new = items.tail(1).with_columns(item_id=pl.lit("new"), image=pl.lit("images/new.png"))
    Image.new("RGB", (40, 40), COLOURS[1]).save(there / "shop" / "images" / "new.png")
    log = pl.read_parquet(there / "shop" / "interactions.parquet")
    write_tables(there / "shop", pl.concat([items, new]), log, Source(layout="test"))
    later = names["run"].update(there / "shop", out=there / "later", epochs=1)
    values = later.bundle.material.features["mean-colour"]
    np.testing.assert_allclose(values[later.bundle.items.index("new")].numpy(), np.array(COLOURS[1]) / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("images", "did you mean image"),
        ("shop_modalities:NONE", "cannot load modality"),
        ("nowhere:COLOUR", "cannot load modality"),
        ("shop_modalities:OneHot", "is not a Modality"),
    ],
)
def test_names_that_are_no_modality_are_told(there: Path, name: str, fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        modality_named(name)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("name", "reads"),
    [("a/b", ("title",)), ("", ("title",)), ("x", ()), ("x", ("picture", "title")), ("x", ("colours",))],
)
def test_rows_that_cannot_be_are_refused(name: str, reads: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        Modality(name=name, reads=reads)


def test_the_page_lists_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    told = {name: tuple(reads.strip().split(", ")) for name, reads in rows}
    assert told == {one.name: one.reads for one in MODALITIES.values()}
