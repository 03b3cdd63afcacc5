"""Another week's files onto a data set: what is new comes in, what is there stays, and nothing by hand is lost."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from makers import picture, rejected, write
from viral.apps.cli import app
from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset
from viral.data.features import FeatureTable
from viral.data.importers import import_table
from viral.encode import encode_dataset
from viral.enrich import all_descriptions, edit, load_edits, unlock

USERS, ITEMS = range(12), range(15)
WEEK = 604_800
RULES = ["random", "temporal", "global", "none"]


def table(rows: dict[str, tuple[str, ...]], header="item,title,text,category") -> str:
    return header + "\n" + "".join(f"{item},{','.join(words)}\n" for item, words in rows.items())


def first_items() -> dict[str, tuple[str, ...]]:
    return {f"i{n}": (f"Mug {n}", f"holds {n}", "mugs") for n in ITEMS}


def log_of(pairs, start=0) -> str:
    rows = (f"{user},{item},{start + place}\n" for place, (user, item) in enumerate(pairs))
    return "user,item,timestamp\n" + "".join(rows)


FIRST = [(f"u{user}", f"i{item}") for item in ITEMS for user in USERS if (user + item) % 2 == 0]


@pytest.fixture
def week1(tmp_path: Path) -> Path:
    folder = tmp_path / "week1"
    write(folder / "items.csv", table(first_items()))
    write(folder / "interactions.csv", log_of(FIRST))
    for n in range(10):
        write(folder / "images" / f"i{n}.png", picture(colour=(10 * n, 0, 0)))
    return folder


SECOND_ITEMS = {
    "i15": ("Kettle", "boils", "kettles"),
    "i3": ("Mug three", "", "mugs"),  # another title; a gap is no change
    "i4": ("Mug 4", "holds 4", "cups"),  # another category
    "i5": ("Mug 5", "holds 5", "mugs"),  # as it was
    "i16": ("Pot", "cooks", "pots"),
}
SECOND = [("u0", "i1"), ("u0", "i15"), ("u12", "i15"), ("u12", "i16"), ("u12", "i2"), ("u0", "i0"), ("u1", "i2")]


@pytest.fixture
def week2(tmp_path: Path) -> Path:
    folder = tmp_path / "week2"
    write(folder / "items.csv", table(SECOND_ITEMS))
    write(folder / "interactions.csv", log_of(SECOND, start=WEEK))
    write(folder / "images" / "i15.png", picture(colour=(0, 200, 0)))
    write(folder / "images" / "i6.jpg", picture("JPEG", colour=(0, 0, 200)))  # of an item that the table leaves out
    write(folder / "images" / "i7.png", picture(colour=(70, 0, 0)))  # as it was
    return folder


def parts(dataset: Dataset) -> dict[tuple[str, str], str]:
    return {(user, item): part for user, item, part in
            dataset.interactions().select("user_id", "item_id", "split").iter_rows()}  # fmt: skip


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder by its content."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def viral(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.output


def test_what_is_new_comes_in_and_what_is_there_stays(week1, week2, tmp_path):
    old = import_table(week1, tmp_path / "shop").interactions()
    before = parts(Dataset.open(tmp_path / "shop"))
    new = import_table(week2, tmp_path / "shop", append=True)
    assert new.manifest["appended"] == {
        "new_items": 2, "changed_items": 3, "new_interactions": 6, "known_interactions": 1, "left_out": 0,
    }  # fmt: skip
    catalog = Dataset.open(tmp_path / "shop").catalog()
    assert catalog.ids == (*(f"i{n}" for n in ITEMS), "i15", "i16")
    assert (catalog["i3"].title, catalog["i3"].text) == ("Mug three", "holds 3")
    assert catalog["i4"].category == "cups" and catalog["i14"].title == "Mug 14"
    assert catalog["i15"].image.read_bytes() == (week2 / "images" / "i15.png").read_bytes()
    assert catalog["i6"].image.read_bytes() == (week2 / "images" / "i6.jpg").read_bytes()
    assert catalog["i8"].image.read_bytes() == (week1 / "images" / "i8.png").read_bytes()
    assert sum(item.image is not None for item in catalog) == 11 == len(list((tmp_path / "shop" / "images").iterdir()))
    after = parts(new)
    assert {pair: after[pair] for pair in before} == before
    assert set(after) - set(before) == set(SECOND) - {("u0", "i0")}
    users = new.interactions()["user_id"].unique(maintain_order=True).to_list()
    assert users == [*old["user_id"].unique(maintain_order=True).to_list(), "u12"]


def test_the_same_files_again_change_nothing(week1, week2, tmp_path):
    shop = tmp_path / "shop"
    import_table(week1, shop)
    for week in (week1, week2):
        import_table(week, shop, append=True)
        before = files(shop)
        again = import_table(week, shop, append=True)
        assert again.manifest["appended"]["new_items"] == again.manifest["appended"]["changed_items"] == 0
        assert again.manifest["appended"]["new_interactions"] == 0
        assert files(shop) == before


def test_the_history_names_every_week(week1, week2, tmp_path):
    import_table(week1, tmp_path / "shop")
    import_table(week2, tmp_path / "shop", append=True)
    source = Dataset.open(tmp_path / "shop").manifest["source"]
    assert [Path(one["path"]).name for one in source["history"]] == ["week1", "week2"]
    assert source["history"][1]["counts"]["new_items"] == 2
    assert source["path"].endswith("week1")


@pytest.mark.parametrize("rule", RULES)
def test_no_old_interaction_moves_and_the_rule_goes_on(rule, week1, tmp_path):
    old = import_table(week1, tmp_path / "shop", split=rule)
    before = parts(old)
    more = [(f"u{user}", f"i{item}") for user in USERS for item in ITEMS if (user + item) % 2][:60]
    folder = tmp_path / "more"
    write(folder / "items.csv", table(first_items()))
    write(folder / "interactions.csv", log_of(more, start=WEEK))
    import_table(folder, tmp_path / "shop", append=True)
    after = parts(Dataset.open(tmp_path / "shop"))
    assert {pair: after[pair] for pair in before} == before
    added = {pair: part for pair, part in after.items() if pair not in before}
    assert set(added) == set(more)
    if rule == "none":
        assert set(added.values()) == {"train"}
    elif rule == "global":
        assert set(added.values()) == {"test"}, "they are later than both dates"
    else:
        for user in {user for user, _ in more}:
            n = sum(one == user for one, _ in after)
            held = [part for (one, _), part in after.items() if one == user and part != "train"]
            assert len(held) == (2 if n < 10 else n // 5), "as many as the rule holds out of so many"


def test_new_rows_are_drawn_alike_in_whatever_order_they_come(week1, tmp_path):
    more = [(f"u{user}", f"i{item}") for user in USERS for item in ITEMS if (user + item) % 2]
    found = []
    for name, pairs in (("a", more), ("b", more[::-1])):
        import_table(week1, tmp_path / name)
        write(tmp_path / f"more-{name}" / "interactions.csv", log_of(pairs, start=WEEK))
        import_table(tmp_path / f"more-{name}", tmp_path / name, append=True)
        found.append(parts(Dataset.open(tmp_path / name)))
    assert found[0] == found[1]


def test_a_new_users_latest_is_held_out_by_time(week1, tmp_path):
    import_table(week1, tmp_path / "shop", split="temporal")
    pairs = [("late", f"i{n}") for n in range(5)]
    write(tmp_path / "more" / "interactions.csv", log_of(pairs, start=WEEK))
    import_table(tmp_path / "more", tmp_path / "shop", append=True)
    found = parts(Dataset.open(tmp_path / "shop"))
    assert [found[pair] for pair in pairs] == ["train", "train", "train", "valid", "test"]


def test_a_column_is_obeyed_and_asked_for(week1, tmp_path):
    log = "user,item,split\n" + "".join(f"{user},{item},train\n" for user, item in FIRST)
    write(week1 / "interactions.csv", log)
    import_table(week1, tmp_path / "shop")
    write(tmp_path / "more" / "interactions.csv", "user,item,split\nu0,i1,valid\nu0,i3,test\nu0,i0,test\n")
    import_table(tmp_path / "more", tmp_path / "shop", append=True)
    found = parts(Dataset.open(tmp_path / "shop"))
    assert (found["u0", "i1"], found["u0", "i3"], found["u0", "i0"]) == ("valid", "test", "train")
    write(tmp_path / "bare" / "interactions.csv", "user,item\nu0,i5\n")
    with pytest.raises(DataError, match="split"):
        import_table(tmp_path / "bare", tmp_path / "shop", append=True)
    import_table(tmp_path / "bare", tmp_path / "shop", append=True, split="none")
    assert parts(Dataset.open(tmp_path / "shop"))["u0", "i5"] == "train"


def test_new_products_without_any_interaction(week1, tmp_path):
    import_table(week1, tmp_path / "shop")
    write(tmp_path / "more" / "items.csv", table({"i20": ("Pan", "fries", "pans")}))
    made = import_table(tmp_path / "more", tmp_path / "shop", append=True)
    assert made.manifest["appended"]["new_items"] == 1
    assert made.catalog()["i20"].title == "Pan"


def test_other_columns_in_the_second_week(week1, tmp_path):
    import_table(week1, tmp_path / "shop")
    items = "sku,name,price\ni3,Mug three,9.90 EUR\ni20,Pan,20 EUR\n"
    write(tmp_path / "more" / "items.csv", items)
    write(tmp_path / "more" / "interactions.csv", "who,sku\nu0,i20\n")
    import_table(tmp_path / "more", tmp_path / "shop", append=True, columns={"user": "who", "item": "sku,sku"})
    catalog = Dataset.open(tmp_path / "shop").catalog()
    assert (catalog["i3"].title, catalog["i3"].text, catalog["i3"].category) == ("Mug three", "holds 3", "mugs")
    assert catalog["i20"].category is None
    log = Dataset.open(tmp_path / "shop").interactions()
    assert log.filter(pl.col("item_id") == "i20")["timestamp"].to_list() == [None]


def test_the_columns_of_the_first_week_are_remembered(tmp_path):
    for week, rows in (("one", "ann,7\nann,8\nbob,7\n"), ("two", "bob,8\n")):
        write(tmp_path / week / "interactions.csv", "kunde,ware\n" + rows)
    import_table(tmp_path / "one", tmp_path / "shop", columns={"user": "kunde", "item": "ware"})
    made = import_table(tmp_path / "two", tmp_path / "shop", append=True)
    assert made.manifest["appended"]["new_interactions"] == 1


def test_times_in_another_unit_are_told_in_the_first_weeks(tmp_path):
    write(tmp_path / "one" / "interactions.csv", "user,item,timestamp\nu,a,1700000000\nu,b,1700000100\n")
    write(tmp_path / "two" / "interactions.csv", "user,item,timestamp\nu,c,1700000200000\n")
    import_table(tmp_path / "one", tmp_path / "shop")
    made = import_table(tmp_path / "two", tmp_path / "shop", append=True)
    assert made.interactions()["timestamp"].to_list() == [1_700_000_000, 1_700_000_100, 1_700_000_200]


def test_ids_that_were_repaired_in_the_first_week_are_in_the_second(tmp_path):
    write(tmp_path / "one" / "items.csv", "item,title\n007,Seven\n008,Eight\n")
    write(tmp_path / "one" / "interactions.csv", "user,item\nu,7\nu,8\n")
    import_table(tmp_path / "one", tmp_path / "shop", repair_ids=True)
    write(tmp_path / "two" / "interactions.csv", "user,item\nv,7\n")
    made = import_table(tmp_path / "two", tmp_path / "shop", append=True)
    assert made.interactions().row(-1)[:2] == ("v", "007")


def test_a_dry_run_tells_and_writes_nothing(week1, week2, tmp_path):
    import_table(week1, tmp_path / "shop")
    before = files(tmp_path / "shop")
    made = import_table(week2, tmp_path / "shop", append=True, dry_run=True)
    assert made.manifest["appended"]["new_items"] == 2 and files(tmp_path / "shop") == before


def test_rows_that_cannot_be_used_are_named_with_their_week(week1, tmp_path):
    write(week1 / "interactions.csv", log_of([*FIRST, ("u0", "nowhere")]))
    import_table(week1, tmp_path / "shop")
    write(tmp_path / "more" / "interactions.csv", "user,item\nu0,i1\n,i3\n")
    write(tmp_path / "more" / "items.csv", "item,title\ni1,Mug 1\n")
    made = import_table(tmp_path / "more", tmp_path / "shop", append=True)
    assert [(file, reason) for file, _, _, reason, _ in rejected(made)] == [
        ("interactions.csv", "unknown item"), ("more/interactions.csv", "empty user id"),
    ]  # fmt: skip
    assert made.manifest["appended"]["left_out"] == 1


def test_without_a_data_set_it_says_so(week1, tmp_path):
    output = viral("import", "table", week1, tmp_path / "none", "--append", code=1)
    assert "not a data set folder" in output and not (tmp_path / "none").exists()
    with pytest.raises(UsageError, match="neither --overwrite nor --core"):
        import_table(week1, tmp_path / "none", append=True, overwrite=True)


def test_the_command_tells_the_counts(week1, week2, tmp_path):
    viral("import", "table", week1, tmp_path / "shop")
    assert "--append adds what is new" in viral("import", "table", week2, tmp_path / "shop", code=2)
    output = viral("import", "table", week2, tmp_path / "shop", "--append")
    assert "2 new items, 3 changed items, 6 new interactions, 1 known interactions" in output
    assert "old interactions stay" in output
    assert "3 of 7 items have one" in output, "of this week's, and of those whose picture came"
    done = json.loads(CliRunner().invoke(
        app, ["import", "table", str(week2), str(tmp_path / "shop"), "--append", "--json"]
    ).stdout)  # fmt: skip
    assert done["appended"]["new_items"] == 0


def test_killed_in_the_middle_the_old_data_set_is_whole(week1, week2, tmp_path):
    import_table(week1, tmp_path / "shop")
    before = files(tmp_path / "shop")
    script = (
        "import os, viral.base.files\n"
        "viral.base.files._swap = lambda *_: os._exit(9)\n"
        "from pathlib import Path\nfrom viral.data.importers import import_table\n"
        f"import_table(Path({str(week2)!r}), Path({str(tmp_path / 'shop')!r}), append=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=os.environ, check=False)
    assert done.returncode == 9
    assert files(tmp_path / "shop") == before
    assert import_table(week2, tmp_path / "shop", append=True).manifest["appended"]["new_items"] == 2


@pytest.fixture
def described(week1, tmp_path) -> Path:
    """A shop with descriptions, an edit by hand, vectors and a ledger."""
    shop = tmp_path / "shop"
    import_table(week1, shop)
    viral("enrich", shop)
    edit(Dataset.open(shop), "i8", "Grandmother's mug.")
    encode_dataset(Dataset.open(shop), modalities=["text", "image"])
    write(shop / "notes.txt", "by hand")
    return shop


def rows(shop: Path) -> dict:
    (one,) = all_descriptions(Dataset.open(shop))
    return {row.item_id: row for row in one.rows}


def test_appending_loses_nothing_and_forgets_what_is_stale(described, week2):
    before, texts = rows(described), FeatureTable.load(described / "features" / "text.parquet")
    import_table(week2, described, append=True)
    assert load_edits(Dataset.open(described)) == {"i8": "Grandmother's mug."}
    assert (described / "notes.txt").read_text() == "by hand"
    after = rows(described)
    assert {item for item in before if after[item] != before[item]} == {"i3", "i6"}, "another title, another picture"
    assert after["i3"].status == after["i6"].status == after["i15"].status == "pending"
    kept = FeatureTable.load(described / "features" / "text.parquet")
    assert set(texts.item_ids) - set(kept.item_ids) == {"i3"}
    assert set(FeatureTable.load(described / "features" / "image.parquet").item_ids) == {f"i{n}" for n in range(10)} - {
        "i6"
    }
    output = viral("enrich", described, "--json")
    spent = json.loads(output[output.index("{") :])
    assert spent["counts"]["pending"] == 0
    assert all(rows(described)[item].status == "done" for item in ("i6", "i15"))


def test_overwriting_keeps_what_was_made_by_hand_and_for_money(described, week1):
    before, made = rows(described), files(described)
    import_table(week1, described, overwrite=True)
    after = files(described)
    for name in ("descriptions/edits.json", "notes.txt", "features/text.parquet", "features/image.parquet"):
        assert after[name] == made[name]
    assert rows(described) == before
    assert "ledger.sqlite" in after and load_edits(Dataset.open(described))
    assert unlock(Dataset.open(described), "i8") == "Grandmother's mug."


def test_overwriting_with_other_goods_is_refused(described, tmp_path):
    write(tmp_path / "other" / "interactions.csv", "user,item\na,x\nb,y\n")
    before = files(described)
    with pytest.raises(UsageError, match="not one of its items is in the new data"):
        import_table(tmp_path / "other", described, overwrite=True)
    assert files(described) == before


def test_a_shop_drawn_again_keeps_them_too(tmp_path):
    shop = tmp_path / "shop"
    words = ("shop", shop, "--users", "10", "--items", "20", "--no-pictures")
    viral(*words)
    edit(Dataset.open(shop), "p0001", "By hand.")
    encode_dataset(Dataset.open(shop), modalities=["title"])
    viral(*words, "--overwrite", "--seed", "1")
    assert load_edits(Dataset.open(shop)) == {"p0001": "By hand."}
    assert (shop / "features" / ".cache" / "texts.sqlite").is_file()


def test_feedback_keeps_them_too(described, tmp_path):
    event = {"user_id": "u0", "item_id": "i1", "timestamp": 5, "kind": "click"}
    write(tmp_path / "run.feedback.jsonl", json.dumps(event) + "\n")
    (tmp_path / "run").mkdir()
    made = files(described)
    viral("feedback", tmp_path / "run", described, "--out", described)
    after = files(described)
    assert {name for name in made if name not in after or after[name] != made[name]} <= {
        "interactions.parquet", "manifest.json", "ledger.sqlite", "ledger.sqlite-shm", "ledger.sqlite-wal",
    }  # fmt: skip
    assert Dataset.open(described).manifest["source"]["history"]
    shutil.rmtree(tmp_path / "run")
