"""The exports of real shops, from their files to a data set: which columns were taken, and what became of the rows."""

import gzip
import json

import polars as pl
import pyarrow as pa
import pytest

from makers import rejected, write
from viral.base.errors import DataError, UsageError
from viral.data.importers import import_table

LOG = "user,item\nu1,a\nu1,b\nu2,a\n"
ITEMS = "item,title\na,Kettle\nb,Pot\n"


def imported(tmp_path, files, source="", **options):
    for name, content in files.items():
        write(tmp_path / "shop" / name, content)
    folder = tmp_path / "shop" / source if source else tmp_path / "shop"
    return import_table(folder, tmp_path / "data", **options)


def pairs(dataset):
    return dataset.interactions().select("user_id", "item_id").rows()


def roles(dataset, file):
    (used,) = (one for one in dataset.manifest["source"]["options"]["files"] if one["file"] == file)
    return {role: name for name, role in used["columns"].items() if role}


def test_a_folder_of_hm(tmp_path, capsys):
    log = "\ufeffcustomer_id;article_id;t_dat;price;sales_channel_id\n"
    log += "c1;0108;2020-01-02;0,05;2\nc2;0110;2020-02-03;0,1;1\n"
    items = (
        "article_id;product_code;prod_name;product_type_name;colour_group_name;detail_desc;price\n"
        "0108;0001;Strap top;Vest top;Black;Jersey top;9,90\n0110;0001;Strap top 2;Leggings/Tights;White;;\n"
    )
    files = {"transactions_train.csv": log, "articles.csv": items, "customers.csv": "customer_id;age\nc1;30\n"}
    dataset = imported(tmp_path, files)
    assert pairs(dataset) == [("c1", "0108"), ("c2", "0110")]
    item = dataset.catalog()["0108"]
    assert (item.title, item.text, item.category, item.colour, item.price) == (
        "Strap top", "Jersey top", "Vest top", "Black", "9,90",
    )  # fmt: skip
    assert dataset.catalog()["0110"].category == "Leggings/Tights"
    told = capsys.readouterr().err
    assert "customer_id  → user       by its name" in told
    assert "not used: price, sales_channel_id" in told
    assert "article_id         → item       by its name (not product_code; another with --column item=NAME)" in told
    assert "not used: customers.csv" in told
    assert roles(dataset, "transactions_train.csv") == {
        "user": "customer_id",
        "item": "article_id",
        "timestamp": "t_dat",
    }


SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Type,Variant SKU,Variant Price,Image Src\n"
    "shirt,Shirt,<p>Soft &amp; <b>warm</b></p>,Acme,Shirts,SH-S,9.90,https://x.org/1.jpg\n"
    "shirt,,,,,SH-M,9.90,https://x.org/2.jpg\nshirt,,,,,,,https://x.org/3.jpg\n"
    "cap,Cap,,Acme,Caps,CAP-1,5.00,https://x.org/c.jpg\n"
)


def test_a_product_of_shopify_is_one_item_in_several_rows(tmp_path):
    orders = "Name,Email,Created at,Lineitem name,Lineitem sku\n#1,a@x,2024-03-01 10:00:00 +0100,Shirt - S,SH-S\n"
    orders += "#2,b@x,2024-03-02 10:00:00 +0100,Shirt - M,SH-M\n#3,b@x,2024-03-03 10:00:00 +0100,Cap,CAP-1\n"
    dataset = imported(tmp_path, {"orders_export.csv": orders, "products_export.csv": SHOPIFY})
    assert pairs(dataset) == [("a@x", "shirt"), ("b@x", "shirt"), ("b@x", "cap")]
    assert rejected(dataset) == []
    item = dataset.catalog()["shirt"]
    assert (item.title, item.text, item.brand, item.category) == ("Shirt", "Soft & warm", "Acme", "Shirts")
    assert (item.price, item.image_url) == ("9.90", "https://x.org/1.jpg")
    assert dataset.interactions()["timestamp"].to_list()[0] == 1709283600


def test_a_log_of_handles_meets_the_handles(tmp_path):
    dataset = imported(tmp_path, {"orders.csv": "email,handle\na@x,shirt\nb@x,cap\n", "products.csv": SHOPIFY})
    assert pairs(dataset) == [("a@x", "shirt"), ("b@x", "cap")]


def test_ids_of_woocommerce_are_those_that_the_orders_have(tmp_path):
    products = "ID,Type,SKU,Name,Categories,Images\n"
    products += '7,simple,W-7,Hoodie,"Clothing > Hoodies, Sale","https://x.org/7.jpg, https://x.org/8.jpg"\n'
    products += "8,simple,W-8,Cap,Clothing > Caps,\n"
    by_number = "Customer ID,Product ID\nu,7\nv,8\n"
    dataset = imported(tmp_path, {"orders.csv": by_number, "products.csv": products})
    assert dataset.catalog().ids == ("7", "8")
    assert dataset.catalog()["7"].category == "Hoodies"
    assert dataset.catalog()["7"].image_url == "https://x.org/7.jpg"
    write(tmp_path / "shop" / "orders.csv", "Customer ID,Product SKU\nu,W-7\nv,W-8\n")
    assert import_table(tmp_path / "shop", tmp_path / "other").catalog().ids == ("W-7", "W-8")


def test_events_of_ga4_tell_of_their_items(tmp_path, capsys):
    rows = [("view_item", "u1", "I1"), ("purchase", "u1", "I1"), ("add_to_cart", "u2", "I2")]
    lines = [
        {"event_name": event, "event_timestamp": 1704412800000000 + place, "user_id": None, "user_pseudo_id": user,
         "item_id": item, "item_name": f"Lamp {item}", "item_category": "Lamps", "event_date": "20240105"}
        for place, (event, user, item) in enumerate(rows)
    ]  # fmt: skip
    dataset = imported(tmp_path, {"events.json": "\n".join(map(json.dumps, lines))}, "events.json")
    assert [(item.id, item.title, item.category) for item in dataset.catalog()] == [
        ("I1", "Lamp I1", "Lamps"), ("I2", "Lamp I2", "Lamps"),
    ]  # fmt: skip
    assert dataset.interactions()["timestamp"].to_list() == [1704412800000000, 1704412800000002]
    assert dataset.manifest["source"]["options"]["time_unit"] == "us"
    told = capsys.readouterr().err
    assert "event_name holds add_to_cart, purchase, view_item: every row counts as an interaction" in told
    assert "user_pseudo_id   → user       by its name (not user_id;" in told  # which is empty


def test_the_atomic_files_of_recbole(tmp_path):
    files = {
        "ml.inter": "user_id:token\titem_id:token\ttimestamp:float\nu\t1\t5.0\nv\t2\t6.0\n",
        "ml.item": "item_id:token\tmovie_title:token_seq\tgenre:token_seq\n1\tHeat\tDrama\n2\tBig\tComedy\n",
    }
    dataset = imported(tmp_path, files)
    assert [(item.title, item.category) for item in dataset.catalog()] == [("Heat", "Drama"), ("Big", "Comedy")]


def test_chinese_files_in_their_encoding(tmp_path, capsys):
    files = {
        "订单.csv": "订单号,用户,商品ID,时间\n1,甲,S1,2024-01-02\n2,乙,S2,2024-01-03\n".encode("gb18030"),
        "商品.csv": "商品ID,标题,类目,价格\nS1,红色马克杯,家居 > 杯子,9.90\nS2,蓝色上衣,,\n".encode("gb18030"),
    }
    dataset = imported(tmp_path, files)
    assert pairs(dataset) == [("甲", "S1"), ("乙", "S2")]
    assert (dataset.catalog()["S1"].title, dataset.catalog()["S1"].category) == ("红色马克杯", "杯子")
    assert "商品.csv: the items, 2 rows, gb18030 by its looks (if it is not, say --encoding)" in capsys.readouterr().err


def test_what_no_name_tells_is_found_by_what_is_in_it(tmp_path, capsys):
    log = "customer,ware_ref,moment\nu,x1,2024-01-02 10:00\nv,x2,2024-01-03 11:30\n"
    dataset = imported(tmp_path, {"sales.csv": log, "goods_list.csv": "sku,title,stock\nx1,A,3\nx2,B,4\n"})
    assert roles(dataset, "sales.csv") == {"user": "customer", "item": "ware_ref", "timestamp": "moment"}
    told = capsys.readouterr().err
    assert "ware_ref  → item       its values are ids of goods_list.csv" in told
    assert "moment    → timestamp  its values are times" in told


def test_a_column_may_be_left_out_and_another_named(tmp_path):
    items = "item,title,headline,price\na,K-1,Kettle,5\nb,P-1,Pot,6\n"
    dataset = imported(tmp_path, {"log.csv": LOG, "items.csv": items}, columns={"title": "headline", "price": "-"})
    assert (dataset.catalog()["a"].title, dataset.catalog()["a"].price) == ("Kettle", None)
    again = import_table(tmp_path / "shop", tmp_path / "again", columns={"title": "HEAD line"})
    assert again.catalog()["a"].title == "Kettle"


def test_without_a_title_it_stops_and_says_how_to_name_one(tmp_path):
    files = {"log.csv": LOG, "items.csv": "item,wording,weight\na,Kettle,1\nb,Pot,2\n"}
    with pytest.raises(DataError) as caught:
        imported(tmp_path, files)
    assert "no column of titles is recognised; the columns are: item, wording, weight" in str(caught.value)
    assert "--column title=NAME" in caught.value.hint and "--column title=-" in caught.value.hint
    named = import_table(tmp_path / "shop", tmp_path / "named", columns={"title": "wording"})
    assert named.catalog()["a"].title == "Kettle"
    none = import_table(tmp_path / "shop", tmp_path / "none", columns={"title": "-"})
    assert none.catalog()["a"].title == ""


def test_all_that_is_missing_is_said_at_once(tmp_path):
    files = {"interactions.csv": "x,y\nu,a\n", "items.csv": "p,wording\nq,Kettle\n"}
    with pytest.raises(DataError) as caught:
        imported(tmp_path, files, split="temporal")
    text = str(caught.value)
    for part in (
        "5 columns are missing", "interactions.csv: column 'user' is missing, column 'item' is missing",
        "column 'timestamp'", "the columns are: x, y", "items.csv: column 'item' is missing, no column of titles",
        "--column user=NAME --column item=NAME --column timestamp=NAME --column title=NAME",
    ):  # fmt: skip
        assert part in text
    assert not (tmp_path / "data").exists()


def test_a_first_line_of_data_is_said_to_be_one(tmp_path):
    with pytest.raises(DataError, match="the first line seems to hold data"):
        imported(tmp_path, {"ratings.dat": "1::1193::5::978300760\n2::3::4::978300761\n"}, "ratings.dat")


def test_a_dry_run_tells_everything_and_writes_nothing(tmp_path, capsys):
    files = {"log.csv": LOG + "u3,zz\n", "items.csv": ITEMS, "images/a.png": b"none"}
    dataset = imported(tmp_path, files, dry_run=True)
    assert not (tmp_path / "data").exists()
    assert dataset.manifest["counts"]["interactions"] == 3
    assert dataset.manifest["counts"]["rejected"]["unknown item"] == 1
    assert "item  → item       by its name" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop"]


def test_several_files_are_one_log_and_a_rejection_names_its_own(tmp_path):
    files = {"orders-2024.csv": LOG + ",a\n", "orders-2025.csv": "user,item\nu3,b\nu1,a\nu4\n", "items.csv": ITEMS}
    dataset = imported(tmp_path, files)
    assert pairs(dataset) == [("u1", "a"), ("u1", "b"), ("u2", "a"), ("u3", "b")]
    assert [fault[:4] for fault in rejected(dataset)] == [
        ("orders-2024.csv", 4, "user", "empty user id"), ("orders-2025.csv", 2, "item", "duplicate pair"),
        ("orders-2025.csv", 3, "", "wrong number of fields"),
    ]  # fmt: skip
    by_pattern = import_table(tmp_path / "shop" / "orders-*.csv", tmp_path / "glob", items=tmp_path / "shop/items.csv")
    assert pairs(by_pattern) == pairs(dataset)


def test_a_folder_of_parts_in_a_folder(tmp_path):
    files = {"log/part-0.csv": LOG, "log/part-1.csv": "user,item\nu3,b\n", "log/_SUCCESS": ""}
    assert len(pairs(imported(tmp_path, files))) == 4


def test_files_called_train_and_test_are_a_split(tmp_path):
    files = {"train.csv": LOG, "valid.csv": "user,item\nu3,b\n", "test.csv": "user,item\nu2,b\n"}
    split = imported(tmp_path, files).interactions()
    assert split.select("user_id", "split").rows() == [
        ("u2", "test"), ("u1", "train"), ("u1", "train"), ("u2", "train"), ("u3", "valid"),
    ]  # fmt: skip


def test_files_that_could_all_be_it_are_named(tmp_path):
    files = {"orders.csv": LOG, "views.csv": "user_id,item_id,ts\nu,a,1\n"}
    with pytest.raises(UsageError, match=r"could be the log: orders\.csv, views\.csv"):
        imported(tmp_path, files)
    (tmp_path / "shop" / "views.csv").unlink()
    with pytest.raises(UsageError, match=r"could be the item table: one\.csv, two\.csv\n.*--items"):
        imported(tmp_path, {"one.csv": ITEMS, "two.csv": ITEMS})


def zstandard(text):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(text.encode())
    return sink.getvalue().to_pybytes()


LINES = b'{"user":"u1","item":"a"}\n{"user":"u1","item":"b"}\n{"user":"u2","item":"a"}'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.csv", "user;item\nu1;a\nu1;b\nu2;a\n"),
        ("log.csv", "sep=|\r\nuser|item\r\nu1|a\r\nu1|b\r\nu2|a\r\n"),
        ("log.dat", "user::item\nu1::a\nu1::b\nu2::a\n"),
        ("log.txt", "user\titem\nu1\ta\nu1\tb\nu2\ta\n"),
        ("log.csv", LOG.encode("utf-16")),
        ("log.csv.gz", gzip.compress(LOG.encode(), mtime=0)),
        ("log.csv", gzip.compress(LOG[:11].encode(), mtime=0) + gzip.compress(LOG[11:].encode(), mtime=0)),
        ("log.csv.gz", gzip.compress(LOG.encode(), mtime=0) + b"\r\n"),
        ("log.csv.zst", zstandard(LOG)),
        ("log.json", '[{"user": "u1", "item": "a"}, {"user": "u1", "item": "b"},\n {"user": "u2", "item": "a"}]'),
        ("log.jsonl", '{\n "user": "u1",\n "item": "a"\n}\n{\n "user": "u1",\n "item": "b"\n}\n'
                      '{"user":"u2","item":"a"}'),
        ("log.json", '{"count": 3, "orders": [{"user": "u1", "item": "a"}, {"user": "u1", "item": "b"},'
                     ' {"user": "u2", "item": "a"}]}'),
        ("log.json.gz", gzip.compress(LINES, mtime=0)),
    ],
)  # fmt: skip
def test_files_of_every_form(tmp_path, name, content):
    assert pairs(imported(tmp_path, {name: content}, name)) == [("u1", "a"), ("u1", "b"), ("u2", "a")]


@pytest.mark.parametrize(
    ("items", "title"),
    [
        ("item,title\na,Café au lait\nb,Tea\n".encode("cp1252"), "Café au lait"),
        ('item,title\na,"12"" pan, \\"best\\""\nb,Tea\n', '12" pan, "best"'),
        ('item,title\na,"4" nails\nb,Tea\n', ""),
        ('item,title\na,"Pot\nb,Tea\n', ""),
        ("item,title\na,Pot, red\nb,Tea\n", ""),
        (f"item,title\na,{'y' * 140_000}\nb,Tea\n", ""),
        ('title,item\n"4" nails,a\nTea,b\n', ""),
        ("item,title\na,Café é\nb,Tea".encode() + b"\xff\n", "Café é"),
    ],
)
def test_a_title_that_cannot_be_read_costs_the_title_alone(tmp_path, items, title):
    dataset = imported(tmp_path, {"log.csv": LOG, "items.csv": items})
    assert len(pairs(dataset)) == 3
    assert dataset.catalog()["a"].title == title
    if not title:
        ((file, row, field, reason, _),) = rejected(dataset)
        assert (file, row, field) == ("items.csv", 1, "title") and reason.endswith("field left empty")


@pytest.mark.parametrize("word", ["NaN", "nan", "null", "NULL", "None", "N/A", "n/a", "\\N", "-", " "])
def test_missing_values_in_every_spelling(tmp_path, word):
    items = f"item,title,description,category,price,image_url,colour\na,{','.join([word] * 6)}\nb,Pot,,,,,\n"
    item = imported(tmp_path, {"log.csv": LOG, "items.csv": items}).catalog()["a"]
    assert (item.title, item.text, item.category, item.price, item.image_url, item.colour) == (
        "", "", None, None, None, None,
    )  # fmt: skip


def test_ids_are_not_missing_unless_they_are_empty(tmp_path):
    files = {"log.csv": "user,item\nu,NA\nu,null\nNone,-\n", "items.csv": "item,title\nNA,x\nnull,y\n-,z\n"}
    assert pairs(imported(tmp_path, files)) == [("u", "NA"), ("u", "null"), ("None", "-")]


NESTED = [
    {"event_timestamp": 1704412800000000, "user_pseudo_id": "u1", "device": {"category": "mobile"},
     "items": [{"item_id": "I1", "item_name": "Lamp", "item_category": "Light"},
               {"item_id": "I2", "item_name": "Rug"}]},
    {"event_timestamp": 1704412900000000, "user_pseudo_id": "u2", "device": {"category": "desktop"},
     "items": [{"item_id": "I1", "item_name": "Lamp", "item_category": "Light"}]},
]  # fmt: skip


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet"])
def test_events_with_a_list_of_items_are_a_row_an_item(tmp_path, kind):
    path = tmp_path / "shop" / f"events.{kind}"
    if kind == "parquet":
        path.parent.mkdir()
        pl.DataFrame(NESTED).write_parquet(path)
    else:
        write(path, json.dumps(NESTED) if kind == "json" else "\n".join(map(json.dumps, NESTED)))
    dataset = import_table(path, tmp_path / "data")
    assert pairs(dataset) == [("u1", "I1"), ("u1", "I2"), ("u2", "I1")]
    assert [(item.title, item.category) for item in dataset.catalog()] == [("Lamp", "Light"), ("Rug", None)]
    assert dataset.interactions()["timestamp"].to_list() == [1704412800000000] * 2 + [1704412900000000]


def test_orders_of_an_interface_name_their_customer_inside(tmp_path):
    orders = [
        {"id": 1, "customer": {"id": 7, "created_at": "2020-01-01"}, "created_at": "2024-01-02T10:00:00Z",
         "line_items": [{"id": 91, "product_id": 5, "title": "Mug"}, {"id": 92, "product_id": 6, "title": "Pot"}]},
    ]  # fmt: skip
    dataset = imported(tmp_path, {"orders.json": json.dumps({"orders": orders})}, "orders.json")
    assert pairs(dataset) == [("7", "5"), ("7", "6")]
    alone = write(tmp_path / "one.json", json.dumps(orders[0]))
    assert pairs(import_table(alone, tmp_path / "one")) == pairs(dataset)
    assert dataset.interactions()["timestamp"].to_list() == [1704189600] * 2


def test_an_order_of_several_rows_names_its_customer_once(tmp_path):
    rows = "Name,Email,Created at,Lineitem sku\n#1,a@x,2024-03-01,S1\n#1,,,S2\n#2,,,S1\n#3,b@x,2024-03-02,S3\n#3,,,S1\n"
    dataset = imported(tmp_path, {"orders.csv": rows}, "orders.csv")
    assert pairs(dataset) == [("a@x", "S1"), ("a@x", "S2"), ("b@x", "S3"), ("b@x", "S1")]
    assert dataset.interactions()["timestamp"].null_count() == 0
    assert [fault[1:4] for fault in rejected(dataset)] == [(3, "Email", "empty user id")]
    assert roles(dataset, "orders.csv")["order"] == "Name"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.json", LOG, r"there is no JSON object in it\n.*a table of lines with commas is called \.csv"),
        ("log.json", "[]", r"there is no JSON object in it\n.*nothing to import"),
        ("log.csv", b"user\0\x01,item\n", "the file is not text"),
        ("log.json", '[{"user": "u", "item": "a"}, {"user": }]', r"not valid JSON: .*line 1 column 3"),
        ("log.json", '{"orders": [{"user": "u"}], "refunds": [{"user": "v"}]}', "several arrays of rows in one object"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        imported(tmp_path, {name: content}, name)


def test_json_is_read_by_whatever_name(tmp_path):
    lines = '{"user": "u1", "item": "a"}\n{"user": "u2", "item": "a"}\n'
    assert len(pairs(imported(tmp_path, {"log.csv": lines}, "log.csv"))) == 2


def test_a_folder_without_a_table(tmp_path):
    with pytest.raises(DataError, match=r"there is no table\n.*\.csv.*\.xlsx"):
        imported(tmp_path, {"notes/about.md": "nothing"})


def test_parts_in_a_folder_beside_the_item_table(tmp_path):
    files = {"products.csv": ITEMS, "orders/part-0.csv": LOG, "orders/part-1.csv": "user,item\nu3,b\n"}
    assert len(pairs(imported(tmp_path, files))) == 4


def test_tables_that_cannot_be_read_are_named_and_do_no_harm(tmp_path, capsys):
    files = {"log.csv": LOG, "items.csv": ITEMS, "broken.json": "{'user': 1}", "odd.xlsx": b"PK\x03\x04"}
    assert len(pairs(imported(tmp_path, files))) == 3
    assert "not used: broken.json (there is no JSON object in it), odd.xlsx (" in capsys.readouterr().err
    (tmp_path / "shop" / "log.csv").unlink()
    with pytest.raises(DataError, match=r"(?s)no interaction log.*broken\.json: there is no JSON object in it"):
        import_table(tmp_path / "shop", tmp_path / "other")
