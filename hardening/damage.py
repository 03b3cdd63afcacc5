"""Damage as disks do it: one bit of a file the other way round."""

import random
from collections.abc import Iterator
from pathlib import Path


def flips(path: Path, count: int = 25, seed: int = 0) -> Iterator[int]:
    """Flip one bit at each of ``count`` random places of a file, one after the other; the file is whole in the end."""
    whole = path.read_bytes()
    draw = random.Random(seed)
    try:
        for _ in range(count):
            place, bit = draw.randrange(len(whole)), draw.randrange(8)
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            yield place
    finally:
        path.write_bytes(whole)
