"""Which column of a file is what: as the user says, by its name, and where names do not decide by what is in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from viral.base.errors import UsageError, nearest
from viral.data.importers.columns.names import (
    ITEM,
    ITEM_ROLES,
    KINDS_OF_EVENT,
    LOG_ROLES,
    VARIANT,
    Role,
    candidates,
    key,
)
from viral.data.importers.readers.raw import Raw
from viral.data.importers.times import looks_like_times

_ALSO = {"user_id": "user", "item_id": "item", "color": "colour"}
NONE = "-"  # the user's word for a column that is not to be used
_NAMED, _SAID = "by its name", "as said"
HALF = 0.5  # of the log's ids: a column that has fewer of them is not that of their items


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOptions:
    """What the user says of the files; columns by our names (``item`` may be ``NAME_IN_LOG,NAME_IN_TABLE``)."""

    columns: Mapping[str, str] = field(default_factory=dict)
    items: Path | None = None
    split: str | None = None
    core: int = 0
    seed: int = 0
    encoding: str | None = None
    repair_ids: bool = False
    day_first: bool | None = None

    def of_log(self) -> dict[str, str]:
        """The columns that are named of the log."""
        return self._of(LOG_ROLES, self.columns.get("item", "").split(",")[0])

    def of_items(self) -> dict[str, str]:
        """The columns that are named of the item table."""
        return self._of(ITEM_ROLES, self.columns.get("item", "").split(",")[-1])

    def _of(self, roles: Iterable[Role], item: str) -> dict[str, str]:
        names = {role.name for role in roles}
        return {ours: item if ours == "item" else theirs for ours, theirs in self.columns.items() if ours in names}


def our_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """The mapping by our names; ``user_id`` and ``item_id``, as a data set calls them, are taken as well."""
    columns = {_ALSO.get(name, name): theirs for name, theirs in columns.items()}
    known = dict.fromkeys(role.name for role in (*LOG_ROLES, *ITEM_ROLES))
    for name in columns:
        if name not in known:
            raise UsageError(f"unknown column {name!r}", where="--column", hint=nearest(name, known))
    return columns


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file with what its columns are for."""

    path: Path
    raw: Raw  # its first rows
    columns: Mapping[str, str]  # our name -> the file's
    why: Mapping[str, str] = field(default_factory=dict)  # our name -> how that was found
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)  # our name -> what it could have been too

    def taking(self, role: str, column: str, why: str) -> "Chosen":
        """The same with another column for a role."""
        others = [name for name in (self.columns.get(role), *self.others.get(role, ())) if name and name != column]
        return replace(
            self,
            columns={**{ours: theirs for ours, theirs in self.columns.items() if theirs != column}, role: column},
            why={**self.why, role: why},
            others={**self.others, role: list(dict.fromkeys(others))},
        )

    def unused(self) -> list[str]:
        """The columns that are for nothing yet."""
        there = self.raw.frame.columns
        return [name for name in self.raw.present if name not in self.columns.values() and name in there]

    def values(self, column: str) -> pl.Series:
        """The values of a column in the first rows that are not empty."""
        text = self.raw.frame[column].str.strip_chars()
        return text.filter(text != "")


def by_name(path: Path, raw: Raw, roles: Iterable[Role], said: Mapping[str, str]) -> Chosen:
    """The columns that the user or the names tell; one that is empty in the first rows comes after those that are not.

    What the user names but the file does not have is left out, for the caller to report.
    """
    spelt = {ours: _spelt(theirs, raw.present) for ours, theirs in said.items()}
    chosen = Chosen(path, raw, {ours: theirs for ours, theirs in spelt.items() if theirs in raw.present})
    chosen = replace(chosen, why=dict.fromkeys(chosen.columns, _SAID))
    for role in roles:
        if role.name in said:
            continue
        free = [name for name in candidates(raw.present, role) if name not in chosen.columns.values()]
        ranked = sorted(free, key=lambda name: 2 * len(chosen.values(name)) < raw.frame.height)
        if ranked:
            chosen = replace(chosen, others={**chosen.others, role.name: ranked[1:]})
            chosen = chosen.taking(role.name, ranked[0], _NAMED)
    return chosen


def _spelt(name: str, present: Sequence[str]) -> str:
    """A column as the file spells it, where that is the only one that differs in capitals, blanks and accents alone."""
    alike = [one for one in present if key(one) == key(name)] if key(name) else []
    return alike[0] if name not in present and len(alike) == 1 else name


def choose_log(path: Path, raw: Raw, said: Mapping[str, str]) -> Chosen:
    """The columns of a log; a time that no name tells is the one column that reads as times.

    That of orders is only wanted where some rows do not say whose they are.
    """
    chosen = by_name(path, raw, LOG_ROLES, said)
    user = chosen.columns.get("user")
    if "order" not in said and (user is None or len(chosen.values(user)) == raw.frame.height):
        chosen = replace(chosen, columns={ours: name for ours, name in chosen.columns.items() if ours != "order"})
    if "timestamp" not in chosen.columns and "timestamp" not in said:
        times = [name for name in chosen.unused() if looks_like_times(raw.frame[name])]
        if len(times) == 1:
            chosen = chosen.taking("timestamp", times[0], "its values are times")
    return chosen


def met(log: Chosen, table: Chosen, ids: pl.DataFrame, said: Mapping[str, str]) -> tuple[Chosen, Chosen]:
    """Both files with the columns of item ids that meet, where their names leave a choice or tell none.

    ``ids`` has every row of the table's columns that could be it (``id_options``); ``said`` what the user says.
    """
    if "item" in said:
        return log, table
    ours, theirs = log_options(log), list(ids.columns)
    if len(ours) == len(theirs) == 1 and {"item"} <= log.columns.keys() & table.columns.keys():
        return log, table
    shares = {(one, other): share(log.values(one), ids[other]) for one in ours for other in theirs}
    best = max(shares.values(), default=0.0)
    if best < HALF:
        return log, table
    # Names come first: a column that is better known than the best one stays if it meets nearly as well.
    one, other = next(pair for pair, share in shares.items() if share >= 0.9 * best)
    why = f"{best:.0%} of the log's ids are in it"
    if log.columns.get("item") != one:
        log = log.taking("item", one, f"its values are ids of {table.path.name}")
    if table.columns.get("item") != other:
        table = table.taking("item", other, why)
    return log, table


def grouped(table: Chosen) -> Chosen:
    """The table by its products, where its ids are those of variants and several rows are one product.

    Only the first row of a product has a title then.
    """
    item, title = table.columns.get("item"), table.columns.get("title")
    if item not in candidates(table.raw.present, VARIANT) or title is None or table.why["item"] == _SAID:
        return table
    frame, variants = table.raw.frame, candidates(table.raw.present, VARIANT)
    products = [name for name in candidates(table.raw.present, ITEM) if name not in variants]
    untitled = frame.filter(frame[title].fill_null("").str.strip_chars() == "")
    for product in products:
        if untitled.height and untitled[product].is_in(frame[product].filter(frame[title] != "").implode()).all():
            why = f"rows without a title belong to it; the log has {item}"
            return table.taking("item", product, why).taking("variant", item, table.why["item"])
    return table


def log_options(log: Chosen) -> list[str]:
    """The columns of a log that may hold item ids: those by name, or for want of one all that are unused."""
    if "item" in log.columns:
        return [log.columns["item"], *log.others.get("item", ())]
    return log.unused()


def id_options(table: Chosen) -> list[str]:
    """The columns of an item table that may hold its ids, likewise; a variant's ids are among them."""
    named = candidates(table.raw.present, ITEM)
    if "item" in table.columns:
        first = table.columns["item"]
        return [first, *(name for name in named if name != first)] if table.why["item"] != _SAID else [first]
    return table.unused()


def share(log: pl.Series, ids: pl.Series) -> float:
    """The part of the distinct values of the log that is among ``ids``; as whole numbers where both are numbers."""
    wanted, known = (_plain(values).unique() for values in (log, ids.drop_nulls().str.strip_chars()))
    return float(wanted.is_in(known.implode()).mean() or 0.0) if len(wanted) else 0.0  # type: ignore[arg-type]


def _plain(values: pl.Series) -> pl.Series:
    return values.str.replace(r"^(\d+)\.0+$", "$1")


def kinds_of_event(log: Chosen) -> str:
    """A note on the unused column that tells kinds of event, if there is one."""
    known = {key(name) for name in KINDS_OF_EVENT}
    for name in log.unused():
        kinds = sorted(log.values(name).unique().to_list()) if key(name) in known else []
        if len(kinds) > 1:
            told = ", ".join(kinds[:6]) + (" …" if len(kinds) > 6 else "")
            return f"{name} holds {told}: every row counts as an interaction"
    return ""
