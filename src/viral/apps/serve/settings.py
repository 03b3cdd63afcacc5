"""What a server is told when it starts."""

from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import UsageError
from viral.base.language import LANGUAGES
from viral.data.feedback import KINDS, check_kind, default_file
from viral.run.retrieval.describer import NO_DESCRIBER_OPTIONS, DescriberOptions

MAX_K = 1000  # items of one answer
MAX_OFFSET = 1000  # places before them
MAX_USERS, MAX_K_OF_MANY = 100, 100  # of one call for many
MAX_ID = 512  # characters of an id


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Places and limits; frozen, and passed whole to every worker."""

    run: Path  # a run's folder, or a bundle's
    dataset: Path | None = None  # by default the one that the run's summary names, if it is still there
    experiments: tuple[Path, ...] = ()  # folders of ``viral compare`` and ``viral ablate``
    tokens: Path | None = None  # without: open, and loopback only
    feedback: Path | None = None  # by default beside the run: what ``viral update`` replaces is the run's folder
    stock: Path | None = None  # ids of what is in stock, one a line; read again when it changes
    rules: Path | None = None  # pins, boosts and the like (TOML); read again when it changes
    variants: tuple[tuple[str, Path | None], ...] = ()  # of an A/B test: name and run, None for the served one
    held: Path | None = None  # where copies of what is served are kept; None: it is served from where it lies
    proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-For is believed
    cors: tuple[str, ...] = ()  # origins of pages whose scripts may ask; see :mod:`viral.apps.serve.security.cors`
    kinds: tuple[str, ...] = ()  # of feedback, beside the usual ones
    approximate_above: int | None = None  # items, from where on the search is approximate
    describer: DescriberOptions = NO_DESCRIBER_OPTIONS  # what the bundle does not keep of who described its items
    language: str = ""  # of pages and sentences: a key of ``LANGUAGES``; "": what the browser asks for
    warm: bool = False  # load what new items need at the start rather than with the first of them
    secret: str = ""  # signs the page's sessions; the same in all workers
    workers: int = 1
    rate: float = 100.0  # requests a second and key, over all workers; a burst may be twice that
    max_body: int = 1_000_000  # bytes
    max_picture: int = 10_000_000  # bytes, of an upload
    max_feedback: int = 1_000_000_000  # bytes of the feedback file
    watch_seconds: float = 1.0  # between two looks at the bundle's manifest and the stock

    def __post_init__(self) -> None:
        for name in ("workers", "rate", "max_body", "max_picture", "max_feedback", "watch_seconds"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} = {getattr(self, name)} is not positive", where="settings")
        for kind in self.kinds:
            check_kind(kind)
        if self.language and self.language not in LANGUAGES:
            known = " or ".join(LANGUAGES)
            raise UsageError(f"there are no pages in {self.language!r}", where="--lang", hint=f"--lang {known}")

    @property
    def all_kinds(self) -> tuple[str, ...]:
        """What feedback may be of."""
        return tuple(dict.fromkeys([*KINDS, *self.kinds]))

    @property
    def feedback_file(self) -> Path:
        """Where feedback goes."""
        return self.feedback or default_file(self.run)
