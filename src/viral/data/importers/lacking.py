"""Columns that an import cannot do without and does not find: all of them in one message, with the words that help."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import DataError
from viral.data.importers.choosing import NONE, Chosen
from viral.data.importers.reading import in_words
from viral.data.importers.splits import TIMED, SplitRule
from viral.data.importers.wishes import Wishes

_DATA = re.compile(r"[\d\s.,:/TZ+-]+")


@dataclass(frozen=True, slots=True)
class _Gap:
    file: Chosen
    what: str
    words: str  # of the command line


def lacking(
    source: Path,
    logs: Sequence[Chosen],
    table: Chosen | None,
    wishes: Wishes,
    rule: SplitRule,
    *,
    by_file: bool = False,
) -> DataError | None:
    """The fault of all the files together; None where nothing is missing. ``by_file``: their names tell the split."""
    needed = ["user", "item"] + ["timestamp"] * (rule in TIMED) + ["split"] * (rule == "column" and not by_file)
    gaps = [gap for log in logs for gap in _of_log(log, table, wishes, needed)]
    gaps += _of_items(table, logs, wishes) if table is not None else []
    if not gaps:
        return None
    words = " ".join(dict.fromkeys(gap.words for gap in gaps))
    hint = f"say which {'one it is' if len(gaps) == 1 else 'they are'} with {words}"
    if any(gap.words == _title() for gap in gaps):
        hint += f" (--column title={NONE} if there are no titles)"
    if gaps[0].file.raw.present and all(_DATA.fullmatch(name) for name in gaps[0].file.raw.present):
        hint = "the first line seems to hold data: put a line with the names of the columns above it"
    if len({gap.file.path for gap in gaps}) == 1:
        file = gaps[0].file
        what = " and ".join(gap.what for gap in gaps)
        return DataError(f"{what}; {in_words(file.raw.present)}", where=str(file.path), hint=hint)
    lines = [f"{len(gaps)} columns are missing"]
    for path in dict.fromkeys(gap.file.path for gap in gaps):
        own = [gap for gap in gaps if gap.file.path == path]
        lines.append(f"  {path.name}: {', '.join(gap.what for gap in own)}; {in_words(own[0].file.raw.present)}")
    return DataError("\n".join(lines), where=str(source), hint=hint)


def _of_log(log: Chosen, table: Chosen | None, wishes: Wishes, needed: Sequence[str]) -> Iterator[_Gap]:
    said = wishes.of_log()
    known = table.columns.get("item") if table is not None else None
    for role in dict.fromkeys([*needed, *said]):
        if role in log.columns or (role not in needed and said[role] == NONE):
            continue
        both = f",{known}" if role == "item" and known not in (None, "item") else ""
        yield _Gap(log, _missing(said.get(role, role)), f"--column {role}=NAME{both}")


def _of_items(table: Chosen, logs: Sequence[Chosen], wishes: Wishes) -> Iterator[_Gap]:
    said = wishes.of_items()
    for role in dict.fromkeys(["item", *said]):
        if role in table.columns or (role != "item" and said[role] == NONE):
            continue
        both = f"{logs[0].columns['item']}," if role == "item" and logs and "item" in logs[0].columns else ""
        yield _Gap(table, _missing(said.get(role, role)), f"--column {role}={both}NAME")
    if "title" not in table.columns and "title" not in said and _has_words(table):
        yield _Gap(table, "no column of titles is recognised", _title())


def _missing(name: str) -> str:
    return f"column {name!r} is missing"


def _title() -> str:
    return "--column title=NAME"


def _has_words(table: Chosen) -> bool:
    """Whether a column that is not used holds words: a title may be among them."""
    names = [name for name in table.unused() if name in table.raw.frame.columns]
    return any(bool(table.values(name).str.contains(r"\p{L}").any()) for name in names)
