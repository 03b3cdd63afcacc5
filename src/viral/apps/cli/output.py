"""Output of every verb: results to stdout, faults to stderr, exit 0, 1 or 2, never a traceback for a user."""

import functools
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer

from viral.base.errors import ViralError
from viral.base.extras import explained
from viral.base.progress import say
from viral.base.safe_text import harmless, harmless_json, shown

F = TypeVar("F", bound=Callable[..., Any])
MUCH = 0.25  # of the users see one item,
UNEVEN = 3  # times as many as if all items were seen alike:
A_BEGINNING = 0.3  # then this penalty is named


def verb(function: F) -> F:
    """Turn faults into a message and an exit status: 1 the work failed, 2 the words were wrong, 130 interrupted.

    SIGTERM ends a verb as Ctrl-C does. What nobody foresaw is told in a line, too; ``VIRAL_TRACEBACK=1`` shows where.
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        as_json = bool(kwargs.get("json_output"))
        try:
            with _ended_by_sigterm():
                return _importing(function, *args, **kwargs)
        except ViralError as error:
            _report(error.what, error.where, error.hint, as_json)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            _report("stopped", "", "the same command goes on where it was", as_json)
            raise typer.Exit(130) from None
        except OSError as error:
            _report(error.strerror or str(error), str(error.filename or ""), "", as_json)
            raise typer.Exit(1) from None
        except typer.Exit:
            raise
        except Exception as error:
            if os.environ.get("VIRAL_TRACEBACK"):
                raise
            told = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            hint = "nothing finished is lost; please report it with what the same command says under VIRAL_TRACEBACK=1"
            _report(f"a fault that VIRAL did not foresee ({told})", "", hint, as_json)
            raise typer.Exit(1) from None

    return wrapped  # type: ignore[return-value]


def _importing(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call the verb; a package that is not installed becomes the sentence that says which extra has it."""
    try:
        return function(*args, **kwargs)
    except ModuleNotFoundError as error:
        raise explained(error) from None


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM raises what Ctrl-C does, unless somebody else has a use for it."""
    try:
        before = signal.getsignal(signal.SIGTERM)
        if before is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:  # not in the main thread, which alone gets signals
        before = None
    try:
        yield
    finally:
        if before is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, before)


def _report(what: str, where: str, hint: str, as_json: bool) -> None:
    place = f"{where}: " if where else ""
    say(f"viral: {place}{what}" + (f"\n  → {hint}" if hint else ""))
    if as_json:
        show_json({"error": {"what": what, "where": where, "hint": hint}})


def command_of(name: str, dataset: Any, options: Mapping[str, Sequence[Any]]) -> str:
    """The command that does the same again; options without a value are left out."""
    words = ["viral", name, dataset]
    words += [
        word for option, values in options.items() for value in values if value is not None for word in (option, value)
    ]
    return shlex.join(map(str, words))


def show(text: str) -> None:
    """Print a result for a human; what comes from titles goes through ``harmless`` before, lest it break a line."""
    sys.stdout.write(harmless(text, lines=True) + "\n")


def show_json(value: Any) -> None:
    """Print the one JSON document; numbers that are no numbers become null, control characters are escaped."""
    document = json.dumps(_finite(value), ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(harmless_json(document) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return None
    return value


def table(header: list[str], rows: list[list[Any]]) -> str:
    """Columns padded with spaces; numbers to four decimals."""
    cells = [header, *[[f"{c:.4f}" if isinstance(c, float) else str(c) for c in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True)))
        for r in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def signed(values: Mapping[str, float]) -> str:
    """Parts with their signs, in a row."""
    return ", ".join(f"{name.replace('_', ' ')} {value:+.3f}" for name, value in values.items())


def show_exposure(summary: Mapping[str, Any], run: Path) -> None:
    """Say it, where it was measured, and what to do where many see the same."""
    from viral.evaluation.exposure import in_words

    told = summary.get("exposure")
    if told is None:
        return
    title, item_id = shown(told["most_title"], 60), shown(told["most_item"], 60)
    show(f"recommended: {in_words(told, f'“{title}” ({item_id})' if title else item_id)}")
    uneven = told["most"] >= max(MUCH, UNEVEN * told["k"] / told["items"])
    if uneven and not summary.get("less_popular"):
        show(
            f"  → for more variety: viral recommend {run} --user ID --less-popular {A_BEGINNING}; what it costs: "
            f"viral evaluate {run} --less-popular {A_BEGINNING}"
        )
