"""What an import uses of its files: a table of their columns for a human, and the same for the manifest."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from viral.data.importers.choosing import Chosen
from viral.data.importers.raw import printable

_MANY = 12  # columns that are not used are listed one a line up to here


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
