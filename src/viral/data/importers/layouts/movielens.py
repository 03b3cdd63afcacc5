"""The MovieLens layout (Harper & Konstan, TiiS 2015): the ratings and films of any edition, and beside them posters.

``overviews.csv`` (``movieId, overview``) and ``posters/<movieId>.jpg`` are no part of the published set; where they are
there, they are read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from viral.base.errors import DataError
from viral.data.dataset import Dataset, Rejection, Source
from viral.data.importers.dataset_folder import core_of, joined, new_dataset, with_images, write
from viral.data.importers.layouts.recognising import elsewhere
from viral.data.importers.pictures.importing import copy_pictures
from viral.data.importers.pictures.matching import WantedPicture, by_item_id
from viral.data.importers.readers.compressed import open_bytes, refuse_foreign
from viral.data.importers.readers.formats import Column, optional, read_rows, required
from viral.data.importers.readers.raw import ROW, Bad, Row
from viral.data.importers.rows import (
    CheckedRows,
    headless,
    with_ids,
    with_known_items,
    with_numbers,
    with_one_row_per_item,
    with_one_row_per_pair,
    with_times,
)
from viral.data.importers.splits import at_random

NO_GENRES = "(no genres listed)"
_RATINGS = required(user="userId", item="movieId", rating="rating") + optional(timestamp="timestamp")
_MOVIES = required(item="movieId", title="title", genres="genres")
_OVERVIEWS = required(item="movieId", overview="overview")
_LOG_FIELDS, _FILM_FIELDS = ("user", "item", "rating", "timestamp"), ("item", "title", "genres")
_GENRES = (  # of 100K, in the order of u.genre: the last fields of a film
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_BEFORE_GENRES = 5  # number, title, two dates, address
LICENCE = "MovieLens terms of use (GroupLens): research, not for commercial use"
POSTERS_FOLDER = "posters"


@dataclass(frozen=True, slots=True)
class MovieLensEdition:
    """Where the ratings and films of one edition are, and how they are written."""

    ratings: str
    films: str
    read_ratings: Callable[[Path], CheckedRows]
    read_films: Callable[[Path], CheckedRows]


def edition_of(source: Path, dataset: Path) -> tuple[MovieLensEdition, Path]:
    """The edition of a folder (or of a file in it), and the folder; raises ``DataError`` where it is none."""
    if source.is_file():
        refuse_foreign(source, "a file of MovieLens")
    folder = source.parent if source.is_file() else source
    for edition in EDITIONS:
        if (folder / edition.ratings).is_file() and (folder / edition.films).is_file():
            return edition, folder
    partners = {edition.ratings: edition.films for edition in EDITIONS}
    hint = f"the layout reads {', or '.join(map(' and '.join, partners.items()))}, as they are unzipped"
    partners |= {films: ratings for ratings, films in partners.items()}
    half = next((name for name in partners if (folder / name).is_file()), None)
    what = f"there is {half}, but no {partners[half]}" if half else "not one edition of MovieLens is here"
    raise DataError(what, where=str(source), hint=elsewhere("movielens", source, dataset) or hint)


def _read(path: Path, names: Sequence[str], fields: Callable[[str], Row | Bad]) -> CheckedRows:
    """The rows of a file without a header."""
    refuse_foreign(path)
    with open_bytes(path) as file:
        return headless(path, _rows(file, fields), names)


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


def _without_header(names: Sequence[str], fields: Callable[[str], Row | Bad]) -> Callable[[Path], CheckedRows]:
    return lambda path: _read(path, names, fields)


def _with_header(wanted: Sequence[Column]) -> Callable[[Path], CheckedRows]:
    return lambda path: read_rows(path, wanted, option="")


EDITIONS = (
    MovieLensEdition("ratings.csv", "movies.csv", _with_header(_RATINGS), _with_header(_MOVIES)),
    MovieLensEdition(
        "ratings.dat",
        "movies.dat",
        _without_header(_LOG_FIELDS, _parts("::", len(_LOG_FIELDS))),
        _without_header(_FILM_FIELDS, _parts("::", len(_FILM_FIELDS))),
    ),
    MovieLensEdition(
        "u.data",
        "u.item",
        _without_header(_LOG_FIELDS, _parts("\t", len(_LOG_FIELDS))),
        _without_header(_FILM_FIELDS, _film_of_100k),
    ),
)


def import_movielens(
    source: Path,
    dataset: Path,
    *,
    overwrite: bool = False,
    min_rating: float = 4.0,
    core: int = 5,
    seed: int = 0,
    only_with_poster: bool = True,
) -> Dataset:
    """Import the films that were liked: a rating of at least ``min_rating`` is an interaction, others are none.

    Where there are posters, films without one are left out before anything is counted (unless not
    ``only_with_poster``). Only the ``core``-core is kept, and its films are the items; it is split at random with
    ``seed``. How many ratings went by each filter stands in the manifest, under the source's options. Raises
    ``DataError`` where a file is missing or nothing is left.
    """
    from viral.data.split_rules import random_split

    with new_dataset(source, dataset, overwrite=overwrite) as staging:
        edition, folder = edition_of(source, dataset)
        films = _read_films(edition, folder)
        posters = by_item_id(films.frame, folder / POSTERS_FOLDER)
        shown = [poster.item_id for poster in posters] if posters and only_with_poster else None
        pairs, filtered = _liked(_read_ratings(edition, folder, films), min_rating, shown)
        interactions = core_of(pairs, core, where=str(folder / edition.ratings))
        items = films.frame.filter(_is_in("item", interactions["item_id"].unique().to_list()))
        images, faults = _copy_posters(posters, items, folder, staging, edition.films)
        options = {"min_rating": min_rating, "core": core, "seed": seed, "only_with_poster": only_with_poster}
        options |= filtered | {"filtered_by_core": pairs.frame.height - interactions.height}
        origin = Source(layout="movielens", path=str(source), licence=LICENCE, split=at_random(seed), options=options)
        rejections = [*films.rejections, *pairs.rejections, *faults]
        write(staging, with_images(items, images), random_split(interactions, seed=seed), origin, rejections)
    return Dataset.open(dataset)


def _liked(ratings: CheckedRows, min_rating: float, films: list[str] | None) -> tuple[CheckedRows, dict[str, int]]:
    """One row of each (user, film) that was liked, of ``films`` if given; and how many rows went by each filter."""
    liked = ratings.only(pl.col("rating") >= min_rating)
    shown = liked if films is None else liked.only(_is_in("item", films))
    return with_one_row_per_pair(shown), {
        "filtered_by_rating": ratings.frame.height - liked.frame.height,
        "filtered_by_poster": liked.frame.height - shown.frame.height,
    }


def _is_in(column: str, values: list[str]) -> pl.Expr:
    return pl.col(column).is_in(pl.Series(values, dtype=pl.String).implode())


def _read_ratings(edition: MovieLensEdition, folder: Path, films: CheckedRows) -> CheckedRows:
    rows = with_ids(edition.read_ratings(folder / edition.ratings), "user", "item")
    rows = with_known_items(with_numbers(rows, "rating"), films.frame["item"])
    return with_times(rows, required=False)


def _read_films(edition: MovieLensEdition, folder: Path) -> CheckedRows:
    """The films with ``title``, ``category`` (the first genre) and ``text`` (the genres and the overview)."""
    films = with_one_row_per_item(edition.read_films(folder / edition.films))
    if (folder / "overviews.csv").is_file():
        plots = with_one_row_per_item(read_rows(folder / "overviews.csv", _OVERVIEWS, option=""))
        frame = films.frame.join(plots.frame.drop(ROW), on="item", how="left", maintain_order="left")
        films = replace(films, frame=frame, rejections=films.rejections + plots.rejections)
    genres = pl.when(~pl.col("genres").is_in(["", NO_GENRES])).then(pl.col("genres"))
    films = films.with_columns(
        category=genres.str.split("|").list.first(), genres=genres.str.replace_all("|", ", ", literal=True)
    )
    return films.with_columns(text=joined(films.frame, ("genres", "overview")))


def _copy_posters(
    posters: Iterable[WantedPicture], items: pl.DataFrame, folder: Path, staging: Path, films: str
) -> tuple[dict[str, str], list[Rejection]]:
    kept = set(items["item"].to_list())
    wanted = [poster for poster in posters if poster.item_id in kept]
    return copy_pictures(wanted, [folder / POSTERS_FOLDER], staging, films, "movieId")
