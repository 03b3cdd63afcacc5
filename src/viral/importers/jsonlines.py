"""JSON lines: one object a line. Numbers stay as they are written, so that an id keeps its digits."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from viral.importers.raw import Bad, Raw, gather, open_text


def read_json_lines(path: Path, names: Sequence[str]) -> Raw:
    """Read the keys of ``names`` that occur in the file; a list becomes its members in a row, an object its JSON."""
    wanted, seen = list(dict.fromkeys(names)), dict[str, None]()
    with open_text(path) as file:
        frame, rejections = gather(path, (_row(line, wanted, seen) for line in file if line.strip()), wanted)
    return Raw(list(seen), frame.drop([name for name in wanted if name not in seen]), rejections)


def _row(line: str, names: Sequence[str], seen: dict[str, None]) -> list[str | None] | Bad:
    try:
        value = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return Bad("not valid JSON", line.strip())
    if not isinstance(value, dict):
        return Bad("not a JSON object", line.strip())
    seen.update(dict.fromkeys(value))
    return [_text(value.get(name)) for name in names]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(text for member in value if (text := _text(member)))
    return json.dumps(value, ensure_ascii=False)
