"""Tables in and out of Python: what others hold in frames as polars reads it, and answers of a run as polars frames."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from viral.base.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from viral.run.retrieval.results import Recommendation

SCORE = "score"  # a part of a score is the column ``score_<part>``


def as_polars(table: Any, what: str) -> "pl.DataFrame":
    """A polars frame (lazy or not), a pandas one, a mapping of columns, or what speaks an exchange protocol.

    Raises ``UsageError`` for what is none of them; ``what`` names it.
    """
    import polars as pl

    try:
        if isinstance(table, pl.LazyFrame):
            return table.collect()
        if isinstance(table, pl.DataFrame):
            return table
        if type(table).__module__.partition(".")[0] == "pandas":
            return pl.from_pandas(table)
        if isinstance(table, Mapping):
            return pl.DataFrame(dict(table))
        if hasattr(table, "__arrow_c_stream__"):
            return pl.DataFrame(table)
        if hasattr(table, "__dataframe__"):
            from pyarrow.interchange import from_dataframe

            return pl.DataFrame(from_dataframe(table))
        if hasattr(table, "to_dict"):
            return pl.DataFrame(table.to_dict())
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"{what} cannot be read as a table ({error})", hint="give columns of equal length") from None
    hint = "give a polars or pandas frame, or a mapping of columns"
    raise UsageError(f"{what} is {type(table).__name__}, which is no table", hint=hint)


def ranked(lists: "Iterable[tuple[Mapping[str, str], Sequence[Recommendation]]]", *keys: str) -> "pl.DataFrame":
    """Lists of recommendations as one frame: ``keys``, rank, item_id, title, score and a column for each part of it.

    Each list stands beside the values of ``keys``, such as the user whose it is.
    """
    import polars as pl

    columns: dict[str, list[Any]] = {name: [] for name in (*keys, "rank", "item_id", "title", SCORE)}
    splits: list[Mapping[str, float]] = []
    for whose, found in lists:
        for one in found:
            for name in keys:
                columns[name].append(whose[name])
            for name in ("rank", "item_id", "title", SCORE):
                columns[name].append(getattr(one, name))
            splits.append(one.parts)
    for part in dict.fromkeys(name for split in splits for name in split):
        columns[f"{SCORE}_{part}"] = [split.get(part, 0.0) for split in splits]
    types: dict[str, Any] = {name: pl.String for name in (*keys, "item_id", "title")} | {"rank": pl.Int32}
    return pl.DataFrame(columns, schema={name: types.get(name, pl.Float64) for name in columns})


def listed(rows: Sequence[Any], *names: str) -> "pl.DataFrame":
    """The named fields of answers as a frame: rank is a whole number, ids and titles are text, the rest are floats."""
    import polars as pl

    types: dict[str, Any] = {"rank": pl.Int32, "item_id": pl.String, "user_id": pl.String, "title": pl.String}
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    return pl.DataFrame(columns, schema={name: types.get(name, pl.Float64) for name in names})
