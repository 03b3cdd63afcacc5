"""What the user of ``viral import table`` says of the files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from viral.base.errors import UsageError, nearest
from viral.data.importers.columns import ITEM_ROLES, LOG_ROLES, Role

_ALSO = {"user_id": "user", "item_id": "item", "color": "colour"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Columns by our names (``item`` may be ``NAME_IN_LOG,NAME_IN_TABLE``), and the words about the files."""

    columns: Mapping[str, str] = field(default_factory=dict)
    items: Path | None = None
    split: str | None = None
    encoding: str | None = None
    repair_ids: bool = False
    day_first: bool | None = None

    def of_log(self) -> dict[str, str]:
        return self._of(LOG_ROLES, 0)

    def of_items(self) -> dict[str, str]:
        return self._of(ITEM_ROLES, -1)

    def _of(self, roles: Iterable[Role], place: int) -> dict[str, str]:
        names = {role.name for role in roles}
        return {
            ours: theirs.split(",")[place] if ours == "item" else theirs
            for ours, theirs in self.columns.items()
            if ours in names
        }


def our_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """The mapping by our names; ``user_id`` and ``item_id``, as a data set calls them, are taken as well."""
    columns = {_ALSO.get(name, name): theirs for name, theirs in columns.items()}
    known = dict.fromkeys(role.name for role in (*LOG_ROLES, *ITEM_ROLES))
    for name in columns:
        if name not in known:
            raise UsageError(f"unknown column {name!r}", where="--column", hint=nearest(name, known))
    return columns
