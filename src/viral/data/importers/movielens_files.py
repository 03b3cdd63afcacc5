"""The files of MovieLens by edition: CSV since 2013 (20M, 25M, 32M, latest), ``::`` before (1M, 10M), tabs at first.

``u.data`` and ``u.item`` (100K) and ``ratings.dat`` and ``movies.dat`` have no header; their titles may be Latin-1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from viral.base.errors import DataError
from viral.data.importers.compressed import open_bytes
from viral.data.importers.layouts import elsewhere
from viral.data.importers.raw import ROW, Asked, Bad, Row, gather
from viral.data.importers.reading import Column, read_rows
from viral.data.importers.rows import Rows
from viral.data.importers.sight import refuse_foreign

NO_GENRES = "(no genres listed)"
_MOVIE = Column("item", ("movieId",), required=True)
_RATINGS = (
    Column("user", ("userId",), required=True),
    _MOVIE,
    Column("rating", ("rating",), required=True),
    Column("timestamp", ("timestamp",)),
)
_MOVIES = (_MOVIE, Column("title", ("title",), required=True), Column("genres", ("genres",), required=True))
_OVERVIEWS = (_MOVIE, Column("overview", ("overview",), required=True))
_LOG_FIELDS, _FILM_FIELDS = ("user", "item", "rating", "timestamp"), ("item", "title", "genres")
_GENRES = (  # of 100K, in the order of u.genre: the last fields of a film
    *(
        "unknown",
        "Action",
        "Adventure",
        "Animation",
        "Children's",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Fantasy",
    ),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_BEFORE_GENRES = 5  # number, title, two dates, address


@dataclass(frozen=True, slots=True)
class Edition:
    """Where the ratings and films of one edition are, and how they are written."""

    ratings: str
    films: str
    read_ratings: Callable[[Path], Rows]
    read_films: Callable[[Path], Rows]


def edition_of(source: Path, dataset: Path) -> tuple[Edition, Path]:
    """The edition of a folder (or of a file in it), and the folder; raises ``DataError`` where it is none."""
    if source.is_file():
        refuse_foreign(source, "a file of MovieLens")
    folder = source.parent if source.is_file() else source
    for edition in EDITIONS:
        if (folder / edition.ratings).is_file() and (folder / edition.films).is_file():
            return edition, folder
    pairs = [f"{edition.ratings} and {edition.films}" for edition in EDITIONS]
    half = next(
        (
            f"there is {there}, but no {lacking}"
            for edition in EDITIONS
            for there, lacking in ((edition.ratings, edition.films), (edition.films, edition.ratings))
            if (folder / there).is_file()
        ),
        "not one edition of MovieLens is here",
    )
    hint = f"the layout reads {', or '.join(pairs)}, as they are unzipped"
    raise DataError(half, where=str(source), hint=elsewhere("movielens", source, dataset) or hint)


def read_overviews(file: Path) -> Rows:
    """The plots that lie beside the films."""
    return read_rows(file, _OVERVIEWS, option="")


def _read(path: Path, names: Sequence[str], fields: Callable[[str], Row | Bad]) -> Rows:
    """The rows of a file without a header."""
    refuse_foreign(path)
    with open_bytes(path) as file:
        frame, rejections = gather(path, _rows(file, fields), names, Asked(names))
    present: Mapping[str, str] = {name: name for name in names}
    frame = frame.select(ROW, *(pl.col(name) for name in names))
    return Rows(path.name, frame, present, rejections, names)


def _rows(file: BinaryIO, fields: Callable[[str], Row | Bad]) -> Iterator[Row | Bad]:
    for line in file:
        if not line.isspace():
            yield fields(_text(line).rstrip("\r\n"))


def _text(line: bytes) -> str:
    """A line in UTF-8 (10M) or else Latin-1 (100K, 1M)."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _parts(separator: str, count: int) -> Callable[[str], Row | Bad]:
    def fields(line: str) -> Row | Bad:
        parts = line.split(separator)
        if len(parts) > count and count == len(_FILM_FIELDS):  # a title with the separator in it
            parts = [parts[0], separator.join(parts[1:-1]), parts[-1]]
        return parts if len(parts) == count else Bad("wrong number of fields", line)

    return fields


def _film_of_100k(line: str) -> Row | Bad:
    parts = line.split("|")
    if len(parts) != _BEFORE_GENRES + len(_GENRES):
        return Bad("wrong number of fields", line)
    flags = zip(_GENRES, parts[_BEFORE_GENRES:], strict=True)
    genres = [genre for genre, flag in flags if flag == "1" and genre != _GENRES[0]]
    return [parts[0], parts[1], "|".join(genres) or NO_GENRES]


EDITIONS = (
    Edition(
        "ratings.csv",
        "movies.csv",
        lambda path: read_rows(path, _RATINGS, option=""),
        lambda path: read_rows(path, _MOVIES, option=""),
    ),
    Edition(
        "ratings.dat",
        "movies.dat",
        lambda path: _read(path, _LOG_FIELDS, _parts("::", len(_LOG_FIELDS))),
        lambda path: _read(path, _FILM_FIELDS, _parts("::", len(_FILM_FIELDS))),
    ),
    Edition(
        "u.data",
        "u.item",
        lambda path: _read(path, _LOG_FIELDS, _parts("\t", len(_LOG_FIELDS))),
        lambda path: _read(path, _FILM_FIELDS, _film_of_100k),
    ),
)
