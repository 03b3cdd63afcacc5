"""A/B tests: which of the served runs answers whom, and names of variants that callers bring."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from viral.apps.serve.hot_reload import Live
from viral.apps.serve.metrics import ServerMetrics
from viral.apps.serve.settings import Settings
from viral.base.errors import UnknownIdError, UsageError

CONTROL = "control"  # the name of the run that is served, where there are variants
PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
NAME = re.compile(PATTERN)
MOST_VARIANTS = 8


def read_variant(word: str) -> tuple[str, Path | None]:
    """``NAME=RUN`` of the command line, or NAME alone for a variant that the served run answers too."""
    name, separator, run = word.partition("=")
    if not NAME.fullmatch(name) or name == CONTROL or (separator and not run):
        hint = f"NAME=RUN, the name up to 64 of A-Z a-z 0-9 . _ - and not {CONTROL!r}, which is the served run"
        raise UsageError(f"{word!r} is no variant", where="--variant", hint=hint)
    return name, Path(run) if separator else None


class Variants:
    """The variants with what each is answered from, the served run first; none where there is no test."""

    def __init__(self, served: Live, others: Mapping[str, Live]) -> None:
        self.served = served
        self.lives: dict[str, Live] = {CONTROL: served, **others} if others else {}

    @property
    def all(self) -> list[Live]:
        """Everything that is answered from, each once."""
        return list(dict.fromkeys([self.served, *self.lives.values()]))

    def of_user(self, user_id: str) -> str:
        """The variant that answers a user, unless the caller says otherwise; "" without a test."""
        return assigned(user_id, tuple(self.lives)) if self.lives else ""

    def chosen(self, given: str | None, user_id: str | None) -> tuple[str | None, Live]:
        """The variant's name and what answers: as the caller says, else by the user's id, else the served run.

        ``UnknownIdError`` for a name that the test does not have; without a test, any name is the caller's own affair.
        """
        if not self.lives:
            return given, self.served
        if given is None:
            given = self.of_user(user_id) if user_id is not None else CONTROL
        if given not in self.lives:
            raise UnknownIdError(f"unknown variant {given!r}", hint=f"known: {', '.join(self.lives)}")
        return given, self.lives[given]


def variants_of(settings: Settings, served: Live, metrics: ServerMetrics) -> Variants:
    """What the settings name; a variant without a run of its own is answered from the served one."""
    if len(settings.variants) > MOST_VARIANTS:
        raise UsageError(f"{len(settings.variants)} variants", where="--variant", hint=f"at most {MOST_VARIANTS}")
    others: dict[str, Live] = {}
    for name, run in settings.variants:
        if name in others or name == CONTROL:
            raise UsageError(f"the variant {name!r} is there twice", where="--variant", hint="each name once")
        others[name] = served if run is None else Live(replace(settings, run=run), metrics, variant=name)
    return Variants(served, others)


def assigned(user_id: str, names: tuple[str, ...]) -> str:
    """One of the names, each for as many users: the first eight bytes of the id's SHA-256, modulo their number."""
    digest = hashlib.sha256(user_id.encode("utf-8", "surrogatepass")).digest()
    return names[int.from_bytes(digest[:8], "big") % len(names)]
