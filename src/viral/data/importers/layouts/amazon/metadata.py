"""The metadata of an Amazon set: those of the items that the log has, out of millions of others."""

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from viral.data.dataset import Rejection
from viral.data.importers.cells import without_markup
from viral.data.importers.layouts.amazon.files import TEXTS, AmazonEdition, ItemText, Record, records, reject, writable
from viral.data.importers.readers.raw import Bad, printable

_PRICE = re.compile(r"(?:from )?[$€£¥]?\s?\d[\d,.]*(?:\s?-\s?[$€£¥]?\s?\d[\d,.]*)?", re.IGNORECASE)


def read_items(
    edition: AmazonEdition, path: Path, wanted: Collection[str]
) -> tuple[pl.DataFrame, list[Rejection], int]:
    """The items of the log in order, with their metadata; rows that cannot be used; how many items have none."""
    places = {item: place for place, item in enumerate(wanted)}
    columns: dict[str, list[str | None]] = {name: [None] * len(places) for name in TEXTS}
    found, rejections = bytearray(len(places)), list[Rejection]()
    for row, record in records(path, skip=_of_others(edition.item, places)):
        parsed = record if isinstance(record, Bad) else _parsed(record, edition, places)
        if not isinstance(parsed, Bad) and parsed is not None and found[places[parsed[0]]]:
            parsed = Bad("duplicate item", parsed[0], edition.item)
        if isinstance(parsed, Bad):
            reject(rejections, path, row, parsed)
        elif parsed is not None:
            place = places[parsed[0]]
            found[place] = 1
            for name, text in parsed[1].items():
                columns[name][place] = text
    table = pl.DataFrame({"item": list(places), **columns}, schema=dict.fromkeys(("item", *TEXTS), pl.String))
    return table, rejections, len(places) - sum(found)


def _parsed(record: Record, edition: AmazonEdition, wanted: Collection[str]) -> tuple[str, ItemText] | Bad | None:
    """An item's id and words; None where it is not wanted."""
    item = record.get(edition.item)
    if not isinstance(item, str) or not item.strip():
        return Bad("empty item id", printable(item), edition.item)
    if item not in wanted:
        return None
    texts = edition.text_of(record)
    for name, text in texts.items():
        if text and not writable(text):
            return Bad("not UTF-8", printable(text), name)
    return item, texts


def _of_others(name: str, wanted: Collection[str]) -> Callable[[bytes], bool]:
    """Tells a line that begins with an id that is not wanted: most of them, and reading them is what takes the time."""
    first = re.compile(rb"\s*\{\s*[\"']" + re.escape(name).encode() + rb"[\"']\s*:\s*([\"'])([^\"'\\]*)\1")

    def skip(line: bytes) -> bool:
        found = first.match(line)
        return found is not None and bool(found[2].strip()) and found[2].decode("utf-8", "replace") not in wanted

    return skip


def joined_text(*values: Any, separator: str = ". ") -> str:
    """Texts without HTML, and lists of them at any depth, as one; what is neither is left out."""
    return separator.join(_texts(values))


def dollars(value: Any) -> str | None:
    """A price as the sets have it, a number or words; None for what is none, of which they have much."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"${value:,.2f}" if 0 < value < float("inf") else None
    text = joined_text(value)
    return text if _PRICE.fullmatch(text) else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if text := without_markup(value):
            yield text
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)
