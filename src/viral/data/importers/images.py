"""Pictures on their way in: checked by their header, copied byte for byte, and named where they are left out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from viral.base.errors import DataError
from viral.base.progress import say, track
from viral.data.dataset import IMAGES_FOLDER, Rejection, image_name
from viral.data.importers.folder import with_images
from viral.data.importers.picture_choice import Choice, Wanted, addresses, choose
from viral.data.importers.picture_report import say_pictures, told
from viral.data.importers.raw import ROW
from viral.data.importers.rows import Rows
from viral.data.pictures import PictureError, locate, read_bytes, read_header

FOLDERS = ("images", "pictures", "photos", "img", "covers", "posters")  # of a source, or such as ``shop_images``


@dataclass(frozen=True, slots=True)
class Pictured:
    """A catalogue with its pictures, those that could not be had, and how the others were found."""

    items: pl.DataFrame
    rejections: list[Rejection] = field(default_factory=list)
    told: Mapping[str, Any] = field(default_factory=dict)


def with_pictures(
    table: Rows, source: Path, images: Path | None, staging: Path | None, *, others: Iterable[str] = ()
) -> Pictured:
    """The items with the pictures that their table names or that are named by their ids, copied to ``staging``.

    They are looked for in ``images`` (a folder), or in the first of FOLDERS that ``source`` has, and in the source.
    ``others`` are ids of items that are not in ``table``: their files are known, and not taken.
    """
    choice = _choice(table, source, images, others)
    column = table.names.get("image", "item")
    found, faults = copy_pictures(choice.wanted, _folders(source, images), staging, table.file, column)
    told_of = pl.col(ROW).is_not_null() | pl.col("item").is_in(list(found))  # not of those that another import had
    items = table.frame.filter(told_of)["item"].to_list()
    say_pictures(choice, items, found)
    frame = table.frame.with_columns(addresses(table)) if table.has("image") else table.frame
    return Pictured(with_images(frame, found), [*choice.faults, *faults], told(choice, items, found))


def _choice(table: Rows, source: Path, images: Path | None, others: Iterable[str]) -> Choice:
    folders = _folders(source, images)
    if not folders:
        _say_unseen(source)
    if not folders or folders[0] != source or images is not None:
        return choose(table, folders, others=others)
    choice = choose(table, folders, below=False, others=others)  # a source may have anything below it
    archives = [path.name for path in sorted(source.glob("*.zip")) if path.stem.lower() in FOLDERS]
    if archives and not choice.wanted:
        say(f"pictures: {', '.join(archives)}: archives are not looked into; unzip them there and import again")
    return choice if choice.wanted else Choice(faults=choice.faults)


def _say_unseen(source: Path) -> None:
    """Name the folder of pictures beside a log that was given as a file, as only a folder's own is looked into."""
    beside = source.parent
    names = [path.name for path in sorted(beside.glob("*")) if path.name.lower() in FOLDERS and path.is_dir()]
    if names:
        say(f"pictures: {names[0]}/ beside {source.name} is not looked into; to have it: --images {beside / names[0]}")


def _folders(source: Path, images: Path | None) -> list[Path]:
    """Where pictures are looked for: the folder given, or else that of the source and the source itself."""
    if images is not None:
        if not images.is_dir():
            archive = images.is_file()
            hint = "give the folder itself; an archive is unzipped first" if archive else "check --images"
            raise DataError(
                "not a folder of pictures" if archive else "no such folder of pictures", where=str(images), hint=hint
            )
        return [images]
    if not source.is_dir():
        return []
    below = sorted(path for path in source.iterdir() if path.is_dir() and not path.name.startswith("."))
    own = [path for name in FOLDERS for path in below if path.name.lower() == name]
    called = [path for path in below if any(name.rstrip("s") in path.name.lower() for name in FOLDERS)]
    return [*(own or called)[:1], source]


def copy_pictures(
    wanted: Iterable[Wanted], folders: Iterable[Path], staging: Path | None, file: str, field: str = "image"
) -> tuple[dict[str, str], list[Rejection]]:
    """Copy the pictures into ``staging/images``; return item id -> name, and a rejection for each that is unusable.

    A picture is looked for in each of ``folders`` in turn. Only its header is read here (`viral doctor` decodes); its
    suffix becomes that of its content. The item of an unusable picture stays, without one. Without ``staging`` nothing
    is written.
    """
    wanted, folders = list(wanted), list(folders)
    images: dict[str, str] = {}
    rejections = []
    for picture in track(wanted, "pictures") if wanted else ():
        try:
            data = _read(picture.name, folders)
            name = image_name(picture.item_id, read_header(data).suffix)
        except PictureError as error:
            rejections.append(Rejection(file, picture.row, field, error.reason, picture.name[:200]))
            continue
        if staging is not None:
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
