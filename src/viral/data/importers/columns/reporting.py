"""What an import says of the columns: what each is used for, and which are missing."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viral.base.errors import DataError
from viral.data.importers.columns.choosing import NONE, Chosen, UserOptions
from viral.data.importers.readers.formats import in_words
from viral.data.importers.readers.raw import printable
from viral.data.importers.splits import TIMED, SplitRule

_TITLE = "--column title=NAME"
_MANY = 12  # columns that are not used are listed one a line up to here
_DATA = re.compile(r"[\d\s.,:/TZ+-]+")


@dataclass(frozen=True, slots=True)
class Used:
    """One file: what its columns are for, how many rows it has, and what was noticed."""

    chosen: Chosen
    what: str  # "log", "items", or "log and items"
    rows: int
    extra: Mapping[str, str]  # further roles -> columns: of a log that tells of its items
    notes: Sequence[str] = ()

    def text(self) -> str:
        """The table, as it is printed."""
        told = f", {self.chosen.raw.told}" if self.chosen.raw.told else ""
        lines = [f"{printable(self.chosen.path.name)}: the {self.what}, {self.rows:,} rows{told}"]
        roles = self._roles()
        width = min(max((_wide(printable(name)) for name in roles), default=0), 40)
        for name, (role, why) in roles.items():
            shown = printable(name) or "(no name)"
            lines.append(f"  {shown}{' ' * (width - _wide(shown))}  → {role:<10} {why}".rstrip())
        unused = [printable(name) or "(no name)" for name in self.chosen.raw.present if name not in roles]
        if unused:
            more = f" and {len(unused) - _MANY} more" if len(unused) > _MANY else ""
            lines.append(f"  not used: {', '.join(unused[:_MANY])}{more}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """For the manifest: every column with its role, or None where it is not used."""
        roles = {name: role for name, (role, _) in self._roles().items()}
        return {
            "file": self.chosen.path.name,
            "is": self.what,
            "rows": self.rows,
            "format": self.chosen.raw.told,
            "columns": {name: roles.get(name) for name in self.chosen.raw.present},
            "notes": list(self.notes),
        }

    def _roles(self) -> dict[str, tuple[str, str]]:
        """Column -> its role and how that was found."""
        found = {}
        for role, name in {**self.chosen.columns, **self.extra}.items():
            others = self.chosen.others.get(role, ()) if role in ("user", "item", "timestamp", "title", "text") else ()
            free = [printable(other) for other in others if other not in self.chosen.columns.values()]
            why = self.chosen.why.get(role, "of the items, as the log has it")
            why += f" (not {', '.join(free[:3])}; another with --column {role}=NAME)" if free else ""
            found[name] = (role, why)
        return found


def _wide(text: str) -> int:
    """The places that a text takes on a terminal: two for a letter of the east."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


@dataclass(frozen=True, slots=True)
class _Gap:
    file: Chosen
    what: str
    words: str  # of the command line


def lacking(
    source: Path,
    logs: Sequence[Chosen],
    table: Chosen | None,
    user_options: UserOptions,
    rule: SplitRule,
    *,
    by_file: bool = False,
) -> DataError | None:
    """The fault of all the files together; None where nothing is missing. ``by_file``: their names tell the split."""
    needed = ["user", "item"] + ["timestamp"] * (rule in TIMED) + ["split"] * (rule == "column" and not by_file)
    gaps = [gap for log in logs for gap in _of_log(log, table, user_options, needed)]
    gaps += _of_items(table, logs, user_options) if table is not None else []
    if not gaps:
        return None
    words = " ".join(dict.fromkeys(gap.words for gap in gaps))
    hint = f"say which {'one it is' if len(gaps) == 1 else 'they are'} with {words}"
    if any(gap.words == _TITLE for gap in gaps):
        hint += f" (--column title={NONE} if there are no titles)"
    if gaps[0].file.raw.present and all(_DATA.fullmatch(name) for name in gaps[0].file.raw.present):
        hint = "the first line seems to hold data: put a line with the names of the columns above it"
    files = {gap.file.path: gap.file for gap in gaps}
    if len(files) == 1:
        what = " and ".join(gap.what for gap in gaps)
        return DataError(f"{what}; {in_words(gaps[0].file.raw.present)}", where=str(*files), hint=hint)
    lines = [f"{len(gaps)} columns are missing"]
    for path, file in files.items():
        own = ", ".join(gap.what for gap in gaps if gap.file.path == path)
        lines.append(f"  {path.name}: {own}; {in_words(file.raw.present)}")
    return DataError("\n".join(lines), where=str(source), hint=hint)


def _of_log(log: Chosen, table: Chosen | None, user_options: UserOptions, needed: Sequence[str]) -> Iterator[_Gap]:
    said = user_options.of_log()
    known = table.columns.get("item") if table is not None else None
    for role in dict.fromkeys([*needed, *said]):
        if role in log.columns or (role not in needed and said[role] == NONE):
            continue
        both = f",{known}" if role == "item" and known not in (None, "item") else ""
        yield _Gap(log, f"column {said.get(role, role)!r} is missing", f"--column {role}=NAME{both}")


def _of_items(table: Chosen, logs: Sequence[Chosen], user_options: UserOptions) -> Iterator[_Gap]:
    said = user_options.of_items()
    for role in dict.fromkeys(["item", *said]):
        if role in table.columns or (role != "item" and said[role] == NONE):
            continue
        both = f"{logs[0].columns['item']}," if role == "item" and logs and "item" in logs[0].columns else ""
        yield _Gap(table, f"column {said.get(role, role)!r} is missing", f"--column {role}={both}NAME")
    words = (table.values(name).str.contains(r"\p{L}") for name in table.unused())  # a title may be among them
    if "title" not in table.columns and "title" not in said and any(values.any() for values in words):
        yield _Gap(table, "no column of titles is recognised", _TITLE)
