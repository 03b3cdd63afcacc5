"""The names by which exports call their columns, and the page that lists them."""

from pathlib import Path

import pytest

from viral.data.importers.columns.names import (
    ITEM,
    ITEM_ROLES,
    LOG_ITEM,
    LOG_ROLES,
    TITLE,
    USER,
    candidates,
    key,
    own_of_items,
)

PAGE = Path(__file__).parents[5] / "docs" / "columns.md"


def of_log(*present):
    return {role.name: found[0] for role in LOG_ROLES if (found := candidates(present, role))}


def of_items(*present):
    return {role.name: found[0] for role in ITEM_ROLES if (found := candidates(present, role))}


@pytest.mark.parametrize(
    "spelling",
    ["customer_id", "CUSTOMER_ID", "Customer ID", "customer-id", "customerId", "CustomerID", " customer.id ",
     "customer_id:token", "customer"],
)  # fmt: skip
def test_a_name_is_recognised_in_every_spelling(spelling):
    assert candidates(["x", spelling], USER) == [spelling]


@pytest.mark.parametrize(
    ("present", "roles"),
    [
        (("customer_id", "article_id", "t_dat", "price", "sales_channel_id"), "customer_id article_id t_dat"),
        (("Name", "Email", "Created at", "Lineitem name", "Lineitem sku"), "Email Lineitem sku Created at"),
        (("reviewerID", "asin", "overall", "reviewText", "unixReviewTime"), "reviewerID asin unixReviewTime"),
        (("rating", "title", "text", "asin", "parent_asin", "user_id", "timestamp"), "user_id parent_asin timestamp"),
        (("event_name", "event_timestamp", "user_pseudo_id", "item_id"), "user_pseudo_id item_id event_timestamp"),
        (("user_id:token", "item_id:token", "timestamp:float"), "user_id:token item_id:token timestamp:float"),
        (("userId", "movieId", "rating", "timestamp"), "userId movieId timestamp"),
        (("Order ID", "Customer ID", "Product ID", "Order Date"), "Customer ID Product ID Order Date"),
        (("InvoiceNo", "StockCode", "InvoiceDate", "CustomerID"), "CustomerID StockCode InvoiceDate"),
        (("用户", "商品ID", "时间"), "用户 商品ID 时间"),
        (("会员编号", "商品编码", "下单时间"), "会员编号 商品编码 下单时间"),
        (("Kundennummer", "Artikelnummer", "Bestelldatum"), "Kundennummer Artikelnummer Bestelldatum"),
        (("Client", "Référence", "Date"), "Client Référence Date"),
    ],
)
def test_logs_of_real_exports(present, roles):
    found = of_log(*present)
    assert " ".join(found[name] for name in ("user", "item", "timestamp")) == roles


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (
            ("Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Variant SKU", "Variant Price", "Image Src"),
            {"item": "Handle", "variant": "Variant SKU", "title": "Title", "text": "Body (HTML)", "brand": "Vendor",
             "category": "Type", "price": "Variant Price", "image_url": "Image Src"},
        ),
        (
            ("ID", "Type", "SKU", "Name", "Short description", "Description", "Regular price", "Categories", "Images"),
            {"item": "SKU", "title": "Name", "text": "Description", "price": "Regular price", "category": "Categories",
             "image": "Images"},
        ),
        (
            ("sku", "product_type", "categories", "name", "description", "price", "base_image", "color"),
            {"item": "sku", "title": "name", "text": "description", "category": "categories", "price": "price",
             "image": "base_image", "colour": "color"},
        ),
        (
            ("article_id", "product_code", "prod_name", "product_type_name", "colour_group_name", "detail_desc"),
            {"item": "article_id", "title": "prod_name", "category": "product_type_name",
             "colour": "colour_group_name", "text": "detail_desc"},
        ),
        (
            ("asin", "title", "imUrl", "brand", "categories", "price", "description"),
            {"item": "asin", "title": "title", "image_url": "imUrl", "brand": "brand", "category": "categories",
             "price": "price", "text": "description"},
        ),
        (
            ("main_category", "title", "features", "description", "price", "images", "store", "parent_asin"),
            {"item": "parent_asin", "title": "title", "text": "description", "category": "main_category",
             "price": "price", "image": "images", "brand": "store"},
        ),
        (
            ("商品ID", "标题", "描述", "图片", "分类", "价格", "颜色", "品牌"),
            {"item": "商品ID", "title": "标题", "text": "描述", "image": "图片", "category": "分类", "price": "价格",
             "colour": "颜色", "brand": "品牌"},
        ),
        (
            ("g:id", "g:title", "g:image_link", "g:google_product_category", "g:brand"),
            {"item": "g:id", "title": "g:title", "image_url": "g:image_link", "brand": "g:brand",
             "category": "g:google_product_category"},
        ),
    ],
)  # fmt: skip
def test_item_tables_of_real_exports(present, expected):
    assert of_items(*present) == expected


def test_the_better_known_name_comes_first_wherever_it_stands():
    assert candidates(["name", "product_name", "title"], TITLE) == ["title", "name", "product_name"]
    assert candidates(["items.item_id", "id"], ITEM) == ["items.item_id", "id"]
    assert candidates(["id", "order_id"], LOG_ITEM) == []  # in a log, that is the order's own


def test_a_log_tells_of_its_items_only_by_names_that_say_whose_they_are():
    amazon = ["user_id", "parent_asin", "title", "text", "images", "price"]  # title and text of the review
    assert own_of_items(amazon) == {}
    analytics = ["user_pseudo_id", "item_id", "item_name", "item_category", "item_brand"]
    assert own_of_items(analytics) == {"title": "item_name", "category": "item_category", "brand": "item_brand"}


def test_no_name_has_two_meanings():
    for roles in (LOG_ROLES, ITEM_ROLES):
        keys = [key(name) for role in roles if role.name != "variant" for name in role.names]
        assert len(keys) == len(set(keys)), roles[0].name


def test_the_page_lists_every_name_and_no_other():
    listed = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    page = [(cells[1].strip(), cells[2].strip(), cells[3].replace("`", "").split()) for cells in listed]
    code = [(f"`{role.name}`", role.meaning, list(role.names)) for role in (*LOG_ROLES, *ITEM_ROLES)]
    assert page == code
