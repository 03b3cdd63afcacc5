"""Cells that hold a list, markup or a price as an object."""

import polars as pl
import pytest

from viral.data.importers import cells


def one(change, cell):
    return change(pl.Series([cell, "other"])).to_list()[0]


@pytest.mark.parametrize(
    ("cell", "first"),
    [
        ('["a1.png", "a2.png"]', "a1.png"),
        ("['a1.png', 'a2.png']", "a1.png"),
        ("a1.png|a2.png", "a1.png"),
        ("a1.png, a2.png", "a1.png"),
        ("a1.png;b/a2.JPG", "a1.png"),
        ("https://x.org/1.jpg, https://x.org/2.jpg", "https://x.org/1.jpg"),
        ("https://x.org/1.jpg|https://x.org/2.jpg", "https://x.org/1.jpg"),
        ("https://x.org/1.jpg https://x.org/2.jpg", "https://x.org/1.jpg"),
        ("https://x.org/i,w_300/1.jpg", "https://x.org/i,w_300/1.jpg"),
        ("red, green.jpg", "red, green.jpg"),
        ('{"url": "https://x.org/1.jpg"}', "https://x.org/1.jpg"),
        ('[{"large": "https://x.org/l.jpg", "thumb": "https://x.org/t.jpg"}]', "https://x.org/l.jpg"),
        ('[{"src": null}, {"src": "https://x.org/2.jpg"}]', "https://x.org/2.jpg"),
        ('[["a.png"], "b.png"]', "a.png"),
        ("[]", None),
        ("[null]", None),
        ("a1.png", "a1.png"),
        ("[broken", "[broken"),
    ],
)
def test_the_first_picture_of_a_list(cell, first):
    assert one(cells.first_pictures, cell) == first


@pytest.mark.parametrize(
    ("cell", "category"),
    [
        ('["Home", "Mugs"]', "Mugs"),
        ("['Home', 'Mugs']", "Mugs"),
        ('[["Home", "Mugs"], ["Gifts"]]', "Mugs"),
        ("Home > Mugs", "Mugs"),
        ("Home>Mugs", "Mugs"),
        ("Home | Mugs", "Mugs"),
        ("Home / Mugs", "Mugs"),
        ("Home » Mugs", "Mugs"),
        ("Clothing > Hoodies, Sale", "Hoodies"),
        ("Default Category/Gear/Bags,Default Category/Sale", "Bags"),
        ("Leggings/Tights", "Leggings/Tights"),
        ("Bags, Shoes", "Bags, Shoes"),
        ('{"name": "Mugs"}', "Mugs"),
        ('[{"id": 1, "name": "Home"}, {"id": 2, "name": "Mugs"}]', "Mugs"),
        ("[]", None),
        ("Home > ", "Home"),
    ],
)
def test_one_category_of_a_path_or_list(cell, category):
    assert one(cells.categories, cell) == category


@pytest.mark.parametrize(
    ("cell", "text"),
    [('["red", "kettle", null, 2]', "red kettle 2"), ("[2024]", "[2024]"), ("[NEW] Kettle", "[NEW] Kettle"),
     ("[]", ""), ('{"de": "Kanne"}', '{"de": "Kanne"}')],
)  # fmt: skip
def test_lists_of_words_are_words(cell, text):
    assert one(cells.joined, cell) == text


def test_a_price_of_amount_and_currency():
    assert one(cells.amounts, '{"amount": "5.00", "currency_code": "EUR"}') == "5.00 EUR"
    assert one(cells.amounts, '{"value": 5}') == "5"
    assert one(cells.amounts, "12,90 €") == "12,90 €"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("Salt &amp; Pepper", "Salt & Pepper"),
        ("Salt &amp;amp; Pepper", "Salt & Pepper"),
        ("<b>Red</b> <i>mug</i>", "Red mug"),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("Caf&eacute; &#8364;5", "Café €5"),
        ("x<script>alert(1)</script>y", "x y"),
        ("5 < 7 & 8 > 6", "5 < 7 & 8 > 6"),
        ("I <3 mugs", "I <3 mugs"),
    ],
)
def test_html_becomes_words(cell, text):
    assert one(cells.plain, cell) == text


def test_many_levels_of_brackets_do_no_harm():
    deep = "[" * 50_000 + "]" * 50_000
    assert one(cells.first_pictures, deep) == deep
