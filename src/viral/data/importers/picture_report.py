"""What an import tells of pictures: how they were found, which belong to no item, and what is not read."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from viral.base.progress import say
from viral.data.importers.picture_choice import Choice
from viral.data.importers.picture_files import PictureFolder
from viral.data.pictures import FORMATS

_SHOWN = 3
_READ = ", ".join(FORMATS[:-1]) + f" and {FORMATS[-1]}"
_HOW = (
    "a picture is found by its item's id (ID.jpg, ID_1.jpg, ID-front.png, ID (2).webp or ID/1.jpg, in any subfolder) "
    "or by the file name in the image column"
)


def told(choice: Choice, items: Sequence[str], pictured: Mapping[str, str]) -> dict[str, Any]:
    """The counts for the manifest."""
    if choice.folder is None:
        return {}
    ways = Counter(wanted.way for wanted in choice.wanted if wanted.item_id in pictured)
    further = sum(len(files) - 1 for item, files in choice.owners.of_item.items() if item in pictured)
    return {
        "folder": str(choice.folder.folder),
        "files": len(choice.folder.names),
        "found": dict(sorted(ways.items())),
        "items_without": len(items) - len(pictured),
        "further_pictures": further,
        "of_no_item": len(choice.strangers),
        "ambiguous": len(choice.owners.ambiguous) + len(choice.faults),
        "not_read": _by_suffix(choice.folder),
    }


def say_pictures(choice: Choice, items: Sequence[str], pictured: Mapping[str, str]) -> None:
    """Tell a human the same, with examples; nothing where no picture was looked for."""
    found = choice.folder
    if found is None:
        return
    for line in _lines(choice, found, items, pictured):
        say(line)


def _lines(choice: Choice, found: PictureFolder, items: Sequence[str], pictured: Mapping[str, str]) -> Iterable[str]:
    place = f"{found.folder.name or found.folder}/"
    if found.archives:
        yield f"pictures: {_some(found.archives)}: archives are not looked into; unzip them there and import again"
    if not (found.names or found.unread or pictured):
        yield f"pictures: not one file in {place} is a picture ({_READ} are read)"
        return
    ways = Counter(wanted.way for wanted in choice.wanted if wanted.item_id in pictured)
    how = f" ({', '.join(f'{count:,} {way}' for way, count in ways.most_common())})" if ways else ""
    yield f"pictures in {place}: {len(pictured):,} of {len(items):,} items have one{how}; {_READ} are read"
    if not pictured:
        yield f"  not one picture in {place} belongs to an item: the files are called {_some(found.names)}"
        yield f"  the items {_some(items)}; {_HOW}"
    elif choice.strangers:
        count = _count(len(choice.strangers), "file")
        yield f"  {count} in {place} belonging to no item, e.g. {_some(choice.strangers)}"
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
    several = [(item, files) for item, files in choice.owners.of_item.items() if len(files) > 1 and item in pictured]
    if several:
        example = " and ".join(name for name, _ in several[0][1][:2])
        yield f"  {_count(len(several), 'item')} with several pictures ({example}): the first by its name is taken"
    if choice.owners.ambiguous:
        name, ids = next(iter(choice.owners.ambiguous.items()))
        count = _count(len(choice.owners.ambiguous), "file")
        yield f"  {count} left out that could be of several items, e.g. {name}: {' or '.join(ids[:3])}"
    if choice.faults:
        names = [fault.value for fault in choice.faults]
        what = "left without a picture, as its name does not tell which file is meant"
        yield f"  {_count(len(names), 'item')} {what}, e.g. {_some(names)}"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    shown = [name if len(name) <= 60 else f"{name[:59]}…" for name in names[:_SHOWN]]
    return ", ".join(shown) + (" …" if len(names) > _SHOWN else "")


def _by_suffix(found: PictureFolder) -> dict[str, int]:
    return dict(Counter(PurePosixPath(name).suffix.lower() for name in found.unread).most_common())
