"""Text that anybody may have written, such as a title, made fit for a terminal, JSON and one line of a page."""

import re
import unicodedata

# Embeddings, overrides and isolates could turn text around beyond their own element; letters bring their own direction.
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
JOINERS = frozenset("\u200d\ufe0e\ufe0f")
LONG_WORD = 20  # a cut goes back to the last space, unless that loses more than this
MAX_COMBINING = 4  # marks on one letter; more of them only climb over the neighbouring lines
# C0 and C1 controls, what turns the direction of writing, line separators, and half characters.
_UNSAFE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{''.join(sorted(BIDI_CONTROLS))}]")


def harmless(text: str, *, lines: bool = False) -> str:
    r"""``text`` with its control characters written out, an escape as ``\x1b``; with ``lines`` line breaks stay.

    So no title recolours a terminal, renames its window, turns a line round or breaks a table.
    """
    return _UNSAFE.sub(lambda found: found[0] if lines and found[0] == "\n" else _written_out(found[0]), text)


def harmless_json(document: str) -> str:
    """The same of a JSON document, which says what it said: outside its strings there are only line breaks."""
    return _UNSAFE.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", document)


def _written_out(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


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
