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


@dataclass(frozen=True, slots=True)
class EditionCheck:
    """Whether files are of the edition that the user asked for; else a ``DataError`` says what to type instead."""

    edition: AmazonEdition
    source: Path
    dataset: Path

    def files(self, logs: Sequence[Path], metadata: Path) -> list[str]:
        """Check the first rows of all; return some ids of the metadata's items."""
        for path in logs:
            self._log(path)
        return self._metadata(metadata)

    def _log(self, path: Path) -> None:
        refuse_foreign(path, "lines of text", text=True)
        if is_json(path):
            rows = [row for _, row in islice(records(path, shown=False), SAMPLE)]
            good = [row for row in rows if not isinstance(row, Bad)]
            if good:
                self._fields(path, good)
            elif rows:
                raise self._unreadable(path, rows)
            return
        lines = [row for _, row in islice(comma_separated(path, (), shown=False), SAMPLE)]
        named = next((row for row in lines if not isinstance(row, Bad)), None)
        if named is not None:
            self._header(path, list(named))
        else:
            self._order(path, [row.value.split(",") for row in lines if isinstance(row, Bad)])

    def _metadata(self, path: Path) -> list[str]:
        rows = [row for _, row in islice(records(path, shown=False), SAMPLE) if not isinstance(row, Bad)]
        seen = Counter(mark for row in rows for mark in row)
        scores = {name: sum(seen[mark] for mark in marks) for name, marks in _MARKS.items()}
        best = max(scores, key=scores.__getitem__)
        if best != self.edition.name and scores[best] > 2 * scores[self.edition.name]:
            raise self._of_another(path, "metadata", [mark for mark in _MARKS[best] if seen[mark]], best)
        return [str(row[self.edition.item]) for row in rows if self.edition.item in row]

    def _fields(self, path: Path, rows: Sequence[Record]) -> None:
        user, item = self.edition.user, self.edition.item
        if any(user in row and item in row for row in rows):
            return
        for other, fields in _LOGS.items():
            if any(all(field in row for field in fields) for row in rows):
                raise self._of_another(path, "reviews", fields, other)
        raise self._of_none(path, f"the rows have {_some(rows[0])}: neither {user} nor {item}")

    def _header(self, path: Path, names: Sequence[str]) -> None:
        of_2023 = "parentasin" in map(key, names)
        if of_2023 != (self.edition.name == "amazon2023") and (of_2023 or "asin" in map(key, names)):
            raise self._of_another(path, "ratings", names, "amazon2023" if of_2023 else "amazon2014")
        missing = {self.edition.user, self.edition.item} - set(_names(self.edition, names).values())
        if missing:
            raise self._of_none(path, f"the columns are {_some(names)}: none is {' or '.join(sorted(missing))}")

    def _order(self, path: Path, rows: Sequence[Sequence[str]]) -> None:
        """Of rows without a header: which of the first two is a product's number, as far as their shape tells."""
        own, ratings = self.edition.name, self.edition.ratings
        pairs = [row for row in rows if len(row) == 4]
        if rows and not pairs:
            expected = ", ".join(ratings) or "a header and its columns"
            raise self._of_none(path, f"neither JSON nor rows of {expected}: {','.join(rows[0])[:60]!r}")
        votes = Counter(shape for row in pairs if (shape := _by_shape(*row[:2])))
        likely = votes.most_common(1)[0][0] if votes else own
        if pairs and (likely != own or not ratings):
            other = likely if likely != own else "amazon2014"
            raise self._of_another(path, "ratings", _SHAPES[other], other)

    def _unreadable(self, path: Path, rows: Sequence[Record | Bad]) -> DataError:
        first = next(row for row in rows if isinstance(row, Bad))
        what = f"not one of its first {len(rows)} rows can be read ({first.reason}): {printable(first.value)[:60]!r}"
        fields = f"an object with {self.edition.user} and {self.edition.item} in each"
        hint = f"this layout reads JSON lines, {fields}, or the ratings as CSV"
        return DataError(what, where=str(path), hint=hint)

    def _of_another(self, path: Path, kind: str, fields: Sequence[str], other: str) -> DataError:
        own = self.edition.name[-4:]
        what = f"these are {kind} of the edition of {other[-4:]} ({_some(fields)}), not of {own}"
        hint = f"import them as such: viral import {other} {self.source} {self.dataset}"
        return DataError(what, where=str(path), hint=hint)

    def _of_none(self, path: Path, what: str) -> DataError:
        hint = f"is it a file of this layout? Any other log: viral import table {path} {self.dataset}"
        return DataError(what, where=str(path), hint=hint)


def _by_shape(one: str, two: str) -> str | None:
    """The edition whose ratings begin with two fields of such shape: users' numbers are longer than products'."""
    if _USER.fullmatch(one) and _ASIN.fullmatch(two):
        return "amazon2014"
    return "amazon2018" if _ASIN.fullmatch(one) and _USER.fullmatch(two) else None


def _some(names: Mapping[str, object] | Sequence[str]) -> str:
    shown = [printable(name) for name in list(names)[:6]]
    return ", ".join(shown) + (" …" if len(names) > len(shown) else "")
