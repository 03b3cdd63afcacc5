"""Pictures that lack their last bytes and no line: what browsers show, decoders refuse.

A JPEG without its end marker may have every pixel. Whether it does is tried out: it is completed in three ways, and
where the pixels do not depend on how, they were all there.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_END, _SCAN = b"\xff\xd9", b"\xff\xda"
_FILLINGS = (0x00, 0x55, 0xAA)
_FILLED = 4096  # bytes, more than what a few blocks take
_LACKING = 64  # bytes at the end of a WebP, beyond which lines are missing
_BLOCK = 16  # the largest block of a JPEG, on each side: the last one may be lost


def lacks_end(data: bytes) -> bool:
    """Whether a JPEG has no end marker behind its last scan, or a WebP ends a little before its size."""
    if data.startswith(b"\xff\xd8\xff"):
        return _END not in data[max(data.rfind(_SCAN), 0) :]
    return _lacking(data) > 0


def padded(data: bytes) -> bytes:
    """A WebP that lacks its last bytes at its full size, without which not even its header is read."""
    return data + bytes(_lacking(data))


def mended(data: bytes, read: Callable[[bytes], "Image"], damage: type[Exception]) -> bytes | None:
    """The picture with an end, where ``read`` finds every line of it; None where lines are missing."""
    completed = list(_completed(data))
    try:
        pictures = [read(one) for one in completed]
    except damage:
        return None
    return None if any(_differ(pictures[0], other) for other in pictures[1:]) else completed[0]


def _lacking(data: bytes) -> int:
    """How many bytes a WebP lacks at its end; 0 where that is more than a few."""
    if not (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        return 0
    lacking = int.from_bytes(data[4:8], "little") + 8 - len(data)
    return lacking if 0 < lacking <= _LACKING else 0


def _completed(data: bytes) -> Iterator[bytes]:
    if lacking := _lacking(data):
        yield from (data + bytes([filling]) * lacking for filling in _FILLINGS)
    else:
        begun = data.rstrip(b"\xff")
        yield begun + _END
        yield from (begun + bytes([filling]) * _FILLED + _END for filling in _FILLINGS[1:])


def _differ(one: "Image", other: "Image") -> bool:
    """Whether two pictures differ in more than their last block."""
    from PIL import ImageChops

    if one.size != other.size:
        return True
    box = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox()
    return box is not None and (box[0] < one.width - _BLOCK or box[1] < one.height - _BLOCK)
