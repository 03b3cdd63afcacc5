"""In which encoding a file of text is written: by its mark, as UTF-8 if it is, or by what its other bytes look like."""

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from viral.base.errors import UsageError
from viral.data.importers.readers.compressed import open_bytes

UTF8 = "utf-8"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"
_LATIN = (_WESTERN, "cp1250", "cp1254")
_CANDIDATES = (*_LATIN, "cp1251", "cp1253", "gb18030", "cp932", "big5", "cp949")
_LONE = 0.3  # of the bytes that are not ASCII stand beside another one in a text of Latin letters with accents
_EVEN = 0.02  # a difference of likelihood that tells nothing
_PIECE = 2**20
_EVIDENCE, _LINE = 2**17, 2**14  # bytes of lines that are not ASCII, and of one of them: more tells no more


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding by Python's name, and whether it is a guess: neither a mark nor every byte says so."""

    name: str
    guessed: bool = False


def known(name: str) -> str:
    """The encoding as the user calls it, checked; Latin-1 is read as Windows reads it (``cp1252``)."""
    try:
        found = codecs.lookup(name).name
    except LookupError:
        hint = "for example utf-8, cp1252, utf-16, gb18030, shift_jis"
        raise UsageError(f"unknown encoding {name!r}", where="--encoding", hint=hint) from None
    if found in ("iso8859-1", "ascii"):
        return _WESTERN
    return "utf-8-sig" if found == "utf-8" else found


def encoding_of(path: Path, said: str | None = None) -> Encoding:
    """The encoding of a file. ``said`` is the user's word for files that are not UTF-8 and have no mark."""
    found = _found(path)
    return Encoding(known(said)) if said and found.guessed else found


def _found(path: Path) -> Encoding:
    """By its mark or all its bytes, else by its looks; one that is UTF-8 but for a few bytes is UTF-8."""
    with open_bytes(path) as file:
        start = file.read(_PIECE)
        for mark, name in _MARKS:
            if start.startswith(mark):
                return Encoding(name)
        if wide := _without_mark(start):
            return Encoding(wide, guessed=True)
        if _is_utf8(start, file):
            return Encoding(UTF8)
    with open_bytes(path) as file:
        return _likely(file)


def _without_mark(start: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of what are mostly Latin letters, digits and commas is zero."""
    sample = start[:2_000]
    even, odd = sample[::2], sample[1::2]
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros and zeros.count(0) > 0.4 * len(zeros) and others.count(0) < 0.05 * len(others):
            return name
    return None


def _is_utf8(start: bytes, file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder(UTF8)()
    try:
        decoder.decode(start)
        while piece := file.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _likely(file: BinaryIO) -> Encoding:
    """UTF-8 with faults where a third of the lines that would tell are UTF-8; else what the lines look like."""
    lines, size = list[bytes](), 0
    while size < _EVIDENCE and (line := file.readline(_LINE)):
        if not line.isascii():
            lines.append(line)
            size += len(line)
    good = sum(_decodes(line, UTF8) for line in lines)
    if good * 3 >= len(lines):
        return Encoding(UTF8, guessed=True)
    return Encoding(_best(b"".join(line for line in lines if not _decodes(line, UTF8))), guessed=True)


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _best(sample: bytes) -> str:
    """What a library of languages finds likeliest; that of Windows in the west where another is no likelier."""
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=list(_LATIN if _is_latin(sample) else _CANDIDATES))
    best = matches.best()
    if best is None or _WESTERN in best.could_be_from_charset:
        return _WESTERN
    western = next((match for match in matches if match.encoding == _WESTERN), None)
    if western and western.chaos <= best.chaos + _EVEN and western.coherence >= best.coherence - _EVEN:
        return _WESTERN
    return str(best.encoding)


def _is_latin(sample: bytes) -> bool:
    """Whether the bytes beyond ASCII stand alone, as accented letters do; Greek, Cyrillic and those of the east do not.

    Japanese ones may, but then they are of a range that has hardly a letter elsewhere.
    """
    high = np.frombuffer(sample, dtype=np.uint8) >= 0x80
    beside = np.zeros_like(high)
    beside[1:] |= high[:-1]
    beside[:-1] |= high[1:]
    japanese = (high & (np.frombuffer(sample, dtype=np.uint8) <= 0x9F)).sum()
    return bool((high & beside).sum() < _LONE * high.sum() and japanese < _LONE * high.sum())
