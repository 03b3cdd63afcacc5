"""The MovieLens layout (Harper & Konstan, TiiS 2015): the ratings and films of any edition, and beside them posters.

``overviews.csv`` (``movieId, overview``) and ``posters/<movieId>.jpg`` are no part of the published set; where they are
there, they are read.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import polars as pl

from viral.data.dataset import Dataset, Rejection, Source
from viral.data.importers.folder import core_of, joined, new_dataset, with_images, write
from viral.data.importers.images import copy_pictures
from viral.data.importers.movielens_files import NO_GENRES, Edition, edition_of, read_overviews
from viral.data.importers.picture_choice import Wanted, by_item_id
from viral.data.importers.raw import ROW
from viral.data.importers.rows import (
    Rows,
    with_ids,
    with_known_items,
    with_numbers,
    with_one_row_per_item,
    with_one_row_per_pair,
    with_times,
)
from viral.data.importers.splits import at_random

LICENCE = "MovieLens terms of use (GroupLens): research, not for commercial use"
POSTERS_FOLDER = "posters"
_ITEM = "movieId"


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
    from viral.data.splitting import random_split

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


def _read_ratings(edition: Edition, folder: Path, films: Rows) -> Rows:
    rows = with_ids(edition.read_ratings(folder / edition.ratings), "user", "item")
    rows = with_known_items(with_numbers(rows, "rating"), films.frame["item"])
    return with_times(rows, required=False) if rows.has("timestamp") else rows


def _read_films(edition: Edition, folder: Path) -> Rows:
    """The films with ``title``, ``category`` (the first genre) and ``text`` (the genres and the overview)."""
    films = with_one_row_per_item(with_ids(edition.read_films(folder / edition.films), "item"))
    if (folder / "overviews.csv").is_file():
        plots = with_one_row_per_item(with_ids(read_overviews(folder / "overviews.csv"), "item"))
        frame = films.frame.join(plots.frame.drop(ROW), on="item", how="left", maintain_order="left")
        films = replace(films, frame=frame, rejections=films.rejections + plots.rejections)
    genres = pl.when(~pl.col("genres").is_in(["", NO_GENRES])).then(pl.col("genres"))
    films = films.with_columns(
        category=genres.str.split("|").list.first(), genres=genres.str.replace_all("|", ", ", literal=True)
    )
    return films.with_columns(text=joined(films.frame, ("genres", "overview")))


def _copy_posters(
    posters: Iterable[Wanted], items: pl.DataFrame, folder: Path, staging: Path, films: str
) -> tuple[dict[str, str], list[Rejection]]:
    kept = set(items["item"].to_list())
    wanted = [poster for poster in posters if poster.item_id in kept]
    return copy_pictures(wanted, [folder / POSTERS_FOLDER], staging, films, _ITEM)
