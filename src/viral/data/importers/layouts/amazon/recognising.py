"""Which edition of the Amazon sets a file is of, by its first rows: another one is named, and not read as this one.

The reviews of 2014 and 2018 have the same fields; their ratings alone name the user first in 2014, the item in 2018.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from viral.base.errors import DataError
from viral.data.importers.columns.names import LOG_ITEM, TIMESTAMP, USER, Role, candidates, key
from viral.data.importers.layouts.amazon.files import AmazonEdition, Record, comma_separated, is_json, records
from viral.data.importers.readers.compressed import refuse_foreign
from viral.data.importers.readers.raw import Bad, printable

SAMPLE = 200  # rows
_RATING = Role("rating", "what was given", ("rating", "overall", "score", "stars"))
_ASIN, _USER = re.compile(r"[0-9A-Z]{10}"), re.compile(r"A[0-9A-Z]{11,40}")
_SHAPES: Mapping[str, tuple[str, ...]] = {  # of the ratings without a header
    "amazon2014": ("user", "item", "rating", "time"),
    "amazon2018": ("item", "user", "rating", "time"),
}
_LOGS: Mapping[str, tuple[str, ...]] = {  # of the reviews
    "amazon2018": ("reviewerID", "asin", "verified"),
    "amazon2014": ("reviewerID", "asin"),
    "amazon2023": ("user_id", "parent_asin"),
}
_MARKS: Mapping[str, tuple[str, ...]] = {  # of the metadata
    "amazon2014": ("categories", "imUrl", "salesRank", "related"),
    "amazon2018": (
        *("category", "feature", "imageURL", "imageURLHighRes", "image", "main_cat"),
        *("also_buy", "also_view", "similar_item"),
    ),
    "amazon2023": ("parent_asin", "main_category", "average_rating", "features", "images", "videos", "store"),
}


@dataclass(frozen=True, slots=True)
class Command:
    """What the user typed, to say what to type instead."""

    source: Path
    dataset: Path

    def by(self, edition: str, source: Path | None = None) -> str:
        return f"viral import {edition} {source or self.source} {self.dataset}"


def read_log(edition: AmazonEdition, path: Path) -> Iterator[tuple[int, Record | Bad]]:
    """Number and content of every row of a log, JSON lines or the ratings alone, by the names of the layout."""
    if is_json(path):
        yield from records(path)
        return
    ours: Mapping[str, str] = {}
    for number, record in comma_separated(path, edition.ratings):
        if isinstance(record, Bad):
            yield number, record
            continue
        ours = ours or _names(edition, list(record))
        yield number, {ours.get(name, name): value for name, value in record.items()}


def _names(edition: AmazonEdition, theirs: Sequence[str]) -> Mapping[str, str]:
    """A header's names -> the layout's."""
    pairs = ((USER, edition.user), (LOG_ITEM, edition.item), (_RATING, edition.rating), (TIMESTAMP, edition.time))
    return {found[0]: ours for role, ours in pairs if (found := candidates(theirs, role))}


def check_log(edition: AmazonEdition, path: Path, command: Command) -> None:
    """Raise ``DataError`` where the first rows are of another edition, or of something else."""
    refuse_foreign(path, "lines of text", text=True)
    if is_json(path):
        rows = [row for _, row in islice(records(path, shown=False), SAMPLE)]
        good = [row for row in rows if not isinstance(row, Bad)]
        if good:
            _check_fields(edition, path, good, command)
        elif rows:
            raise _unreadable(edition, path, rows)
        return
    lines = [row for _, row in islice(comma_separated(path, (), shown=False), SAMPLE)]
    named = next((row for row in lines if not isinstance(row, Bad)), None)
    if named is not None:
        _check_header(edition, path, list(named), command)
    else:
        _check_order(edition, path, [row.value.split(",") for row in lines if isinstance(row, Bad)], command)


def _unreadable(edition: AmazonEdition, path: Path, rows: Sequence[Record | Bad]) -> DataError:
    first = next(row for row in rows if isinstance(row, Bad))
    what = f"not one of its first {len(rows)} rows can be read ({first.reason}): {printable(first.value)[:60]!r}"
    hint = (
        f"this layout reads JSON lines, an object with {edition.user} and {edition.item} in each, or the ratings as CSV"
    )
    return DataError(what, where=str(path), hint=hint)


def _check_fields(edition: AmazonEdition, path: Path, rows: Sequence[Record], command: Command) -> None:
    if any(edition.user in row and edition.item in row for row in rows):
        return
    for other, fields in _LOGS.items():
        if any(all(field in row for field in fields) for row in rows):
            raise _of_another("reviews", fields, other, edition, path, command)
    raise _of_none(f"the rows have {_some(rows[0])}: neither {edition.user} nor {edition.item}", path, command)


def _check_header(edition: AmazonEdition, path: Path, names: Sequence[str], command: Command) -> None:
    of_2023 = "parentasin" in map(key, names)
    if of_2023 != (edition.name == "amazon2023") and (of_2023 or "asin" in map(key, names)):
        raise _of_another("ratings", names, "amazon2023" if of_2023 else "amazon2014", edition, path, command)
    missing = {edition.user, edition.item} - set(_names(edition, names).values())
    if missing:
        raise _of_none(f"the columns are {_some(names)}: none is {' or '.join(sorted(missing))}", path, command)


def _check_order(edition: AmazonEdition, path: Path, rows: Sequence[Sequence[str]], command: Command) -> None:
    """Of rows without a header: which of the first two is a product's number, as far as their shape tells."""
    pairs = [row for row in rows if len(row) == 4]
    if rows and not pairs:
        expected = ", ".join(edition.ratings) or "a header and its columns"
        raise _of_none(f"neither JSON nor rows of {expected}: {','.join(rows[0])[:60]!r}", path, command)
    votes = Counter(shape for row in pairs if (shape := _by_shape(*row[:2])))
    likely = votes.most_common(1)[0][0] if votes else edition.name
    if pairs and (likely != edition.name or not edition.ratings):
        other = likely if likely != edition.name else "amazon2014"
        raise _of_another("ratings", _SHAPES[other], other, edition, path, command)


def _by_shape(one: str, two: str) -> str | None:
    """The edition whose ratings begin with two fields of such shape: users' numbers are longer than products'."""
    if _USER.fullmatch(one) and _ASIN.fullmatch(two):
        return "amazon2014"
    return "amazon2018" if _ASIN.fullmatch(one) and _USER.fullmatch(two) else None


def check_metadata(edition: AmazonEdition, path: Path, command: Command) -> list[str]:
    """Raise ``DataError`` where the first metadata are of another edition; return some of their items' ids."""
    rows = [row for _, row in islice(records(path, shown=False), SAMPLE) if not isinstance(row, Bad)]
    seen = Counter(mark for row in rows for mark in row)
    scores = {name: sum(seen[mark] for mark in marks) for name, marks in _MARKS.items()}
    best = max(scores, key=scores.__getitem__)
    if best != edition.name and scores[best] > 2 * scores[edition.name]:
        raise _of_another("metadata", [mark for mark in _MARKS[best] if seen[mark]], best, edition, path, command)
    return [str(row[edition.item]) for row in rows if edition.item in row]


def _of_another(
    kind: str, fields: Sequence[str], other: str, edition: AmazonEdition, path: Path, command: Command
) -> DataError:
    what = f"these are {kind} of the edition of {other[-4:]} ({_some(fields)}), not of {edition.name[-4:]}"
    return DataError(what, where=str(path), hint=f"import them as such: {command.by(other)}")


def _of_none(what: str, path: Path, command: Command) -> DataError:
    hint = f"is it a file of this layout? Any other log: {command.by('table', path)}"
    return DataError(what, where=str(path), hint=hint)


def _some(names: Mapping[str, object] | Sequence[str]) -> str:
    shown = [printable(name) for name in list(names)[:6]]
    return ", ".join(shown) + (" …" if len(names) > len(shown) else "")
