"""The rows of a study's file as the study had them, whatever version wrote it, or a word on why they are none."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from viral.base.errors import DataError
from viral.evaluation import PairedTest
from viral.lab.study.cold.rows import ColdRow, row_of
from viral.lab.study.rows import Row, range_of
from viral.lab.study.statistics import NAN, Comparison, Interval, read_interval

R = TypeVar("R")


def rows_of(document: Mapping[str, Any], name: str) -> list[Row]:
    """The rows as the study had them; raises ``DataError`` where they are not rows."""
    return _all_rows(_row, document, name)


def cold_rows_of(document: Mapping[str, Any], name: str) -> list[ColdRow]:
    """The rows of a study of new items, likewise."""
    return _all_rows(row_of, document, name)


def _all_rows(read: Callable[[Mapping[str, Any]], R], document: Mapping[str, Any], name: str) -> list[R]:
    try:
        return [read(row) for row in document["rows"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"its rows are not those of a study ({type(error).__name__})", where=name) from None


def _row(row: Mapping[str, Any]) -> Row:
    """Fields that an older version did not write are empty."""
    seeds = tuple(map(int, row["seeds"]))
    values = {str(key): tuple(map(_number, numbers)) for key, numbers in row["values"].items()}
    return Row(
        name=str(row["name"]),
        group=str(row["group"]),
        model=str(row["model"]),
        model_key=str(row["model_key"]),
        place=None if row.get("place") is None else float(row["place"]),
        seeds=seeds,
        values=values,
        valid=tuple(map(_number, row.get("valid", ()))),
        metrics={str(key): _interval(str(key), value, values) for key, value in row["metrics"].items()},
        max_epochs=int(row.get("max_epochs", 0)),
        patience=int(row.get("patience", 0)),
        epochs=tuple(map(int, row.get("epochs", ()))),
        stopped=tuple(map(str, row.get("stopped", ()))),
        epoch_seconds=tuple(map(_number, row.get("epoch_seconds", ()))),
        seconds=tuple(map(_number, row.get("seconds", ()))),
        parameters=None if row.get("parameters") is None else int(row["parameters"]),
        memory=tuple(map(int, row.get("memory", ()))),
        commits=tuple(map(str, row.get("commits", ()))),
        code_changed=None,
        failures=tuple(map(str, row.get("failures", ()))),
        comparison=_comparison(row.get("comparison")),
    )


def _number(value: Any) -> float:
    return NAN if value is None else float(value)


def _interval(metric: str, value: Mapping[str, Any], values: Mapping[str, tuple[float, ...]]) -> Interval:
    """Computed anew of the seeds, as older versions took the ends of few seeds otherwise."""
    return Interval.of(values[metric], range_of(metric)) if values.get(metric) else read_interval(value)


def _comparison(value: Mapping[str, Any] | None) -> Comparison | None:
    if not value:
        return None
    difference, low, high, p_value = (
        _number(value[key]) for key in ("difference", "difference_low", "difference_high", "p_value")
    )
    wins, ties, losses = (int(value[key]) for key in ("wins", "ties", "losses"))
    test = PairedTest(difference, low, high, p_value, wins, ties, losses)
    return Comparison(test, _number(value["p_holm"]), _number(value["effect"]), _number(value["relative"]))
