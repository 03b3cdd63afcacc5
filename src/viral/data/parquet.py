"""Parquet files as frames of polars, whatever else wrote them."""

from pathlib import Path
from typing import TYPE_CHECKING

from viral.base.errors import DataError
from viral.base.file_signatures import refuse_stand_ins

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, in days since 1970


def read_parquet(file: Path, *, hint: str = "import the data set again") -> "pl.DataFrame":
    """Read a Parquet file; raises ``DataError`` where it is absent, damaged, or has two columns of one name."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.is_file():
        raise DataError("no such file", where=str(file), hint="make a data set with `viral import` or `viral shop`")
    try:
        # Not polars' own reader: on a damaged file that panics, and a panic prints before it can be caught.
        table = pq.ParquetFile(file).read()
        table.validate(full=True)
        table = table.rename_columns(table.column_names).replace_schema_metadata(None)  # the names as valid text
        twice = next((name for name in table.column_names if table.column_names.count(name) > 1), None)
        if twice is None:
            return pl.DataFrame(_for_polars(table))
    except (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        refuse_stand_ins(file, "a Parquet file")
        reason = str(error).partition("\n")[0]
        raise DataError(f"not a Parquet file ({reason})", where=str(file), hint=hint) from None
    raise DataError(f"two columns are called {twice!r}", where=str(file), hint="give each column a name of its own")


def _for_polars(table: "pa.Table") -> "pa.Table":
    """The table without what polars cannot hold: of other zones UTC, of wide decimals and far dates their text."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        kind, values = field.type, table.column(place)
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            values = values.cast(pa.timestamp(kind.unit, "UTC"))
        elif pa.types.is_decimal256(kind):
            values = values.cast(pa.string())
        elif pa.types.is_date(kind):
            values = _dates(values)
        else:
            continue
        table = table.set_column(place, field.name, values)
    return table


def _dates(values: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Dates as they are, or all as text where some lie outside the years 1 to 9999."""
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pc.floor(pc.divide(values.cast(pa.int64()), 86_400_000)) if pa.types.is_date64(values.type) else values
    days = days.cast(pa.int32() if days is values else pa.int64()).cast(pa.int64())
    fine = pc.and_(pc.greater_equal(days, FIRST_DAY), pc.less_equal(days, LAST_DAY))
    if pc.all(fine, min_count=0).as_py():
        return values
    known = pc.if_else(fine, days, None).cast(pa.int32()).cast(pa.date32()).cast(pa.string())
    return pc.coalesce(known, pc.binary_join_element_wise(days.cast(pa.string()), "days since 1970", " "))
