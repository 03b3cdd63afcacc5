"""Times as logs write them: formats, units, and what only the whole column decides."""

from datetime import UTC, datetime

import polars as pl
import pytest

from viral.base.errors import DataError
from viral.data.importers.times import looks_like_times, read_times, span

MOMENT = datetime(2024, 3, 14, 15, 9, 26, tzinfo=UTC)
DAY = int(datetime(2024, 3, 14, tzinfo=UTC).timestamp())


def read(*written, **options):
    return read_times(pl.Series(written, dtype=pl.String), **options).numbers.to_list()


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-14T15:09:26Z", "2024-03-14 15:09:26", "2024-03-14 15:09:26 UTC", "2024-03-14T16:09:26+01:00",
        "2024-03-14 10:09:26 -0500", "20240314T150926Z", "14.03.2024 15:09:26", "14/03/2024 15:09:26",
        "03/14/2024 3:09:26 PM", "3/14/24 15:09:26", "14-03-2024 15:09:26", "2024/03/14 15:09:26",
        "14-Mar-2024 15:09:26", "Mar 14, 2024 15:09:26", "Thu, 14 Mar 2024 15:09:26 +0000", "2024年3月14日 15:09:26",
        "14.03.24 15:09:26",
    ],
)  # fmt: skip
def test_dates_of_every_form_are_seconds(written):
    assert read(written) == [int(MOMENT.timestamp())]


DAYS = ["2024-03-14", "14.03.2024", "20240314", "14 March 2024", "2024年03月14日", "2024年3月14日"]


@pytest.mark.parametrize("written", DAYS)
def test_dates_without_a_clock_are_their_midnight(written):
    assert read(written) == [DAY]


def test_the_whole_column_tells_the_day_from_the_month():
    assert read("01/02/2024", "13/02/2024") == [DAY - 42 * 86400, DAY - 30 * 86400]
    assert read("02/01/2024", "02/13/2024") == [DAY - 42 * 86400, DAY - 30 * 86400]
    assert read("01.02.2024", "03.02.2024") == [DAY - 42 * 86400, DAY - 40 * 86400], "after a point, it is the month"


def test_what_the_column_does_not_tell_is_asked():
    with pytest.raises(DataError, match=r"log\.csv, column date: dates such as 03/04/2024.*\n.*--day-first"):
        read("03/04/2024", "05/06/2024", where="log.csv, column date")
    with pytest.raises(DataError, match="both numbers go beyond 12"):
        read("13/04/2024", "05/26/2024")
    assert read("03/04/2024", day_first=True) == [DAY + 20 * 86400]
    assert read("03/04/2024", day_first=False) == [DAY - 10 * 86400]


@pytest.mark.parametrize(("power", "unit"), [(0, "s"), (3, "ms"), (6, "us"), (9, "ns")])
def test_numbers_stay_in_their_unit(power, unit):
    times = read_times(pl.Series([str(DAY * 10**power), str(DAY * 10**power + 1)]))
    assert times.numbers.to_list() == [DAY * 10**power, DAY * 10**power + 1]
    assert times.unit == unit
    assert span(times.numbers, times.unit) == "times from 2024-03-14 to 2024-03-14"


def test_of_several_units_all_become_seconds():
    times = read_times(pl.Series([str(DAY), str(DAY * 1000), "2024-03-14", None, "soon"]))
    assert times.numbers.to_list() == [DAY, DAY, DAY, None, None]
    assert "several units (s, ms)" in times.told


def test_places_in_an_order_are_no_times_and_stay():
    times = read_times(pl.Series(["0", "1", "2.5"]))
    assert times.numbers.to_list() == [0.0, 1.0, 2.5]
    assert span(times.numbers, times.unit) == ""


@pytest.mark.parametrize(
    ("values", "are"),
    [
        (["2024-01-02", "2024-01-03"], True),
        (["1700000000", "1700000001"], True),
        (["1700000000000"], True),
        (["12", "13"], False),
        (["u1", "u2"], False),
        (["03/04/2024"], True),
        (["", None], False),
    ],
)
def test_a_column_that_holds_times_is_known_by_them(values, are):
    assert looks_like_times(pl.Series(values, dtype=pl.String)) is are
