"""Texts and numbers as a reader sees them: untrusted strings made harmless to the layout, numbers rounded for print."""

import math
import unicodedata

# Embeddings, overrides and isolates could turn text around beyond their own element; letters bring their own direction.
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
JOINERS = frozenset("\u200d\ufe0e\ufe0f")
LONG_WORD = 20  # a cut goes back to the last space, unless that loses more than this
MAX_COMBINING = 4  # marks on one letter; more of them only climb over the neighbouring lines
DASH = "–"


def shown(text: str, limit: int = 200) -> str:
    """``text`` on one line, at most ``limit`` characters, cut between words or between characters drawn apart.

    Control characters and lone surrogates cannot be written or would break the line; they become spaces and U+FFFD.
    HTML is not escaped here: the template does that for every string.
    """
    head = text[: 4 * limit + 100]
    clean = "".join(_without_towers(head))
    line = " ".join(clean.split())
    if len(line) <= limit and len(head) == len(text):
        return line
    end = min(limit - 1, len(line))
    while end > 0 and _belongs_to_previous(line, end):
        end -= 1
    space = line.rfind(" ", 0, end + 1)
    return line[: space if space > max(0, end - LONG_WORD) else end].rstrip(" ,;.") + "…"


def _without_towers(text: str) -> list[str]:
    """The characters that are kept, with no more than ``MAX_COMBINING`` marks in a row."""
    kept, run = [], 0
    for char in text:
        category = unicodedata.category(char)
        run = run + 1 if category in ("Mn", "Me") else 0
        if char in BIDI_CONTROLS or run > MAX_COMBINING:
            continue
        kept.append({"Cc": " ", "Cs": "\ufffd"}.get(category, char))
    return kept


def _belongs_to_previous(line: str, index: int) -> bool:
    """Whether the character at ``index`` is drawn together with the one before it (accents, emoji sequences)."""
    if index >= len(line):
        return False
    char = line[index]
    skin_tone = "\U0001f3fb" <= char <= "\U0001f3ff"
    return skin_tone or char in JOINERS or line[index - 1] == "\u200d" or unicodedata.category(char).startswith("M")


def fixed(value: float | None, decimals: int = 4, *, signed: bool = False) -> str:
    """A number with ``decimals`` places and a true minus sign; a dash for ``None``, NaN and infinity."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−")


def percent(value: float | None, decimals: int = 1, *, signed: bool = False) -> str:
    """0.1234 as ``12.3 %``, the space unbreakable."""
    text = fixed(None if value is None else 100 * value, decimals, signed=signed)
    return text if text == DASH else f"{text}\u00a0%"


def score(value: float) -> str:
    """A score with about four significant digits."""
    size = abs(value)
    return fixed(value, 3 if size < 10 else 2 if size < 100 else 1)


def whole(value: int | None) -> str:
    """A count with separators between thousands."""
    return DASH if value is None else f"{value:,}"


def duration(seconds: float | None) -> str:
    """Seconds as ``0.4 s``, ``12 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds is None or not math.isfinite(seconds):
        return DASH
    if seconds < 10:
        return f"{seconds:.1f}\u00a0s"
    total = round(seconds)
    if total < 90:
        return f"{total}\u00a0s"
    if total < 5400:
        return f"{total // 60}\u00a0min {total % 60}\u00a0s"
    return f"{total // 3600}\u00a0h {total % 3600 // 60}\u00a0min"


def seeds(values: tuple[int, ...]) -> str:
    """``seed 7``, ``seeds 1–5`` where they follow each other, else the list."""
    if len(values) == 1:
        return f"seed {values[0]}"
    if len(values) > 2 and values == tuple(range(values[0], values[0] + len(values))):
        return f"seeds {values[0]}–{values[-1]}"
    return f"seeds {', '.join(map(str, values))}" if values else "no seed"
