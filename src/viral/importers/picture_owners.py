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
_SEPARATOR = re.compile(r"[-_. (]")
_VIEW = re.compile(
    r"[-_. (]*(front|back|side|left|right|top|main|large|big|small|thumb(nail)?|detail|model|zoom|cover|default|image|"
    r"img|photo|pic(ture)?|copy|orig(inal)?|hd|full|web)?[-_. (]*\d{0,2}[)]?",
    re.IGNORECASE,
)
_MANY_DIGITS = 3  # a stem of fewer may be the number of a picture


@dataclass(frozen=True)
class Owners:
    """The files of each item with the way by which they are its, the surest first; and those of none."""

    of_item: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # id -> (file, way)
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict)  # file -> ids
    strangers: list[str] = field(default_factory=list)


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
            found.strangers.append(name)
    for files in found.of_item.values():
        files.sort(key=lambda file: _WAYS.index(file[1]))  # stable: of one way, the order of names
    return found


@dataclass(frozen=True)
class _Ids:
    ids: tuple[str, ...]

    @cached_property
    def _exact(self) -> frozenset[str]:
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
        stem = path.stem
        folder = self._of_folder(path)
        if stem in self._exact:
            doubtful = folder not in (None, stem) and stem.isdecimal() and len(stem) < _MANY_DIGITS
            return [(stem, BY_ID), (folder, BY_FOLDER)] if doubtful and folder else [(stem, BY_ID)]
        found = [*self._spelt(stem), *self._with_suffix(stem)]
        if not found and folder is not None and (_VIEW.fullmatch(stem) or _shape(stem) not in self._shapes):
            return [(folder, BY_FOLDER)]
        return found

    def _spelt(self, text: str) -> Iterator[tuple[str, str]]:
        """The ids that are ``text`` in other letters and signs, or with other zeros before it."""
        yield from ((item, BY_SPELLING) for item in self._folded.get(folded(text), ()))
        if text.isdecimal():
            yield from ((item, BY_ZEROS) for item in self._digits.get(text.lstrip("0"), ()))

    def _with_suffix(self, stem: str) -> list[tuple[str, str]]:
        """The ids by which the name begins; of the longest beginning that is one's."""
        for place in sorted((found.start() for found in _SEPARATOR.finditer(stem)), reverse=True):
            begun, rest = stem[:place], stem[place:]
            ids = [begun] if begun in self._exact else [item for item, _ in self._spelt(begun)] if begun else []
            if ids:
                # Where ids look like that too, it may be the picture of an item that is not here.
                stranger = _shape(stem) in self._shapes and not (re.search("[A-Za-z]", rest) and _VIEW.fullmatch(rest))
                return [] if stranger else [(item, BY_SUFFIX) for item in ids]
        return []

    def _of_folder(self, path: PurePosixPath) -> str | None:
        """The id that the innermost folder is called by, if one is."""
        return next((part for part in reversed(path.parts[:-1]) if part in self._exact), None)


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
