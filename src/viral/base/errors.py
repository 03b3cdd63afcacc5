"""Faults that a user can mend. Each says what was wrong, where, and what to do."""

import difflib
from collections.abc import Iterable


class ViralError(Exception):
    """A fault with its place and its remedy; the command line prints it without a traceback.

    ``where`` is a file, row or field; ``hint`` is what to do about it. Exit status 1: the work failed.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.hint = what, where, hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n  → {self.hint}" if self.hint else ""
        return f"{place}{self.what}{remedy}"


class UsageError(ViralError):
    """The words were wrong: an unknown option, model or configuration key. Exit status 2."""

    exit_code = 2


class DataError(ViralError):
    """The input data cannot be used as they are."""


class UnknownIdError(ViralError):
    """A user or item id that the data set or bundle does not know."""


def nearest(word: str, known: Iterable[str]) -> str:
    """``did you mean …`` with the closest known words, or the list of them when none is close."""
    words = [str(name) for name in known]
    close = difflib.get_close_matches(word, words, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(sorted(words)[:12])}{' …' if len(words) > 12 else ''}"
