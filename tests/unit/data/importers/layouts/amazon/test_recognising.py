"""The editions of the Amazon sets: each by its own layout, each other one named, and what their values become."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from makers import rejected, write
from viral.base.errors import DataError
from viral.data.importers import IMPORTERS, import_amazon2018, import_amazon2023, import_dataset
from viral.data.importers.cells import without_markup

USERS, ITEMS = ("A2SUAM1J3GNN3B", "A1F6404F1VG29J", "A3AF8FFZAZYNE5"), ("B000000001", "0439893577", "B00000000X")
PAIRS = [(user, item) for user in USERS for item in ITEMS]
REVIEWS = [
    {"reviewerID": user, "asin": item, "overall": 5.0, "unixReviewTime": 1_400_000_000 + place}
    for place, (user, item) in enumerate(PAIRS)
]
REVIEWS_2023 = [
    {"user_id": user, "parent_asin": item, "asin": "V", "rating": 5.0, "timestamp": 1_588_687_728_923 + place}
    for place, (user, item) in enumerate(PAIRS)
]
META_2014 = [{"asin": item, "title": "T", "categories": [["Home", "Mugs"]], "imUrl": "http://x/1"} for item in ITEMS]
META_2018 = [
    {
        "asin": ITEMS[0], "title": '<span class="a-size-medium">Mug &amp; Saucer</span>', "brand": "Acme",
        "category": ["Home &amp; Kitchen", "Mugs"], "feature": ["Holds 0.3&nbsp;l"],
        "description": ["<b>Big</b><br>mug"],
        "price": "$12.99 - $24.50", "main_cat": "Home", "imageURL": ["https://x/s.jpg"],
        "imageURLHighRes": ["https://x/l.jpg", "https://x/l2.jpg"],
    },
    {
        "asin": ITEMS[1], "title": "var aPageStart = (new Date()).getTime();", "category": [], "description": None,
        "price": ".a-box-inner{background-color:#fff}", "image": ["https://x/2.jpg"],
        "main_cat": '<img src="https://x/f.png" class="nav-categ-image" alt="AMAZON FASHION"/>',
    },
    {"asin": ITEMS[2], "title": None, "brand": None, "category": None, "imageURL": None, "imageURLHighRes": []},
]  # fmt: skip
META_2023 = [
    {"parent_asin": ITEMS[0], "title": "Mug &quot;XL&quot;", "price": 5, "store": "Acme", "categories": ["Home"]},
    {"parent_asin": ITEMS[1], "title": "B", "price": "from 7.50", "features": [], "images": []},
    {"parent_asin": ITEMS[2], "title": "C", "price": "—", "main_category": "Home", "videos": []},
]


def lines(rows):
    return "\n".join(map(json.dumps, rows)) + "\n"


def csv(*columns, header=""):
    return header + "".join(f"{','.join(map(str, row))}\n" for row in zip(*columns, strict=True))


FIRST, SECOND = [user for user, _ in PAIRS], [item for _, item in PAIRS]
RATINGS, TIMES = ["5.0"] * 9, list(range(1_400_000_000, 1_400_000_009))
SOURCES = {  # edition -> form -> (log, metadata)
    "amazon2014": {
        "reviews": ("reviews_Mugs_5.json", lines(REVIEWS)),
        "ratings": ("ratings_Mugs.csv", csv(FIRST, SECOND, RATINGS, TIMES)),
        "named ratings": (
            "ratings_Mugs.csv",
            csv(FIRST, SECOND, RATINGS, TIMES, header="UserId,ProductId,Rating,Time\n"),
        ),
    },
    "amazon2018": {
        "reviews": ("Mugs_5.json", lines(review | {"verified": True} for review in REVIEWS)),
        "ratings": ("Mugs.csv", csv(SECOND, FIRST, RATINGS, TIMES)),
    },
    "amazon2023": {
        "reviews": ("Mugs.jsonl", lines(REVIEWS_2023)),
        "ratings": ("Mugs.csv", csv(FIRST, SECOND, RATINGS, TIMES, header="user_id,parent_asin,rating,timestamp\n")),
    },
}
META = {"amazon2014": META_2014, "amazon2018": META_2018, "amazon2023": META_2023}
FORMS = [(edition, form) for edition, forms in SOURCES.items() for form in forms]


def published(folder, edition, form):
    """The two files of an edition, as its page names them."""
    name, text = SOURCES[edition][form]
    write(folder / f"meta_Mugs.json{'l' if edition == 'amazon2023' else ''}", lines(META[edition]))
    return write(folder / name, text).parent


@pytest.mark.parametrize(("edition", "form"), FORMS)
def test_every_published_form_is_read_by_its_own_layout(tmp_path, edition, form):
    dataset = IMPORTERS[edition](published(tmp_path / "s", edition, form), tmp_path / "data", core=0)
    assert dataset.interactions().select("user_id", "item_id").rows() == PAIRS
    assert dataset.interactions()["timestamp"].null_count() == 0 and rejected(dataset) == []
    assert dataset.catalog().ids == ITEMS
    assert dataset.manifest["source"]["options"]["items_without_metadata"] == 0


@pytest.mark.parametrize(("edition", "form"), FORMS)
@pytest.mark.parametrize("layout", ["amazon2014", "amazon2018", "amazon2023"])
def test_every_other_edition_is_named_with_the_command_that_reads_it(tmp_path, layout, edition, form):
    if layout == edition:
        return
    log = published(tmp_path / "s", edition, form) / SOURCES[edition][form][0]
    meta = next((tmp_path / "s").glob("meta_*"))
    with pytest.raises(DataError) as caught:
        IMPORTERS[layout](log, tmp_path / "data", core=0, items=meta)
    assert f"edition of {edition[-4:]}" in caught.value.what or form == "named ratings"
    assert f"viral import {edition} {log} {tmp_path / 'data'}" in caught.value.hint
    assert not (tmp_path / "data").exists()


def test_the_metadata_of_2018_without_tags_junk_and_lists(tmp_path):
    dataset = import_amazon2018(published(tmp_path / "s", "amazon2018", "reviews"), tmp_path / "data", core=0)
    first, second, third = pl.read_parquet(dataset.path / "items.parquet").to_dicts()
    assert (first["title"], first["category"], first["price"]) == ("Mug & Saucer", "Mugs", "$12.99 - $24.50")
    assert first["text"] == "Acme. Home & Kitchen, Mugs. Holds 0.3 l. Big mug"
    assert (first["brand"], first["image_url"]) == ("Acme", "https://x/l.jpg")
    assert (second["title"], second["category"], second["price"]) == ("", "AMAZON FASHION", None)
    assert second["image_url"] == "https://x/2.jpg"
    assert third["title"] == "" and not any(third[name] for name in ("category", "price", "brand", "image_url"))


def test_prices_and_makers_of_the_other_editions(tmp_path):
    of_2014 = [META_2014[0] | {"price": 3.5, "brand": "Acme"}, META_2014[1] | {"price": "NaN"}, META_2014[2]]
    source = published(tmp_path / "s", "amazon2014", "reviews")
    write(source / "meta_Mugs.json", lines(of_2014))
    items = import_dataset("amazon2014", source, tmp_path / "a", core=0).catalog()
    assert [(item.price, item.brand) for item in items] == [("$3.50", "Acme"), (None, None), (None, None)]
    items = import_amazon2023(published(tmp_path / "t", "amazon2023", "reviews"), tmp_path / "b", core=0).catalog()
    assert [(item.title, item.price) for item in items] == [('Mug "XL"', "$5.00"), ("B", "from 7.50"), ("C", None)]
    assert items[ITEMS[0]].brand == "Acme"


HEAD = "user_id,parent_asin,rating,timestamp\n"


@pytest.mark.parametrize("form", ["folder", "file", "with history"])
def test_the_ready_split_of_2023_is_kept(tmp_path, form):
    history = form == "with history"
    head = HEAD.replace("\n", ",history\n") if history else HEAD
    for part, row in (("train", "U1,B1,5.0,1"), ("valid", "U1,B2,4.0,2"), ("test", "U1,B3,3.0,3")):
        write(tmp_path / "s" / f"Mugs.{part}.csv", head + row + (",B1 B2" if history else "") + "\n")
    write(tmp_path / "s" / "meta_Mugs.jsonl", lines([{"parent_asin": "B1", "title": "One"}]))
    source = tmp_path / "s" / "Mugs.train.csv" if form == "file" else tmp_path / "s"
    dataset = import_amazon2023(source, tmp_path / "data")
    assert dataset.interactions()["split"].to_list() == ["train", "valid", "test"]
    assert "published, in time order per user: the last interaction for test" in dataset.manifest["source"]["split"]
    assert dataset.manifest["source"]["options"]["core"] == 0, "a ready split is not filtered unless that is asked for"
    (tmp_path / "s" / "Mugs.valid.csv").unlink()
    with pytest.raises(DataError, match=r"Mugs\.valid\.csv: a file of the ready split is missing"):
        import_amazon2023(source, tmp_path / "other")


def test_a_pair_in_two_parts_of_a_ready_split_counts_once(tmp_path):
    for part, row in (("train", "U1,B1,5.0,2"), ("valid", "U1,B1,4.0,1"), ("test", "U1,B3,3.0,3")):
        write(tmp_path / "s" / f"Mugs.{part}.csv", HEAD + row + "\n")
    write(tmp_path / "s" / "meta_Mugs.jsonl", lines([{"parent_asin": "B1", "title": "One"}]))
    dataset = import_amazon2023(tmp_path / "s", tmp_path / "data")
    assert dataset.interactions()["split"].to_list() == ["valid", "test"]
    assert rejected(dataset) == [("Mugs.train.csv", 1, "parent_asin", "duplicate pair", "B1")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps(REVIEWS, indent=1), r"not one of its first \d+ rows can be read"),
        (json.dumps(REVIEWS), r"not one of its first 1 rows can be read \(not an object\)"),
        ("user;item\n1;2\n", "the columns are user;item: none is asin or reviewerID"),
        ("1;2;5\n", r"neither JSON nor rows of (reviewerID, asin|asin, reviewerID), overall, unixReviewTime: '1;2;5'"),
        ("a,b\n1,2\n", r"the columns are a, b: none is asin or reviewerID"),
        ('{"user": 1, "item": 2}\n', r"the rows have user, item: neither reviewerID nor asin\n.*viral import table"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", r"Git LFS pointer.*\n.*git lfs pull"),
        ("<!DOCTYPE html><html></html>", r"a web page"),
        (b"PAR1" + bytes(40), r"a Parquet file.*\n.*'table'"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), r"gzipped twice.*\n.*gunzip"),
    ],
)
@pytest.mark.parametrize("layout", ["amazon2014", "amazon2018"])
def test_what_is_no_log_is_told_by_what_it_is(tmp_path, layout, text, said):
    log = write(tmp_path / "s" / "Mugs.json", text)
    write(tmp_path / "s" / "meta_Mugs.json", lines(META[layout]))
    with pytest.raises(DataError, match=said):
        IMPORTERS[layout](log, tmp_path / "data", core=0)


def test_metadata_of_another_category_end_the_import(tmp_path):
    source = published(tmp_path / "s", "amazon2018", "reviews")
    write(source / "meta_Mugs.json", lines([META_2018[0] | {"asin": "B009999999"}]))
    with pytest.raises(DataError, match=r"not one of the 3 items of the log is .*the metadata's B009999999"):
        import_amazon2018(source, tmp_path / "data", core=0)


def test_a_log_of_which_nothing_is_left_says_why(tmp_path):
    source = published(tmp_path / "s", "amazon2018", "reviews")
    write(source / "Mugs_5.json", lines([REVIEWS[0] | {"unixReviewTime": "soon"}] * 2))
    with pytest.raises(DataError, match=r"not one interaction is left: 2 × not a time \(unixReviewTime\)"):
        import_amazon2018(source, tmp_path / "data", core=0)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Mug &amp;amp; Saucer", "Mug & Saucer"),
        ("<p>Big</p><ul><li>one<li>two</ul>", "Big one two"),
        ("H<sub>2</sub>O &lt;b&gt;bottle&lt;/b&gt;", "H2O bottle"),
        ("<style>.a{color:red}</style>Cup<script>alert('<b>')</script>", "Cup"),
        ("a < b and c > d, I <3 it", "a < b and c > d, I <3 it"),
        ("<br/>x<!-- no -->y<BR />z", "x y z"),
        ("R&D & more", "R&D & more"),
    ],
)
def test_markup_goes_and_words_stay(html, text):
    assert without_markup(html) == text


def test_the_folders_of_2023_as_the_hub_has_them(tmp_path):
    write(tmp_path / "raw" / "review_categories" / "Mugs.jsonl", lines(REVIEWS_2023))
    meta = write(tmp_path / "raw" / "meta_categories" / "meta_Mugs.jsonl", lines(META_2023))
    dataset = import_amazon2023(tmp_path / "raw", tmp_path / "data", core=0)
    assert dataset.manifest["source"]["options"]["metadata"] == "meta_Mugs.jsonl"
    assert dataset.catalog()[ITEMS[1]].title == "B"
    meta.unlink()
    with pytest.raises(
        DataError, match=r"no meta_Mugs\.jsonl.*\n.*--items; the log alone.*viral import table"
    ) as caught:
        import_amazon2023(tmp_path / "raw", tmp_path / "other", core=0)
    log = caught.value.hint.partition("viral import table ")[2].split()[0]
    assert import_dataset("table", Path(log), tmp_path / "table").interactions().height == 9


@pytest.mark.parametrize(("layout", "other"), [("amazon2014", "amazon2018"), ("amazon2018", "amazon2014")])
def test_ratings_that_name_the_other_of_the_two_first_are_not_turned_round(tmp_path, layout, other):
    name, text = SOURCES[other]["ratings"]
    log = write(tmp_path / "s" / name, text)
    meta = write(tmp_path / "s" / "meta_Mugs.json", lines([{"asin": item, "title": "T"} for item in ITEMS]))
    with pytest.raises(DataError, match=rf"ratings of the edition of {other[-4:]} \(.*\n.*viral import {other} "):
        IMPORTERS[layout](log, tmp_path / "data", core=0, items=meta)
    assert IMPORTERS[other](log, tmp_path / "data", core=0, items=meta).catalog().ids == ITEMS
