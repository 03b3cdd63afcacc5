"""Progress on stderr: a bar in a terminal, one line a stage in a log. Standard output stays free for results."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from typing import TypeVar

from viral.base.safe_text import harmless

T = TypeVar("T")


def say(text: str) -> None:
    """Print one line for a human, to stderr; whoever reads it may have gone (``| head``), and the work goes on."""
    with suppress(BrokenPipeError):
        print(harmless(text, lines=True), file=sys.stderr, flush=True)  # noqa: T201 - the one place that prints


@contextmanager
def stage(label: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show a stage of the work; the yielded ``advance(n=1, note="")`` moves its bar on."""
    started = time.perf_counter()
    if not sys.stderr.isatty():
        done = 0

        def count(n: int = 1, note: str = "") -> None:
            nonlocal done
            done += n

        yield count
        amount = f"{done:,} " if done else ""
        say(f"{label}: {amount}done in {time.perf_counter() - started:.1f} s")
        return

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(label, total=total, note="")

        def advance(n: int = 1, note: str = "") -> None:
            bars.update(task, advance=n, note=note)

        yield advance


def track(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Yield ``items`` while a bar named ``label`` follows."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with stage(label, total) as advance:
        for item in items:
            yield item
            advance()
