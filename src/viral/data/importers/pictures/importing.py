"""Pictures on their way in: checked by their header, copied byte for byte, and named where they are left out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from viral.base.errors import DataError
from viral.base.progress import say, track
from viral.data.dataset import IMAGES_FOLDER, Rejection, image_name
from viral.data.importers.dataset_folder import with_images
from viral.data.importers.pictures.folder import PictureFolder
from viral.data.importers.pictures.matching import Choice, WantedPicture, addresses, choose
from viral.data.importers.readers.raw import ROW
from viral.data.importers.rows import CheckedRows
from viral.data.pictures import FORMATS, PictureError, locate, read_bytes, read_header

_SHOWN = 3
_READ = ", ".join(FORMATS[:-1]) + f" and {FORMATS[-1]}"
_HOW = (
    "a picture is found by its item's id (ID.jpg, ID_1.jpg, ID-front.png, ID (2).webp or ID/1.jpg, in any subfolder) "
    "or by the file name in the image column"
)
_ARCHIVES = "archives are not looked into; unzip them there and import again"
FOLDERS = ("images", "pictures", "photos", "img", "covers", "posters")  # of a source, or such as ``shop_images``


def told(choice: Choice, items: Sequence[str], pictured: Mapping[str, str]) -> dict[str, Any]:
    """The counts for the manifest; a human is told the same, with examples. Nothing where no picture was looked for."""
    if choice.folder is None:
        return {}
    for line in _lines(choice, choice.folder, items, pictured):
        say(line)
    further = sum(len(files) - 1 for item, files in choice.owners.of_item.items() if item in pictured)
    return {
        "folder": str(choice.folder.folder),
        "files": len(choice.folder.names),
        "found": dict(sorted(_ways(choice, pictured).items())),
        "items_without": len(items) - len(pictured),
        "further_pictures": further,
        "of_no_item": len(choice.of_no_item),
        "ambiguous": len(choice.owners.ambiguous) + len(choice.faults),
        "not_read": _by_suffix(choice.folder),
    }


def _ways(choice: Choice, pictured: Mapping[str, str]) -> Counter[str]:
    return Counter(wanted.way for wanted in choice.wanted if wanted.item_id in pictured)


def _lines(choice: Choice, found: PictureFolder, items: Sequence[str], pictured: Mapping[str, str]) -> Iterable[str]:
    place = f"{found.folder.name or found.folder}/"
    if found.archives:
        yield f"pictures: {_some(found.archives)}: {_ARCHIVES}"
    if not (found.names or found.unread or pictured):
        yield f"pictures: not one file in {place} is a picture ({_READ} are read)"
        return
    how = ", ".join(f"{count:,} {way}" for way, count in _ways(choice, pictured).most_common())
    count = f"{len(pictured):,} of {len(items):,} items have one{how and f' ({how})'}"
    yield f"pictures in {place}: {count}; {_READ} are read"
    if not pictured:
        yield f"  not one picture in {place} belongs to an item: the files are called {_some(found.names)}"
        yield f"  the items {_some(items)}; {_HOW}"
    elif choice.of_no_item:
        count = _count(len(choice.of_no_item), "file")
        yield f"  {count} in {place} belonging to no item, e.g. {_some(choice.of_no_item)}"
    yield from _doubts(choice, pictured)
    without = [item for item in items if item not in pictured] if pictured else []
    if without:
        yield f"  {_count(len(without), 'item')} without a picture, e.g. {_some(without)}"
    if found.unread:
        kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in _by_suffix(found).items())
        yield f"  {kinds}: of formats that are not read, e.g. {_some(found.unread)}; save them as JPEG, PNG or WebP"
    if found.links:
        yield f"  {_count(found.links, 'link')} to folders not followed; put the folders themselves there"


def _doubts(choice: Choice, pictured: Mapping[str, str]) -> Iterable[str]:
    owners = choice.owners
    several = [files for item, files in owners.of_item.items() if len(files) > 1 and item in pictured]
    if several:
        example = " and ".join(name for name, _ in several[0][:2])
        yield f"  {_count(len(several), 'item')} with several pictures ({example}): the first by its name is taken"
    for name, ids in list(owners.ambiguous.items())[:1]:
        count = _count(len(owners.ambiguous), "file")
        yield f"  {count} left out that could be of several items, e.g. {name}: {' or '.join(ids[:3])}"
    if choice.faults:
        what = "left without a picture, as its name does not tell which file is meant"
        yield f"  {_count(len(choice.faults), 'item')} {what}, e.g. {_some([fault.value for fault in choice.faults])}"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    shown = [name if len(name) <= 60 else f"{name[:59]}…" for name in names[:_SHOWN]]
    return ", ".join(shown) + (" …" if len(names) > _SHOWN else "")


def _by_suffix(found: PictureFolder) -> dict[str, int]:
    return dict(Counter(PurePosixPath(name).suffix.lower() for name in found.unread).most_common())


@dataclass(frozen=True, slots=True)
class Pictured:
    """A catalogue with its pictures, those that could not be had, and how the others were found."""

    items: pl.DataFrame
    rejections: list[Rejection] = field(default_factory=list)
    told: Mapping[str, Any] = field(default_factory=dict)


def with_pictures(
    table: CheckedRows, source: Path, images: Path | None, staging: Path | None, *, others: Iterable[str] = ()
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
    frame = table.frame.with_columns(addresses(table)) if table.has("image") else table.frame
    return Pictured(with_images(frame, found), [*choice.faults, *faults], told(choice, items, found))


def _choice(table: CheckedRows, source: Path, images: Path | None, others: Iterable[str]) -> Choice:
    folders = _folders(source, images)
    if not folders:
        _say_unseen(source)
    if not folders or folders[0] != source or images is not None:
        return choose(table, folders, others=others)
    choice = choose(table, folders, below=False, others=others)  # a source may have anything below it
    archives = [path.name for path in sorted(source.glob("*.zip")) if path.stem.lower() in FOLDERS]
    if archives and not choice.wanted:
        say(f"pictures: {', '.join(archives)}: {_ARCHIVES}")
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
        if images.is_file():
            hint = "give the folder itself; an archive is unzipped first"
            raise DataError("not a folder of pictures", where=str(images), hint=hint)
        if not images.is_dir():
            raise DataError("no such folder of pictures", where=str(images), hint="check --images")
        return [images]
    if not source.is_dir():
        return []
    below = sorted(path for path in source.iterdir() if path.is_dir() and not path.name.startswith("."))
    own = [path for name in FOLDERS for path in below if path.name.lower() == name]
    called = [path for path in below if any(name.rstrip("s") in path.name.lower() for name in FOLDERS)]
    return [*(own or called)[:1], source]


def copy_pictures(
    wanted: Iterable[WantedPicture], folders: Iterable[Path], staging: Path | None, file: str, field: str = "image"
) -> tuple[dict[str, str], list[Rejection]]:
    """Copy the pictures into ``staging/images``; return item id -> name, and a rejection for each that is unusable.

    A picture is looked for in each of ``folders`` in turn. Only its header is read here (`viral doctor` decodes); its
    suffix becomes that of its content. The item of an unusable picture stays, without one. Without ``staging`` nothing
    is written.
    """
    wanted, folders = list(wanted), list(folders)
    images, rejections = dict[str, str](), list[Rejection]()
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
