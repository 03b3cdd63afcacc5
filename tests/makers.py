"""Small real inputs for tests: pictures as bytes, tables as text."""

import io
import json
import struct
import zlib
from pathlib import Path

import polars as pl
from PIL import Image

from viral.data.dataset import Source, write_tables

ITEMS = pl.DataFrame({"item_id": list("abcd"), "title": list("ABCD"), "text": [""] * 4, "image": ["images/p.png"] * 4})
LOG = pl.DataFrame(
    {"user_id": list("uuuvvv"), "item_id": list("abcbcd"), "split": ["train", "valid", "test", *["train"] * 3]}
)


def picture(format="PNG", size=(8, 6), colour=(200, 30, 30), mode="RGB", **options):
    """The bytes of a one-colour picture."""
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, format, **options)
    return buffer.getvalue()


def noise(format="JPEG", size=(64, 48), **options):
    """The bytes of a picture that does not compress away, so that cutting it hurts."""
    buffer = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(buffer, format, **options)
    return buffer.getvalue()


def png(width, height, *, depth=8, kind=2, raw=b"\0\0\0\0"):
    """A PNG with this header and, compressed, these bytes: the header may claim what it likes."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def write(path: Path, content: str | bytes):
    """Write a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rejected(dataset):
    """What an import left out: (file, row, field, reason, value), in order."""
    lines = (dataset.path / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    return [tuple(json.loads(line).values()) for line in lines]


def damaged(folder, items=None, log=None):
    """A healthy data set of two users and four items, whose tables somebody then wrote over."""
    write(folder / "images" / "p.png", picture())
    dataset = write_tables(folder, ITEMS, LOG, Source(layout="test"))
    for name, table in (("items", items), ("interactions", log)):
        if table is not None:
            table.write_parquet(folder / f"{name}.parquet")
    return dataset
