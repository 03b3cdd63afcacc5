"""A describer that takes a catalogue's categories for evidence gets them, and what it makes of them is in the key."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from viral.data.catalog import Catalog, Item
from viral.enrich import Ledger, enrich
from viral.enrich.protocol import Answer, Picture, Prompt, for_categories
from viral.run.bundle_extras import DescriptionSource, Material
from viral.run.retrieval.item_encoders import ItemEncoders

PROMPT = Prompt("title", "{title}", "aa")


@dataclass(frozen=True)
class Shelf:
    """Says which categories there are."""

    categories: tuple[str, ...] = ()
    name: str = "shelf"
    revision: str = "1"
    batch_size: int = 4
    in_flight: int = 1

    @property
    def parameters(self) -> dict[str, object]:
        return {"categories": list(self.categories)}

    def for_categories(self, categories: Iterable[str]) -> "Shelf":
        return Shelf(tuple(sorted(set(categories))))

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[Answer | Exception]:
        return [Answer(f"One of several things, of {' and '.join(self.categories) or 'no kind'}.") for _ in pictures]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "p.png"
    Image.new("RGB", (40, 40), "red").save(path)
    return path


def said(folder: Path, photo: Path, *categories: str | None) -> set[str]:
    items = tuple(Item(str(n), f"Thing {n}", "", photo, category) for n, category in enumerate(categories))
    with Ledger(folder / "ledger.sqlite") as ledger:
        return set(enrich(Catalog(items), Shelf(), PROMPT, ledger).texts.values())


def test_a_catalogues_categories_reach_the_describer(tmp_path: Path, photo: Path) -> None:
    assert said(tmp_path, photo, "Mugs", None, "Bras", "") == {"One of several things, of Bras and Mugs."}


def test_other_categories_are_another_key(tmp_path: Path, photo: Path) -> None:
    assert said(tmp_path, photo, "Mugs") == {"One of several things, of Mugs."}
    assert said(tmp_path, photo, "Mugs", "Bras") == {"One of several things, of Bras and Mugs."}


def test_a_new_item_is_described_with_the_bundles_categories() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(buffer, "PNG")
    material = Material(
        encoders={"description": "words/1 of shelf/1 with prompt title"}, columns={"category": ["Mugs", "", "Mugs"]}
    )
    assert isinstance(material.described, DescriptionSource)
    encoders = ItemEncoders(material, describer=Shelf())
    assert encoders.describe("A mug", buffer.getvalue()) == "One of several things, of Mugs."


def test_describers_without_a_use_for_them_are_left_as_they_are() -> None:
    other = object()
    assert for_categories(other, ["Mugs"]) is other  # type: ignore[arg-type]
