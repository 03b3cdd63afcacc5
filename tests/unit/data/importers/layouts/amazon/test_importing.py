"""The Amazon layouts as they are published: what is read, what is left, in which order, what is said of bad rows."""

import gzip
import json

import polars as pl
import pytest
from typer.testing import CliRunner

from makers import rejected, write
from viral.apps.cli import app
from viral.base.errors import DataError, UsageError
from viral.data.importers import import_amazon2014, import_amazon2023
from viral.data.importers.layouts.amazon import files as amazon_files
from viral.data.importers.layouts.amazon import recognising
from viral.data.split_rules import random_split

PAIRS = [(user, item) for user in ("U3", "U1", "U2") for item in ("B2", "B1", "B3")]  # a 3-core, in this order


def review(user, item, rating=5.0, time=1_400_000_000, **more):
    return {
        "reviewerID": user, "asin": item, "reviewerName": "J. \"Doe\"", "helpful": [0, 0], "reviewText": "It's fine.",
        "overall": rating, "summary": "ok", "unixReviewTime": time, "reviewTime": "05 13, 2014", **more,
    }  # fmt: skip


def meta(item, **more):
    return {
        "asin": item, "categories": [["Baby", "Feeding", "Bottles"], ["Baby", "Gifts"]], "title": f"Bottle {item}'s",
        "imUrl": f"http://ecx.images-amazon.com/images/I/{item}.jpg", "brand": "Acme", "description": "Holds milk.",
        "salesRank": {"Baby": 7}, "related": {"also_bought": ["B9"]}, "price": 3.5, **more,
    }  # fmt: skip


REVIEWS = [review(*pair, time=1_400_000_000 + place) for place, pair in enumerate(PAIRS)]
META = [meta("B9"), meta("B1"), meta("B2"), meta("B3", title="Cup")]


def lines(rows, form=json.dumps):
    return "\n".join(map(form, rows)) + "\n"


def source2014(folder, reviews=REVIEWS, metadata=META, *, zipped=True, form=json.dumps, name="reviews_Baby.json"):
    for file, text in ((name, lines(reviews, form)), ("meta_Baby.json", lines(metadata, repr))):
        data = text.encode("utf-8", "surrogatepass")
        write(folder / (file + ".gz" * zipped), gzip.compress(data, mtime=0) if zipped else data)
    return folder


def import2014(tmp_path, *words, core=3, **more):
    return import_amazon2014(source2014(tmp_path / "source", *words), tmp_path / "data", core=core, **more)


def log(dataset):
    return dataset.interactions().select("user_id", "item_id").rows()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("form", [json.dumps, repr])
def test_json_and_python_literals_zipped_or_not_are_the_same(tmp_path, zipped, form):
    dataset = import_amazon2014(source2014(tmp_path / "s", zipped=zipped, form=form), tmp_path / "data", core=3)
    assert log(dataset) == PAIRS and rejected(dataset) == []
    assert dataset.interactions()["timestamp"].to_list() == list(range(1_400_000_000, 1_400_000_009))
    catalog = dataset.catalog()
    assert catalog.ids == ("B2", "B1", "B3"), "in order of first appearance; B9 is in no interaction"
    assert [item.title for item in catalog] == ["Bottle B2's", "Bottle B1's", "Cup"]
    assert catalog.items[0].text == "Acme. Baby, Feeding, Bottles, Baby, Gifts. Holds milk."
    assert catalog.items[0].category == "Feeding"
    assert catalog.items[0].image is None, "no picture is fetched"
    items = pl.read_parquet(dataset.path / "items.parquet")
    assert items["image_url"][1] == "http://ecx.images-amazon.com/images/I/B1.jpg"


def test_ids_keep_their_digits_and_the_ratings_file_will_do(tmp_path):
    text = "".join(f"{user},00{item[1]},5.0,1400000000\n" for user, item in PAIRS)
    source = source2014(tmp_path / "s", metadata=[meta("002", title="Two")])
    (source / "reviews_Baby.json.gz").unlink()
    write(source / "ratings_Baby.csv", text + "a,b,c\n")
    dataset = import_amazon2014(source, tmp_path / "data", core=3)
    assert dataset.catalog().ids == ("002", "001", "003")
    assert rejected(dataset) == [("ratings_Baby.csv", 10, "", "wrong number of fields", "a,b,c")]
    assert dataset.manifest["source"]["options"]["items_without_metadata"] == 2
    assert dataset.catalog()["002"].title == "Two"


def test_the_core_is_iterated(tmp_path):
    """U4 has three items only as long as B4 is there, and B4 only three users as long as U5 is."""
    chain = [("U4", "B1"), ("U4", "B2"), ("U4", "B4"), ("U5", "B4"), ("U5", "B1"), ("U3", "B4")]
    dataset = import2014(tmp_path, [*REVIEWS, *(review(*pair) for pair in chain)])
    assert sorted(log(dataset)) == sorted(PAIRS)
    assert dataset.manifest["source"]["options"]["filtered_by_core"] == 6 and rejected(dataset) == []


def test_the_split_is_the_benchmark_s_and_its_seed_is_an_option(tmp_path):
    many = [review(f"U{u}", f"B{i}", time=None) for u in range(12) for i in range(12)]
    made = {seed: import2014(tmp_path / str(seed), many, core=5, seed=seed).interactions() for seed in (0, 1)}
    plain = pl.DataFrame({"user_id": [row["reviewerID"] for row in many], "item_id": [row["asin"] for row in many]})
    assert made[0].equals(random_split(plain, seed=0)) and not made[1].equals(made[0]), "and no time is no column"
    per_user = made[0].group_by("user_id", "split").len().filter(pl.col("split") != "train")
    assert set(per_user.rows()) == {(f"U{u}", part, 1) for u in range(12) for part in ("valid", "test")}


def test_bad_reviews_are_named_and_the_others_taken(tmp_path):
    bad = [
        "{'reviewerID': 'U1'", "[1, 2]", json.dumps(review("", "B1")), json.dumps(review("U1", None)),
        json.dumps(review("U1", "B\ud800")), json.dumps(review("U1", "B1", time="long ago")),
        json.dumps(review("U1", "B1", time=10**30)), "__import__('os').system('true')", "",
        json.dumps(review("U3", "B2", time=1)),
    ]  # fmt: skip
    source = source2014(tmp_path / "s", zipped=False)
    write(source / "reviews_Baby.json", lines(REVIEWS) + "\n".join(bad) + "\n" + "{'a': '\\d'}\n")
    with (source / "reviews_Baby.json").open("ab") as file:
        file.write(b'{"reviewerID": "\xff"}\n')
    dataset = import_amazon2014(source, tmp_path / "data", core=3)
    found = [(row, field, reason) for _, row, field, reason, _ in rejected(dataset)]
    assert found == [
        (1, "asin", "duplicate pair"),  # a later row of the pair is the earlier in time
        (10, "", "neither JSON nor a Python literal"), (11, "", "not an object"), (12, "reviewerID", "empty user id"),
        (13, "asin", "empty item id"), (14, "asin", "not UTF-8"), (15, "unixReviewTime", "not a time"),
        (16, "unixReviewTime", "not a time"), (17, "", "neither JSON nor a Python literal"),
        (19, "reviewerID", "empty user id"), (20, "", "not UTF-8"),
    ]  # fmt: skip
    assert dataset.manifest["counts"]["rejected"]["not a time"] == 2 and len(log(dataset)) == 9


def test_a_rating_can_be_asked_for(tmp_path):
    rows = [*REVIEWS, review("U9", "B1", 2.0), review("U9", "B2", "many"), review("U9", "B3", True)]
    dataset = import2014(tmp_path, rows, min_rating=4)
    assert dataset.manifest["source"]["options"]["filtered_by_rating"] == 1
    assert [row[1:4] for row in rejected(dataset)] == [(11, "overall", "not a number"), (12, "overall", "not a number")]


def test_bad_and_missing_metadata_are_said_and_the_item_stays(tmp_path):
    odd = [meta("B2", title=None, categories=None, brand=3, description=["a", "b"], imUrl=""), meta("B2"), meta("")]
    odd += [{"title": "no asin"}, meta("B1", title="half \ud83d")]
    dataset = import2014(tmp_path, REVIEWS, odd)
    items = {item.id: item for item in dataset.catalog()}
    assert (items["B2"].title, items["B2"].text, items["B2"].category) == ("", "a. b", None)
    assert items["B3"].title == items["B1"].title == ""
    assert [row[1:4] for row in rejected(dataset)] == [
        (2, "asin", "duplicate item"), (3, "asin", "empty item id"), (4, "asin", "empty item id"),
        (5, "title", "not UTF-8"),
    ]  # fmt: skip
    assert dataset.manifest["source"]["options"]["items_without_metadata"] == 2


def test_metadata_of_other_items_are_passed_over_unread(tmp_path, monkeypatch):
    read, seen = amazon_files._record, []
    monkeypatch.setattr(recognising, "SAMPLE", 0)
    monkeypatch.setattr(amazon_files, "_record", lambda line, parsers: seen.append(line) or read(line, parsers))
    import2014(tmp_path, REVIEWS, [meta("B9"), meta("B1"), {"title": "x", "asin": "B8"}])
    assert sum(b"'asin': 'B9'" in line for line in seen) == 0 and sum(b"B8" in line for line in seen) == 1


def test_a_line_of_any_length_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(amazon_files, "MAX_LINE", 2_000)
    dataset = import2014(tmp_path, [REVIEWS[0], review("U7", "B1", reviewText="x" * 9_000), *REVIEWS[1:]])
    assert [row[1:4] for row in rejected(dataset)] == [(2, "", "line too long")] and log(dataset) == PAIRS


def test_a_file_of_something_else_ends_the_import(tmp_path, monkeypatch):
    monkeypatch.setattr(amazon_files, "MAX_REJECTED", 5)
    with pytest.raises(DataError, match=r"row 6: more than 5 rows cannot be used"):
        import2014(tmp_path, [{"a": n} for n in range(10)] + REVIEWS)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (lambda folder: (folder / "reviews_Baby.json.gz").unlink(), DataError, "no reviews_"),
        (lambda folder: (folder / "meta_Baby.json.gz").unlink(), DataError, "no meta_Baby.json"),
        (lambda folder: write(folder / "reviews_Toys.json", "{}"), UsageError, "several logs"),
        (lambda folder: write(folder / "reviews_Baby.json.gz", "\x1f\x8bno".encode("latin-1")), DataError, "its end"),
        (lambda folder: write(folder / "reviews_Baby.json.gz", b""), DataError, "not one interaction"),
    ],
)
def test_files_that_cannot_be_used_are_told(tmp_path, spoil, error, said):
    source = source2014(tmp_path / "s")
    spoil(source)
    with pytest.raises(error, match=said):
        import_amazon2014(source, tmp_path / "data", core=3)
    assert not (tmp_path / "data").exists()


def test_a_truncated_archive_is_not_half_a_data_set(tmp_path):
    source = source2014(tmp_path / "s", [review(f"U{n}", "B1", reviewText=str(n**9)) for n in range(500)])
    whole = (source / "reviews_Baby.json.gz").read_bytes()
    write(source / "reviews_Baby.json.gz", whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be unpacked to its end"):
        import_amazon2014(source, tmp_path / "data", core=0)


def test_the_log_may_be_named_and_the_metadata_are_those_of_its_category(tmp_path):
    source = source2014(tmp_path / "s", name="reviews_Baby_5.json")
    write(source / "reviews_Toys.json", "{}\n")
    write(source / "meta_Toys.json", "{}\n")
    dataset = import_amazon2014(source / "reviews_Baby_5.json.gz", tmp_path / "data", core=3)
    assert dataset.manifest["source"]["options"]["metadata"] == "meta_Baby.json.gz"
    other = write(tmp_path / "mine.json", lines([meta("B1", title="Mine")]))
    again = import_amazon2014(source / "reviews_Baby_5.json.gz", tmp_path / "other", core=3, items=other)
    assert {item.title for item in again.catalog()} == {"Mine", ""}


def review2023(user, item):
    return {
        "rating": 4.0, "title": "t", "text": "x", "images": [], "asin": "VARIANT", "parent_asin": item, "user_id": user,
        "timestamp": 1_588_687_728_923, "helpful_vote": 0, "verified_purchase": True,
    }  # fmt: skip


META2023 = [
    {
        "main_category": "All Beauty", "title": "Howard", "features": ["soft", "blue"], "description": ["For all."],
        "images": [
            {"thumb": "https://m/side_t.jpg", "large": "https://m/side.jpg", "variant": "PT01", "hi_res": None},
            {"thumb": "https://m/main_t.jpg", "large": None, "variant": "MAIN", "hi_res": "https://m/main_h.jpg"},
        ],
        "store": "Howard", "categories": ["Beauty", "Hair"], "details": {"UPC": "1"}, "parent_asin": "B1",
    },
    {"title": None, "images": {"hi_res": [None], "large": ["https://m/b2.jpg"], "thumb": []}, "parent_asin": "B2"},
    {"title": "Third", "images": [], "categories": [], "parent_asin": "B3"},
]  # fmt: skip


def test_the_edition_of_2023(tmp_path):
    folder = tmp_path / "s"
    reviews = lines([review2023(*pair) for pair in PAIRS]).encode()
    write(folder / "All_Beauty.jsonl.gz", gzip.compress(reviews, mtime=0))
    write(folder / "meta_All_Beauty.jsonl.gz", gzip.compress(lines(META2023).encode(), mtime=0))
    dataset = import_amazon2023(folder, tmp_path / "data", core=3)
    assert log(dataset) == PAIRS and set(dataset.interactions()["timestamp"]) == {1_588_687_728_923}
    items = pl.read_parquet(dataset.path / "items.parquet").sort("item_id")
    assert items["title"].to_list() == ["Howard", "", "Third"]
    assert items["text"][0] == "Howard. Beauty, Hair. soft. blue. For all."
    assert items["category"].to_list() == ["Hair", None, None]
    assert items["image_url"].to_list() == ["https://m/main_h.jpg", "https://m/b2.jpg", None]


def test_the_command_line(tmp_path):
    source = source2014(tmp_path / "s")
    words = ["import", "amazon2014", str(source), str(tmp_path / "data"), "--core", "3", "--seed", "5", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    manifest = json.loads(done.stdout)
    assert manifest["counts"]["interactions"] == 9 and manifest["source"]["options"]["seed"] == 5
