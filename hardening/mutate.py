"""Inputs as nobody would write them, from inputs as somebody would: bytes flipped, cut, repeated, spliced, spiced."""

import random
from collections.abc import Sequence

SPICES = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n", b'"', b"'", b"\\", b",", b";", b"\t", b"::", b"{", b"}",
    b"[", b"]", b"null", b"NaN", b"-1", b"1e400", b"1e-400", b"9223372036854775808", b"18446744073709551616",
    b"0" * 400, b"true", b"2026-02-30", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\\ud800", b"../../etc/passwd",
    b"/dev/zero", b"http://127.0.0.1/", b"<script>", b"=cmd|' /C calc'!A0", b"\x1b[2J", b"\xe2\x80\xae", b"%s%n",
    b"[" * 2000, b'{"a":' * 500, b"A" * 5000, b"user_id", b"item_id", b"timestamp", b"split", b"train", b"__class__",
    b"\x1f\x8b", b"PAR1", b"PK\x03\x04",
)  # fmt: skip


def mutated(seed: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    """One to six changes of a seed, mostly one."""
    data = bytearray(seed)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        _CHANGES[draw.randrange(len(_CHANGES))](data, others, draw)
    return bytes(data[:200_000])


def _flip(data: bytearray, others: Sequence[bytes], draw: random.Random) -> None:
    for _ in range(draw.randint(1, 8) if data else 0):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _cut(data: bytearray, others: Sequence[bytes], draw: random.Random) -> None:
    start, stop = sorted((draw.randint(0, len(data)), draw.randint(0, len(data))))
    del data[start:stop]


def _repeat(data: bytearray, others: Sequence[bytes], draw: random.Random) -> None:
    start, stop = sorted((draw.randint(0, len(data)), draw.randint(0, len(data))))
    data[start:start] = data[start : min(stop, start + 200)] * draw.randint(2, 20)


def _spice(data: bytearray, others: Sequence[bytes], draw: random.Random) -> None:
    place = draw.randint(0, len(data))
    data[place : place + draw.choice((0, 0, 1, 4))] = draw.choice(SPICES)


def _splice(data: bytearray, others: Sequence[bytes], draw: random.Random) -> None:
    other = draw.choice(others)
    start, stop = sorted((draw.randint(0, len(other)), draw.randint(0, len(other))))
    place = draw.randint(0, len(data))
    data[place:place] = other[start:stop]


def _swap_lines(data: bytearray, others: Sequence[bytes], draw: random.Random) -> None:
    lines = bytes(data).split(b"\n")
    draw.shuffle(lines)
    data[:] = b"\n".join(lines)


_CHANGES = (_flip, _cut, _repeat, _spice, _spice, _splice, _swap_lines)
