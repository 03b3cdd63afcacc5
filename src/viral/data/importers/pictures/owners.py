"""Whose picture a file is, by its name: an item's id as it is, in other spellings, with a suffix, or as its folder.

A file that could be two items' belongs to neither, and is told.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import unquote

BY_ID, BY_SPELLING, BY_ZEROS = "by id", "by id in another spelling", "by id with other leading zeros"
BY_SUFFIX, BY_FOLDER = "by id with a suffix", "by a folder named by id"
_WAYS = (BY_ID, BY_SPELLING, BY_ZEROS, BY_SUFFIX, BY_FOLDER)  # the surest first
_SEPARATOR = re.compile(r"[-_. (@]")
_SIDES = ("front", "back", "side", "left", "right", "top", "bottom", "main", "detail", "model", "zoom", "cover")
_SIZES = ("large", "medium", "big", "small", "thumb", "thumbnail", "full", "hd", "web", "scaled", "default")
_WORDS = ("image", "img", "photo", "pic", "picture", "orig", "original", "copy", "jpg", "jpeg", "png", "webp")
_VIEWS = frozenset((*_SIDES, *_SIZES, *_WORDS))
_SIZE = re.compile(r"\d{2,4}x\d{2,4}|\dx")
_MANY_DIGITS = 3  # a stem of fewer may be the number of a picture
_SHORT = 5  # a number of fewer digits may be a year or a count, and what follows it more than a suffix


@dataclass(frozen=True)
class Owners:
    """The files of each item with the way by which they are its, the surest first; and those of none."""

    of_item: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # id -> (file, way)
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict)  # file -> ids
    of_no_item: list[str] = field(default_factory=list)


def owners_of(names: Sequence[str], item_ids: Iterable[str]) -> Owners:
    """Whose picture each file is; ``names`` are relative, in the order in which an item's are preferred."""
    known, found = _Ids(tuple(item_ids)), Owners()
    for name in names:
        candidates = known.candidates(PurePosixPath(name))
        ids = tuple(dict.fromkeys(item for item, _ in candidates))
        if len(ids) > 1:
            found.ambiguous[name] = ids
        elif ids:
            found.of_item.setdefault(ids[0], []).append((name, candidates[0][1]))
        else:
            found.of_no_item.append(name)
    _give_folders(known, found)
    for files in found.of_item.values():
        files.sort(key=lambda file: _WAYS.index(file[1]))  # stable: of one way, the order of names
    return found


def _give_folders(known: "_Ids", found: Owners) -> None:
    """Give files of no item to the item by whose id their folder is called, if half of such folders are so called."""
    folders = {name: PurePosixPath(name).parent.name for name in found.of_no_item if "/" in name}
    called = {folder for folder in folders.values() if folder in known.exact}
    if len(called) * 2 < len(set(folders.values())):
        return
    taken = {name: folder for name, folder in folders.items() if folder in called and known.is_view(name)}
    for name, folder in taken.items():
        found.of_item.setdefault(folder, []).append((name, BY_FOLDER))
    found.of_no_item[:] = [name for name in found.of_no_item if name not in taken]


@dataclass(frozen=True)
class _Ids:
    ids: tuple[str, ...]

    @cached_property
    def exact(self) -> frozenset[str]:
        return frozenset(self.ids)

    @cached_property
    def _folded(self) -> dict[str, list[str]]:
        return _grouped((key, item) for item in self.ids if (key := folded(item)))

    @cached_property
    def _digits(self) -> dict[str, list[str]]:
        return _grouped((item.lstrip("0"), item) for item in self.ids if item.isdecimal())

    @cached_property
    def _shapes(self) -> frozenset[str]:
        return frozenset(_shape(item) for item in self.ids)

    def candidates(self, path: PurePosixPath) -> list[tuple[str, str]]:
        """Whose file it may be, each with the way; more than one where that is not certain."""
        stem, folder = path.stem, path.parent.name
        if stem in self.exact:
            doubtful = folder != stem and folder in self.exact and stem.isdecimal() and len(stem) < _MANY_DIGITS
            return [(stem, BY_ID), (folder, BY_FOLDER)] if doubtful else [(stem, BY_ID)]
        return [*self._spelt(stem), *self._with_suffix(stem)]

    def is_view(self, name: str) -> bool:
        """Whether a file's name is one of a view and not that of an item, which need not be here."""
        stem = PurePosixPath(name).stem
        return _is_view(stem) or _shape(stem) not in self._shapes

    def _spelt(self, text: str) -> Iterator[tuple[str, str]]:
        """The ids that are ``text`` in other letters and signs, or with other zeros before it."""
        yield from ((item, BY_SPELLING) for item in self._folded.get(folded(text), ()))
        if text.isdecimal():
            yield from ((item, BY_ZEROS) for item in self._digits.get(text.lstrip("0"), ()))

    def _with_suffix(self, stem: str) -> list[tuple[str, str]]:
        """The ids by which the name begins; of the longest beginning that is one's."""
        for place in sorted((found.start() for found in _SEPARATOR.finditer(stem)), reverse=True):
            begun, rest = stem[:place], stem[place:]
            ids = [begun] if begun in self.exact else [item for item, _ in self._spelt(begun)] if begun else []
            if ids:
                return [(item, BY_SUFFIX) for item in ids] if self._is_suffix(begun, rest) else []
        return []

    def _is_suffix(self, begun: str, rest: str) -> bool:
        """Whether what follows an id tells of the picture, and does not make another id of it, a date or a title."""
        if begun.isdecimal() and len(begun) < _SHORT and not _is_view(rest):
            return False
        # Where ids look like that too, it may be the picture of an item that is not here.
        return _shape(begun + rest) not in self._shapes or (re.search("[A-Za-z]", rest) is not None and _is_view(rest))


def _is_view(text: str) -> bool:
    """Whether a name says which picture of a thing it is: words for views and sizes, and one small number at most."""
    words = [word.casefold() for word in re.split(r"[-_. ()@]+", text) if word]
    numbers = [word for word in words if word.isdecimal()]
    others = (word for word in words if not word.isdecimal())
    known = all(len(word) == 1 or word.rstrip("0123456789") in _VIEWS or _SIZE.fullmatch(word) for word in others)
    return known and len(numbers) <= 1 and all(len(number) <= _MANY_DIGITS for number in numbers)


def folded(text: str) -> str:
    """A text as file names have it: without case, and any signs that are no letters or digits alike."""
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", unquote(text)).casefold()).strip("-")


def _shape(text: str) -> str:
    """What a text looks like: runs of digits and of letters are alike, signs are kept."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", text))


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups = defaultdict[str, list[str]](list)
    for key, item in pairs:
        groups[key].append(item)
    return dict(groups)
