"""What a describer said of one item's picture: the value that everybody passes on."""

from dataclasses import dataclass
from typing import Literal, get_args

Flag = Literal["too short", "too long", "title copied"]
FLAGS: tuple[Flag, ...] = get_args(Flag)
Status = Literal["done", "missing picture", "unreadable", "refused", "failed", "quarantined", "pending"]
"""Of an item in one set of descriptions. "failed": the last attempt did; "quarantined": so did as many as are allowed,
and it is not tried again unless that is asked for; "pending": not asked, as the run ended before."""


IMPORTED = "imported"  # the revision of words that came from a file (``imported``): there is nobody to ask for more
UNKNOWN = "unknown"  # a describer or a prompt that nobody has named


@dataclass(frozen=True, slots=True)
class Description:
    """What a describer said of one item's picture, or why it could not."""

    item_id: str
    text: str  # empty unless status is "done"
    describer: str  # name and revision: "pixel/1"
    prompt: str  # the prompt's name: "title"
    image_sha256: str  # empty when there was no picture
    status: Status
    error: str = ""
    flags: tuple[str, ...] = ()  # what ``checks.flags`` finds conspicuous about the text
    edited: bool = False  # the text is a human's (``edits``)
