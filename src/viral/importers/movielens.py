"""The MovieLens layout (Harper & Konstan, TiiS 2015): ``ratings.csv``, ``movies.csv``, and beside them posters.

``overviews.csv`` (``movieId, overview``) and ``posters/<movieId>.jpg`` are no part of the published set; where they are
there, they are read.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import polars as pl

from viral.dataset import Dataset, Rejection, Source
from viral.importers.folder import core_of, joined, new_dataset, with_images, write
from viral.importers.images import copy_pictures
from viral.importers.picture_choice import Wanted, by_item_id
from viral.importers.raw import ROW
from viral.importers.reading import Column, read_rows
from viral.importers.rows import (
    Rows,
    with_ids,
    with_known_items,
    with_numbers,
    with_one_row_per_item,
    with_one_row_per_pair,
    with_times,
)
from viral.importers.splits import at_random

LICENCE = "MovieLens terms of use (GroupLens): research, not for commercial use"
POSTERS_FOLDER = "posters"
_NO_GENRES = "(no genres listed)"
_MOVIE = Column("item", ("movieId",), required=True)
_RATINGS = (
    Column("user", ("userId",), required=True),
    _MOVIE,
    Column("rating", ("rating",), required=True),
    Column("timestamp", ("timestamp",)),
)
_MOVIES = (_MOVIE, Column("title", ("title",), required=True), Column("genres", ("genres",), required=True))
_OVERVIEWS = (_MOVIE, Column("overview", ("overview",), required=True))


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
    from viral.data import random_split

    with new_dataset(source, dataset, overwrite=overwrite) as staging:
        films = _read_films(source)
        posters = by_item_id(films.frame, source / POSTERS_FOLDER)
        shown = [poster.item_id for poster in posters] if posters and only_with_poster else None
        pairs, filtered = _liked(_read_ratings(source, films), min_rating, shown)
        interactions = core_of(pairs, core, where=str(source / "ratings.csv"))
        items = films.frame.filter(_is_in("item", interactions["item_id"].unique().to_list()))
        images, faults = _copy_posters(posters, items, source, staging)
        options = {"min_rating": min_rating, "core": core, "seed": seed, "only_with_poster": only_with_poster}
        options |= filtered | {"filtered_by_core": pairs.frame.height - interactions.height}
        origin = Source(layout="movielens", path=str(source), licence=LICENCE, split=at_random(seed), options=options)
        rejections = [*films.rejections, *pairs.rejections, *faults]
        write(staging, with_images(items, images), random_split(interactions, seed=seed), origin, rejections)
    return Dataset.open(dataset)


def _liked(ratings: Rows, min_rating: float, films: list[str] | None) -> tuple[Rows, dict[str, int]]:
    """One row of each (user, film) that was liked, of ``films`` if given; and how many rows went by each filter."""
    liked = ratings.only(pl.col("rating") >= min_rating)
    shown = liked if films is None else liked.only(_is_in("item", films))
    return with_one_row_per_pair(shown), {
        "filtered_by_rating": ratings.frame.height - liked.frame.height,
        "filtered_by_poster": liked.frame.height - shown.frame.height,
    }


def _is_in(column: str, values: list[str]) -> pl.Expr:
    return pl.col(column).is_in(pl.Series(values, dtype=pl.String).implode())


def _read_ratings(source: Path, films: Rows) -> Rows:
    rows = with_ids(read_rows(source / "ratings.csv", _RATINGS), "user", "item")
    rows = with_known_items(with_numbers(rows, "rating"), films.frame["item"])
    return with_times(rows, required=False) if rows.has("timestamp") else rows


def _read_films(source: Path) -> Rows:
    """The films with ``title``, ``category`` (the first genre) and ``text`` (the genres and the overview)."""
    films = with_one_row_per_item(with_ids(read_rows(source / "movies.csv", _MOVIES), "item"))
    if (source / "overviews.csv").is_file():
        plots = with_one_row_per_item(with_ids(read_rows(source / "overviews.csv", _OVERVIEWS), "item"))
        frame = films.frame.join(plots.frame.drop(ROW), on="item", how="left", maintain_order="left")
        films = replace(films, frame=frame, rejections=films.rejections + plots.rejections)
    genres = pl.when(~pl.col("genres").is_in(["", _NO_GENRES])).then(pl.col("genres"))
    films = films.with_columns(
        category=genres.str.split("|").list.first(), genres=genres.str.replace_all("|", ", ", literal=True)
    )
    return films.with_columns(text=joined(films.frame, ("genres", "overview")))


def _copy_posters(
    posters: Iterable[Wanted], items: pl.DataFrame, source: Path, staging: Path
) -> tuple[dict[str, str], list[Rejection]]:
    kept = set(items["item"].to_list())
    wanted = [poster for poster in posters if poster.item_id in kept]
    return copy_pictures(wanted, [source / POSTERS_FOLDER], staging, "movies.csv", "movieId")
