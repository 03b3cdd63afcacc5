"""Times as real logs write them, as numbers: since 1970 in the column's own unit, or dates as seconds since then.

The whole column decides what cannot be told from one value: whether 03/04/2024 is in March or April, and in which unit
its numbers are.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import polars as pl

from viral.base.errors import DataError
from viral.data.importers.readers.raw import in_a_row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
_DAY_FIRST = ("%d{0}%m{0}%Y", "%d{0}%m{0}%y")
_MONTH_FIRST = ("%m{0}%d{0}%Y", "%m{0}%d{0}%y")
_NAMED = (
    *("%Y-%m-%d", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y"),
    *("%Y/%m/%d", "%Y.%m.%d"),
)
_CHINESE = (r"^(\d{4})年(\d{1,2})月(\d{1,2})日?\s*", "$1-$2-$3 ")
_EITHER = r"^(\d{1,2})([/-])(\d{1,2})[/-](\d{4}|\d{2})\b"
_COMPACT = r"^(?:19[7-9]\d|20\d\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$"
_UNITS = (("s", 0, 1e11), ("ms", 3, 1e14), ("us", 6, 1e17), ("ns", 9, float("inf")))
_SINCE = 1e8  # a smaller number is a place in an order, or a time of before 1973; it tells no unit


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times as numbers (null: no time), and how it was read, in words."""

    numbers: pl.Series
    told: str
    unit: str  # s, ms, us or ns since 1970


def read_times(written: pl.Series, *, day_first: bool | None = None, where: str = "") -> Times:
    """The times of a column of text (null: nothing written).

    ``DataError`` where every date reads both as day/month and as month/day, and ``day_first`` does not say which.
    """
    number = written.cast(pl.Float64, strict=False)
    compact = written.drop_nulls().str.contains(_COMPACT)
    if len(compact) and compact.all():
        return Times(_dates(written, ["%Y%m%d"]), "dates YYYYMMDD", "s")
    dates = written.filter(written.is_not_null() & number.is_null()).unique(maintain_order=True)
    if not len(dates):
        return _numbers(written, "")
    seconds, told = _parsed(dates, day_first, where)
    # Units are compared below: beside dates, which are seconds, the numbers become seconds too.
    return _numbers(written.replace(dates, seconds), told)


def looks_like_times(sample: pl.Series) -> bool:
    """Whether nearly every value reads as a time, and none as something else: numbers must be of our days."""
    known = sample.drop_nulls()
    known = known.filter(known.str.strip_chars() != "").str.strip_chars()
    if not len(known):
        return False
    number = known.cast(pl.Float64, strict=False)
    if number.null_count() == 0:
        size = number.abs()
        ours = [size.is_between(1e9 * 10**power, 2.2e9 * 10**power) for _, power, _ in _UNITS]
        return any(bool(fits.all()) for fits in ours)
    try:
        parsed, _ = _parsed(known.head(500).unique(), None, "")
    except DataError:
        return True
    return parsed.null_count() <= 0.05 * len(parsed)


def _parsed(dates: pl.Series, day_first: bool | None, where: str) -> tuple[pl.Series, str]:
    """Each date as text of seconds since 1970, null where it is none, and how they were read."""
    text = dates.str.strip_chars().str.replace(*_CHINESE).str.strip_chars()
    text = text.str.replace(r"(?i)\s*(?:UTC|GMT|Z)$", "+00:00")
    seconds, told = pl.Series([_seconds(value) for value in text.to_list()], dtype=pl.String), list[str]()
    rest = text.filter(seconds.is_null())
    if len(rest):
        formats, told = _formats(rest, day_first, where)
        seconds = seconds.fill_null(_dates(text, formats).cast(pl.String))
    rest = text.filter(seconds.is_null())
    if len(rest):
        mail = pl.Series([_mail(value) for value in rest.to_list()], dtype=pl.String)
        seconds = seconds.fill_null(text.replace_strict(rest, mail, default=None, return_dtype=pl.String))
    return seconds, ", ".join(told)


def _formats(rest: pl.Series, day_first: bool | None, where: str) -> tuple[list[str], list[str]]:
    """The formats to try on what is not ISO, and in words how day and month were told apart."""
    days = [f"%d.%m.{year}" for year in ("%Y", "%y")] + list(_NAMED)
    parts = rest.str.extract_groups(_EITHER).struct.unnest()
    parts.columns = ["first", "mark", "second", "year"]
    parts = parts.drop_nulls()
    order = list[str]()
    if parts.height:
        is_day_first = _order(parts, day_first, where)
        forms = _DAY_FIRST if is_day_first else _MONTH_FIRST
        days = [form.format(mark) for form in forms for mark in ("/", "-")] + days
        order = [f"read as {'day/month/year' if is_day_first else 'month/day/year'}"]
    # %Y takes two digits as well: the years of two digits are tried first where they are written so.
    short = rest.str.contains(r"^\d{1,2}[./-]\d{1,2}[./-]\d{2}(?:\D|$)").any()
    days = sorted(days, key=lambda form: form.endswith("%y") != short)
    return [day + clock for day in days for clock in _CLOCKS], order


def _order(parts: pl.DataFrame, day_first: bool | None, where: str) -> bool:
    """Whether the day stands first; the whole column tells, by a number that is no month."""
    if day_first is not None:
        return day_first
    first, second = (int(parts[name].cast(pl.Int64).max()) for name in ("first", "second"))  # type: ignore[arg-type]
    if (first > 12) == (second > 12):
        why = "both numbers go beyond 12" if first > 12 else "neither number goes beyond 12"
        example = "{0}{1}{2}{1}{3}".format(*parts.row(0))
        raise DataError(
            f"dates such as {example} do not tell whether the day or the month comes first ({why})",
            where=where,
            hint="say it with --day-first or --month-first, or write them as YYYY-MM-DD",
        )
    return first > 12


def _seconds(date: str) -> str | None:
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        head, _, zone = date.rpartition(" ")
        if not (head and zone.startswith(("+", "-"))):
            return None
        return _seconds(head + zone)
    return _since(moment)


def _mail(date: str) -> str | None:
    try:
        return _since(parsedate_to_datetime(date))
    except (ValueError, TypeError, IndexError):
        return None


def _since(moment: datetime) -> str:
    seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds()
    return str(int(seconds)) if seconds.is_integer() else repr(seconds)


def _dates(text: pl.Series, formats: list[str]) -> pl.Series:
    """Seconds since 1970 by the first format that fits, null where none does."""
    tries = [pl.col("t").str.strptime(pl.Datetime("us"), form, strict=False) for form in formats]
    return text.to_frame("t").select(pl.coalesce(tries).dt.epoch("s")).to_series()


def _numbers(text: pl.Series, told: str) -> Times:
    """Numbers as they are written; in seconds where they are of several units."""
    number = text.cast(pl.Float64, strict=False)
    size = number.abs()
    units = {
        name: (size >= max(_SINCE, low)) & (size < high)
        for (name, _, high), low in zip(_UNITS, (0.0, *(high for _, _, high in _UNITS)), strict=False)
    }
    found = [name for name, rows in units.items() if rows.any()]
    if len(found) > 1:
        for name, power, _ in _UNITS:
            number = pl.select(pl.when(units[name]).then(number / 10**power).otherwise(number)).to_series()
        whole = number.cast(pl.Int64, strict=False)
        number = whole if (whole == number).all() else number
        return Times(number, in_a_row(told, f"numbers of several units ({', '.join(found)}), all as seconds"), "s")
    unit = found[0] if found else "s"
    said = in_a_row(told, {"s": "", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}[unit])
    # By way of int64 where that loses nothing: nanoseconds have more digits than a float64.
    whole = text.cast(pl.Int64, strict=False)
    number = number.set(number.is_infinite().fill_null(value=False) | number.is_nan().fill_null(value=False), None)
    return Times(whole if whole.null_count() == number.null_count() else number, said, unit)


def span(times: pl.Series, unit: str) -> str:
    """From when to when, in words; nothing where the numbers are no times of our days."""
    known = times.drop_nulls()
    if not len(known):
        return ""
    per_second = next(10**power for name, power, _ in _UNITS if name == unit)
    ends = known.cast(pl.Float64).sort()[[0, -1]] / per_second
    if not all(_SINCE <= second < 1e10 for second in ends):
        return ""
    first, last = (datetime.fromtimestamp(second, UTC).date().isoformat() for second in ends)
    return f"times from {first} to {last}"
