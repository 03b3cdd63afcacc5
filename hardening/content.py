"""What files say, without what may differ between two runs of one command: times, memory, and where the world lies."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

Content = Mapping[str, Any]

VOLATILE = frozenset({
    "seconds", "epoch_seconds", "valid_seconds", "fit_seconds", "peak_memory_bytes", "created", "time", "history",
    "sha256", "seal", "hashes", "users_sha256", "build_seconds", "ranks_sha256", "effort", "update", "identity",
    "processor_seconds", "code", "written", "when",
})  # fmt: skip
LEFT_OUT = ("lock", "journal.jsonl", "checkpoint.safetensors", "identity.json", "code.json", "cache.sqlite")


def content(world: Path, paths: Iterable[str]) -> Content:
    """Every file below the paths, by its name from the world's folder."""
    found: dict[str, Any] = {}
    for path in paths:
        whole = world / path
        files = sorted(whole.rglob("*")) if whole.is_dir() else [whole]
        for file in files:
            if file.is_file() and not _left_out(file, world):
                found[str(file.relative_to(world))] = _said(file, world)
    return found


def left_behind(world: Path) -> list[str]:
    """Temporary files and folders, which nobody is writing any more."""
    return [str(path.relative_to(world)) for path in world.rglob(".*~*") if "~" in path.name]


def _left_out(file: Path, world: Path) -> bool:
    parts = file.relative_to(world).parts
    return file.name in LEFT_OUT or file.name.endswith(("-wal", "-shm", ".html")) or any(p == ".cache" for p in parts)


def _said(file: Path, world: Path) -> Any:
    if file.suffix == ".parquet":
        import pyarrow.parquet as pq

        return pq.read_table(file).to_pylist()
    if file.suffix == ".json":
        return _steady(json.loads(file.read_text(encoding="utf-8")), str(world))
    if file.suffix == ".sqlite":
        return _rows(file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _steady(value: Any, world: str) -> Any:
    if isinstance(value, dict):
        return {name: _steady(one, world) for name, one in value.items() if name not in VOLATILE}
    if isinstance(value, list):
        return [_steady(one, world) for one in value]
    return value.replace(world, "WORLD") if isinstance(value, str) else value


def _rows(file: Path) -> list[tuple[Any, ...]]:
    """Of a ledger: what was asked and what was said."""
    with closing(sqlite3.connect(file)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "entries" not in tables:
            return []
        query = "SELECT item_id, describer, revision, prompt, status, text FROM entries ORDER BY 1, 2, 3, 4"
        return list(connection.execute(query))


def difference(expected: Content, found: Content) -> str:
    """The first file that says something else, in a few words; "" where there is none."""
    for name in sorted({*expected, *found}):
        if name not in found:
            return f"{name} is missing"
        if name not in expected:
            return f"{name} should not be there"
        if expected[name] != found[name]:
            return f"{name} differs: {_short(expected[name], found[name])}"
    return ""


def _short(expected: Any, found: Any) -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        names = [name for name in sorted({*expected, *found}) if expected.get(name) != found.get(name)]
        return ", ".join(f"{name}: {expected.get(name)!r:.80} against {found.get(name)!r:.80}" for name in names[:2])
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        place = next(n for n, (one, other) in enumerate(zip(expected, found, strict=True)) if one != other)
        return f"row {place}: {expected[place]!r:.160} against {found[place]!r:.160}"
    return f"{expected!r:.80} against {found!r:.80}"
