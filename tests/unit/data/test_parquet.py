"""What other programs write into Parquet files, and polars cannot hold as it is."""

from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from viral.base.errors import DataError
from viral.data.parquet import read_parquet

MOMENT = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z, in microseconds


def read(tmp_path, table):
    pq.write_table(table, tmp_path / "t.parquet")
    return read_parquet(tmp_path / "t.parquet")


@pytest.mark.parametrize("zone", ["+05:30", "Nowhere/Here", "Europe/Vienna"])
def test_moments_of_any_zone_are_the_same_moments(tmp_path, zone):
    frame = read(tmp_path, pa.table({"time": pa.array([MOMENT, None], pa.timestamp("us", zone))}))
    assert frame["time"].dt.to_string("iso").to_list() == ["2023-11-14 22:13:20.000000+00:00", None]


def test_wide_decimals_are_their_text(tmp_path):
    frame = read(tmp_path, pa.table({"price": pa.array([Decimal("1.50"), None], pa.decimal256(60, 2))}))
    assert frame["price"].to_list() == ["1.50", None]


@pytest.mark.parametrize(("kind", "far"), [(pa.date32(), 2**31 - 1), (pa.date64(), 86_400_000 * (2**31 - 1))])
def test_a_date_that_is_far_out_is_told_and_the_others_stay(tmp_path, kind, far):
    step = far // (2**31 - 1)
    frame = read(tmp_path, pa.table({"day": pa.array([far, 19_000 * step, None], kind)}))
    assert frame["day"].to_list() == [f"{2**31 - 1} days since 1970", "2022-01-08", None]
    near = read(tmp_path, pa.table({"day": pa.array([19_000 * step], kind)}))
    assert near["day"].dtype != pl.String


def test_two_columns_of_one_name_are_refused_by_it(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["user", "user"])
    with pytest.raises(DataError, match="two columns are called 'user'"):
        read(tmp_path, table)
