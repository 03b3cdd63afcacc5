"""The MovieLens layout: what counts as liked, which films are left, and their posters."""

import pytest

from makers import noise, rejected, write
from viral.base.errors import DataError
from viral.data.importers import import_movielens

MOVIES = (
    "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation|Children\n"
    '2,"American President, The (1995)",Comedy|Romance\n3,Nameless,(no genres listed)\n4,Unseen (2001),Drama\n'
)
RATINGS = "userId,movieId,rating,timestamp\n" + "".join(
    f"{user},{film},{rating},{100 * user + film}\n"
    for user in (1, 2, 3)
    for film, rating in ((1, 4), (2, 5.0), (3, 4.5))
)


def source(tmp_path, ratings=RATINGS, movies=MOVIES, overviews=None, posters=()):
    folder = tmp_path / "source"
    write(folder / "ratings.csv", ratings)
    write(folder / "movies.csv", movies)
    if overviews is not None:
        write(folder / "overviews.csv", overviews)
    for film in posters:
        write(folder / "posters" / f"{film}.jpg", noise("JPEG", (20, 30)))
    return folder


def options(dataset):
    return dataset.manifest["source"]["options"]


def test_films_have_title_genres_and_category(tmp_path):
    catalog = import_movielens(source(tmp_path), tmp_path / "data", core=2).catalog()
    assert catalog.ids == ("1", "2", "3")  # film 4 is in no interaction
    assert [item.title for item in catalog] == ["Toy Story (1995)", "American President, The (1995)", "Nameless"]
    assert [item.category for item in catalog] == ["Adventure", "Comedy", None]
    assert [item.text for item in catalog] == ["Adventure, Animation, Children", "Comedy, Romance", ""]


def test_overviews_are_added_by_film_not_by_place(tmp_path):
    overviews = 'movieId,overview\n3,"Nobody knows, ""really""."\n99,Of no film\n1,Toys live.\n1,again\n'
    dataset = import_movielens(source(tmp_path, overviews=overviews), tmp_path / "data", core=2)
    assert [item.text for item in dataset.catalog()] == [
        "Adventure, Animation, Children. Toys live.",
        "Comedy, Romance",
        'Nobody knows, "really".',
    ]
    assert rejected(dataset) == [("overviews.csv", 4, "movieId", "duplicate item", "1")]


def test_what_was_not_liked_is_filtered_and_not_rejected(tmp_path):
    ratings = RATINGS + "4,1,3.5,1\n4,2,4,2\n5,4,5,3\n"
    dataset = import_movielens(source(tmp_path, ratings), tmp_path / "data", core=2)
    assert dataset.manifest["counts"]["interactions"] == 9
    assert (options(dataset)["filtered_by_rating"], options(dataset)["filtered_by_core"]) == (1, 2)
    assert rejected(dataset) == []
    assert set(dataset.interactions()["user_id"]) == {"1", "2", "3"}
    stricter = import_movielens(source(tmp_path, ratings), tmp_path / "strict", core=2, min_rating=4.5)
    assert set(stricter.catalog().ids) == {"2", "3"}


def test_every_faulty_row_is_named(tmp_path):
    ratings = RATINGS + "1,1,five,1\n,1,5,1\n1,,5,1\n1,77,5,1\n1,2,5,1\n2,3,4.5,soon\n3,1\n1,1,inf,1\n1,1,,1\n"
    dataset = import_movielens(source(tmp_path, ratings), tmp_path / "data", core=2)
    assert rejected(dataset) == [
        ("ratings.csv", 2, "movieId", "duplicate pair", "2"),  # the later row is the earlier rating
        ("ratings.csv", 10, "rating", "not a number", "five"),
        ("ratings.csv", 11, "userId", "empty user id", ""),
        ("ratings.csv", 12, "movieId", "empty item id", ""),
        ("ratings.csv", 13, "movieId", "unknown item", "77"),
        ("ratings.csv", 15, "timestamp", "not a time", "soon"),
        ("ratings.csv", 16, "", "wrong number of fields", "3,1"),
        ("ratings.csv", 17, "rating", "not a number", "inf"),
        ("ratings.csv", 18, "rating", "not a number", ""),
    ]
    assert dataset.manifest["counts"]["interactions"] == 9


def test_the_split_follows_the_seed(tmp_path):
    folder = source(tmp_path)
    one, same = (import_movielens(folder, tmp_path / name, core=2, seed=3).interactions() for name in ("a", "b"))
    assert one.equals(same)
    assert one["split"].value_counts().sort("split").rows() == [("test", 3), ("train", 3), ("valid", 3)]
    others = [import_movielens(folder, tmp_path / f"s{seed}", core=2, seed=seed).interactions() for seed in range(3)]
    assert any(not one.equals(other) for other in others)


def test_posters_are_copied_and_films_without_one_left_out(tmp_path):
    folder = source(tmp_path, posters=(1, 2, 4))
    dataset = import_movielens(folder, tmp_path / "data", core=2)
    assert [item.image for item in dataset.catalog()] == [dataset.path / f"images/{film}.jpg" for film in (1, 2)]
    assert (dataset.path / "images/1.jpg").read_bytes() == (folder / "posters/1.jpg").read_bytes()
    assert sorted(path.name for path in (dataset.path / "images").iterdir()) == ["1.jpg", "2.jpg"]
    assert options(dataset)["filtered_by_poster"] == 3


def test_films_without_a_poster_may_stay_without_one(tmp_path):
    folder = source(tmp_path, posters=(1, 2))
    write(folder / "posters" / "2.jpg", b"<html>404</html>")
    dataset = import_movielens(folder, tmp_path / "data", core=2, only_with_poster=False)
    assert [item.image and item.image.name for item in dataset.catalog()] == ["1.jpg", None, None]
    assert rejected(dataset) == [("movies.csv", 2, "movieId", "a web page", "2.jpg")]


def test_a_missing_file_or_column_and_an_empty_core(tmp_path):
    folder = source(tmp_path)
    with pytest.raises(DataError, match="the 5-core is empty"):
        import_movielens(folder, tmp_path / "data")
    with pytest.raises(DataError, match="not one interaction is left"):
        import_movielens(folder, tmp_path / "data", core=2, min_rating=5.5)
    with pytest.raises(DataError, match="column 'rating' is missing"):
        import_movielens(source(tmp_path, "userId,movieId,stars\n1,1,5\n"), tmp_path / "data")
    (folder / "movies.csv").unlink()
    with pytest.raises(DataError, match=r"there is ratings\.csv, but no movies\.csv"):
        import_movielens(folder, tmp_path / "data")
    assert not (tmp_path / "data").exists()
