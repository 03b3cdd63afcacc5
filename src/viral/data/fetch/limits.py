"""What may be fetched, and what it is called when a picture could not be."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from viral.base.recipe import check_least
from viral.data.pictures import MAX_BYTES, PictureError, PictureStatus

_SHOWN = 200  # characters of a URL in an error


class FetchError(PictureError):
    """A picture that could not be fetched; ``status`` is a short fixed phrase that is counted.

    It counts as an unreadable picture and not as a missing one: the catalogue names a picture, and what keeps it from
    being read may pass. ``where`` is the URL without its query and credentials, which may be secret.
    """

    def __init__(self, status: PictureStatus, url: str, detail: str = "") -> None:
        super().__init__(status, None, detail)
        self.where = _shown(url)


@dataclass(frozen=True, kw_only=True)
class FetchConfig:
    """The limits of one fetch."""

    seconds: float = 30.0  # from the first look-up of a name to the last byte, over all redirects
    max_bytes: int = MAX_BYTES
    max_redirects: int = 3
    attempts: int = 3  # where a server is faulty or busy, which may pass
    wait: float = 1.0  # seconds before the second attempt; twice as many before each further one
    connections: int = 8  # that ``Fetcher.warm`` opens at a time
    hosts: tuple[str, ...] = ()  # where given, only these and their subdomains
    allow_private: bool = False  # addresses of an intranet and of this machine; never link-local (metadata) ones

    def __post_init__(self) -> None:
        check_least(self, seconds=0.01, max_bytes=1, max_redirects=0, attempts=1, wait=0, connections=1)


def _shown(url: str) -> str:
    """The URL as it may be shown: without user, password, query and control characters."""
    try:
        parts = urlsplit(url)
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        shown = url.partition("?")[0]
    return "".join(character for character in shown if character.isprintable())[:_SHOWN]
