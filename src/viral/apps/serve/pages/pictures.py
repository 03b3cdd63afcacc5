"""Items' pictures in a few sizes, as WebP: decoded safely, and kept by the SHA-256 of what they were made from."""

import io
import threading
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Depends, Request
from markupsafe import escape
from starlette.responses import Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.item_cards import cards_of
from viral.apps.serve.security.access import require_read
from viral.base.errors import UnknownIdError
from viral.base.files import atomic_write, sha256_file
from viral.data.pictures import PictureError, decode, locate, read_bytes

router = APIRouter(include_in_schema=False)
SIZES = (120, 320, 720)  # pixels of the longer side; what is asked for goes up to the next one
CACHE = Path(".cache") / "thumbnails"  # in the data set's folder
QUALITY = 80
KEPT = "private, max-age=600"
_DECODERS = threading.Semaphore(2)  # a large picture takes 100 MB while it is decoded


@router.get("/pictures/{item_id:path}", dependencies=[Depends(require_read)])
def picture(request: Request, item_id: str, size: int = SIZES[1]) -> Response:
    """The picture, or a drawn card that says why there is none."""
    snapshot = current_snapshot(request)
    side = next((one for one in SIZES if one >= size), SIZES[-1])
    try:
        image = cards_of(snapshot)[item_id].image
        if snapshot.dataset is None or image is None:
            return placeholder("no picture")
        folder = snapshot.dataset.path
        file = locate(folder, str(image.relative_to(folder)))
        tag = f"{_digest(file, *_state(file))}-{side}"
        if request.headers.get("if-none-match") == f'"{tag}"':
            return Response(status_code=304, headers={"ETag": f'"{tag}"', "Cache-Control": KEPT})
        data = thumbnail(file, side, folder / CACHE / tag[:2] / f"{tag}.webp")
    except UnknownIdError:
        return placeholder("no such item")
    except PictureError as error:
        return placeholder(f"picture {error.status}")
    return Response(data, media_type="image/webp", headers={"ETag": f'"{tag}"', "Cache-Control": KEPT})


def thumbnail(file: Path, side: int, kept: Path) -> bytes:
    """The picture with its longer side at most ``side``, out of ``kept`` where it is there; raises ``PictureError``."""
    try:
        return kept.read_bytes()
    except OSError:
        data = shrunk(read_bytes(file), side, file)
    try:
        with atomic_write(kept) as temporary:
            temporary.write_bytes(data)
    except OSError:  # a data set that may only be read is shown all the same
        return data
    return data


def shrunk(data: bytes, side: int, file: Path | None = None) -> bytes:
    """A picture's bytes as a small WebP; raises ``PictureError``."""
    from PIL.Image import Resampling

    with _DECODERS:
        small = decode(data, file, shorter_side=2 * side)
        small.thumbnail((side, side), Resampling.LANCZOS)
        buffer = io.BytesIO()
        small.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()


def placeholder(reason: str) -> Response:
    """A card with the reason on it, with status 404: browsers show it in the picture's place."""
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200"><rect width="200" height="200" fill="#8885"/>'
        '<text x="100" y="104" text-anchor="middle" font-family="sans-serif" font-size="15" fill="#888">'
        f"{escape(reason)}</text></svg>"
    )
    return Response(drawn, 404, media_type="image/svg+xml", headers={"Cache-Control": "private, max-age=30"})


def _state(file: Path) -> tuple[int, int, int]:
    try:
        found = file.lstat()
    except OSError:
        raise PictureError("missing", file) from None
    return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=50_000)
def _digest(file: Path, _modified: int, _size: int, _inode: int) -> str:
    read_bytes(file)  # the checks: a regular file, not a link, not too long
    return sha256_file(file)
