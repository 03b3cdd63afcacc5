"""The limits that pictures are held to, and what is wrong with one that is not within them."""

from pathlib import Path
from typing import Literal

from viral.base.errors import DataError
from viral.base.file_signatures import PAGE, POINTER

MAX_BYTES = 20_000_000
MAX_PIXELS = 25_000_000
MAX_SCANS = 100  # of a JPEG, each of which goes over all pixels; progressive ones have about ten
FORMATS = ("JPEG", "PNG", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


PictureStatus = Literal[
    "missing",
    "not a file",
    "symbolic link",
    "outside the folder",
    "empty",
    "too many bytes",
    "unknown format",
    "a Git LFS pointer",
    "a web page",
    "too many pixels",
    "too costly to decode",
    "truncated or damaged",
    "at a forbidden address",
    "behind a dead link",
    "behind a faulty server",
    "too slow",
    "redirected too often",
]


class PictureError(DataError):
    """A picture that cannot be used; ``status`` is a short fixed phrase that is counted."""

    def __init__(self, status: PictureStatus, path: Path | None, detail: str = "") -> None:
        hint = {
            "missing": "put the file there, or leave the item's image empty",
            "not a file": "folders, pipes and devices are not read; put a picture file there",
            "symbolic link": "links are not followed; put the file itself there",
            "outside the folder": "use a path relative to the picture folder, without '..'",
            "empty": "the file has no bytes; fetch it again",
            "too many bytes": f"the limit is {MAX_BYTES:,} bytes; scale the picture down",
            "unknown format": f"use {', '.join(FORMATS)}",
            "a Git LFS pointer": POINTER.hint,
            "a web page": PAGE.hint,
            "too many pixels": f"the limit is {MAX_PIXELS:,} pixels; scale the picture down",
            "too costly to decode": f"the limit is {MAX_SCANS} scans; save the picture anew",
            "truncated or damaged": "the file ends early or is damaged; fetch it again",
            "at a forbidden address": "pictures come by http(s) from public addresses; see docs/fetching.md",
            "behind a dead link": "correct the item's image_url, or leave it empty",
            "behind a faulty server": "this may pass: run the same command again",
            "too slow": "this may pass: run the same command again, or put the file itself there",
            "redirected too often": "give the address at which the picture is",
        }[status]
        super().__init__(f"picture is {status}{detail}", where=str(path or ""), hint=hint)
        self.status: PictureStatus = status
        self.reason = status + detail if status == "unknown format" else status  # in few words, to be counted
