"""Pictures on their way in: checked by their header, copied byte for byte, and named where they are left out."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from viral.dataset import IMAGES_FOLDER, Rejection, image_name
from viral.importers.raw import ROW
from viral.pictures import SUFFIXES, PictureError, locate, read_bytes, read_header
from viral.progress import track


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture that an item names, or would have: ``name`` is relative to a folder of pictures."""

    item_id: str
    name: str
    row: int | None  # of the item, in its table


def by_item_id(items: pl.DataFrame, folder: Path) -> list[Wanted]:
    """The picture files right below ``folder`` that are named by the id of one of ``items``, with a known suffix."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    files = {Path(name).stem: name for name in reversed(names) if Path(name).suffix.lower() in SUFFIXES}
    return [Wanted(item, files[item], row) for item, row in items.select("item", ROW).iter_rows() if item in files]


def copy_pictures(
    wanted: Iterable[Wanted], folders: Iterable[Path], staging: Path, file: str, field: str = "image"
) -> tuple[dict[str, str], list[Rejection]]:
    """Copy the pictures into ``staging/images``; return item id -> name, and a rejection for each that is unusable.

    A picture is looked for in each of ``folders`` in turn. Only its header is read here (`viral doctor` decodes); its
    suffix becomes that of its content. The item of an unusable picture stays, without one.
    """
    wanted, folders = list(wanted), list(folders)
    images: dict[str, str] = {}
    rejections = []
    for picture in track(wanted, "pictures") if wanted else ():
        try:
            data = _read(picture.name, folders)
            name = image_name(picture.item_id, read_header(data).suffix)
        except PictureError as error:
            rejections.append(Rejection(file, picture.row, field, error.status, picture.name[:200]))
            continue
        (staging / IMAGES_FOLDER).mkdir(exist_ok=True)
        (staging / name).write_bytes(data)
        images[picture.item_id] = name
    return images, rejections


def _read(name: str, folders: Iterable[Path]) -> bytes:
    fault = PictureError("missing", None)
    for folder in folders:
        try:
            return read_bytes(locate(folder, name))
        except PictureError as error:
            if error.status != "missing":
                raise
            fault = error
    raise fault
