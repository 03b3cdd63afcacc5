"""Rules of a shop: what they change in a list, and files that cannot be used."""

from collections import Counter
from pathlib import Path

import pytest

from serving import bundle
from viral.base.errors import DataError
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.retrieval import Filters, Retriever
from viral.run.retrieval.rules import Pin, Rules, Shift, read_rules

WHOLE = """
[[pin]]
item_id = "i20"
[[pin]]
item_id = "i21"
position = 4
[[boost]]
categories = ["mug"]
by = 0.5
[[boost]]
brands = ["Ado"]
[[bury]]
item_ids = ["i7", "i8"]
by = 3
[diversity]
max_per_category = 2
"""


@pytest.fixture
def retriever() -> Retriever:
    return Retriever(bundle())


def ids(found: list) -> list[str]:
    return [one.item_id for one in found]


def kinds(found: list) -> Counter[str]:
    return Counter(one.title.split()[0] for one in found)


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("\ufeff" + WHOLE.replace("\n", "\r\n"), encoding="utf-8")
    rules = read_rules(file)
    assert rules.pins == (Pin("i20", 1), Pin("i21", 4)) and rules.max_per_category == 2
    assert rules.shifts == (
        Shift(0.5, categories=("mug",)), Shift(1.0, brands=("Ado",)), Shift(-3.0, item_ids=("i7", "i8"))
    )  # fmt: skip
    file.write_text("")
    assert not read_rules(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[pin]]\nitem = 'i1'", "[[pin]] number 1: unknown key 'item'"),
        ("[[pin]]", "item_id is not text in quotes"),
        ("[[pin]]\nitem_id = 7", "item_id is not text in quotes"),
        ("[[pin]]\nitem_id = ''", "item_id is not text in quotes"),
        ("[[pin]]\nitem_id = 'a'\nposition = 0", "position = 0 is no place"),
        ("[[pin]]\nitem_id = 'a'\nposition = true", "position = True is no place"),
        ("[[pin]]\nitem_id = 'a'\nposition = 1.5", "position = 1.5"),
        ("[[pin]]\nitem_id = 'a'\nposition = 1_001", "position = 1001"),
        ("[[pin]]\nitem_id = 'a'\n[[pin]]\nitem_id = 'a'\nposition = 2", "item 'a' is pinned twice"),
        ("[pin]\nitem_id = 'a'", "write [[pin]] above each rule"),
        ("[[boost]]\nitem_ids = ['a']\nby = nan", "[[boost]] number 1: by = nan"),
        ("[[boost]]\nitem_ids = ['a']\nby = inf", "by = inf"),
        ("[[boost]]\nitem_ids = ['a']\nby = -1", "[[bury]] lowers"),
        ("[[boost]]\nitem_ids = ['a']\nby = 0", "by = 0 "),
        ("[[boost]]\nitem_ids = ['a']\nby = '2'", "by = '2'"),
        ("[[boost]]\nitem_ids = ['a']\nby = 101", "by = 101"),
        ("[[boost]]\nitem_ids = ['a']\n[[boost]]\nby = 1", "[[boost]] number 2: the rule is for no item"),
        ("[[bury]]\ncategories = 'mug'", 'categories = ["…", "…"]'),
        ("[[bury]]\ncategories = []", "the rule is for no item"),
        ("[[bury]]\ncategory = ['mug']", "did you mean categories"),
        ("[[raise]]\nitem_ids = ['a']", "unknown key 'raise'"),
        ("[diversity]\nmax_per_category = 0", "max_per_category = 0"),
        ("[diversity]\nmax_per_category = 2.0", "max_per_category = 2.0"),
        ("[[diversity]]\nmax_per_category = 2", "diversity is not a table"),
        ("[diversity]\nmax = 2", "unknown key 'max'"),
        ("a = " + "[" * 5000, "not a TOML file"),
        ("[[pin]\n", "not a TOML file"),
        ("#" * 1_000_001, "longer than 1,000,000 bytes"),
        ("[[pin]]\nitem_id = '\x00'", "not a TOML file"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_rules(file)
    assert told in str(caught.value) and str(file) in caught.value.where and caught.value.hint


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"# \xff")
    for name, told in (("none", "no such file"), ("latin", "not text in UTF-8"), (".", "not a TOML file")):
        with pytest.raises(DataError, match=told):
            read_rules(tmp_path / name)


def test_pins_take_their_places(retriever: Retriever) -> None:
    plain = ids(retriever.recommend("u5", 10))
    rules = Rules((Pin("i20", 1), Pin("i21", 4)))
    found = retriever.rank(retriever.profile("u5"), 10, rules=rules)
    rest = [one for one in plain if one not in ("i20", "i21")]
    assert ids(found) == (["i20", *rest[:2], "i21", *rest[2:]])[:10]
    assert [one.rank for one in found if one.pinned] == [1, 4] and [one.rank for one in found] == list(range(1, 11))
    assert found[0].score == pytest.approx(sum(retriever.profile("u5").split(20).values()), abs=1e-6)
    assert sum(found[0].parts.values()) == pytest.approx(found[0].score, abs=1e-5)


def test_pins_that_must_not_be_shown_are_not(retriever: Retriever) -> None:
    taste = retriever.profile("u5")  # who has i5
    rules = Rules((Pin("i5"), Pin("i20"), Pin("gone", 1), Pin("i21", 1)))
    assert ids(retriever.rank(taste, 3, rules=rules))[:2] == ["i20", "i21"]  # both at the first free place
    assert ids(retriever.rank(taste, 3, rules=rules, exclude_seen=False))[:3] == ["i5", "i20", "i21"]
    lamps = retriever.rank(taste, 3, rules=rules, filters=Filters(categories=["lamp"]))
    assert set(kinds(lamps)) == {"lamp"} and not lamps[0].pinned
    stocked = retriever.rank(taste, 3, rules=rules, filters=Filters(in_stock=lambda item_id: item_id != "i20"))
    assert ids(stocked)[0] == "i21" and "i20" not in ids(stocked)


def test_boosted_items_rise_and_buried_ones_fall(retriever: Retriever) -> None:
    taste = retriever.profile("u5")
    plain, spread = taste.scores(), float(taste.scores().std(correction=0))
    rules = Rules((), (Shift(100.0, categories=("vase",)), Shift(-100.0, ("i0", "i3")), Shift(1.0, ("i2",))))
    found = retriever.rank(taste, 30, rules=rules)
    vases = [one for one in found if one.title.startswith("vase")]
    assert found[: len(vases)] == vases and set(ids(found)[-2:]) == {"i0", "i3"}
    for one in found:
        assert sum(one.parts.values()) == pytest.approx(one.score, abs=1e-3)
    two = next(one for one in found if one.item_id == "i2")
    assert two.parts["rules"] == pytest.approx(101 * spread, rel=1e-5)
    assert two.score == pytest.approx(float(plain[2]) + 101 * spread, rel=1e-4)
    lamp = next(one for one in found if one.title.startswith("lamp"))
    assert "rules" not in lamp.parts


def test_so_many_of_a_category_at_most(retriever: Retriever) -> None:
    taste = retriever.profile("u5")
    rules = Rules(max_per_category=2)
    found = retriever.rank(taste, 6, rules=rules)
    assert set(kinds(found).values()) == {2}
    order = ids(retriever.rank(taste, 30))
    assert [one for one in order if one in ids(found)] == ids(found)  # by score all the same
    assert len(retriever.rank(taste, 10, rules=rules)) == 6  # there are but three categories
    assert ids(retriever.rank(taste, 2, rules=rules)) == order[:2]
    pinned = retriever.rank(taste, 6, rules=Rules((Pin("i21"), Pin("i24", 2), Pin("i27", 3)), (), 2))
    assert kinds(pinned)["mug"] == 3 and all(one.pinned for one in pinned[:3])  # pins are wanted; no further mug
    only = retriever.rank(taste, 9, rules=rules, filters=Filters(categories=["mug"]))
    assert len(only) == 9  # the page of one category
    both = retriever.rank(taste, 9, rules=rules, filters=Filters(categories=["mug", "vase"]))
    assert kinds(both) == {"mug": 2, "vase": 2}


def test_what_nobody_knows_is_told(retriever: Retriever) -> None:
    rules = Rules((Pin("nobody's"),), (Shift(1.0, ("i1", "x"), ("mug", "car"), ("Ado",)),), 3)
    assert retriever.applied(rules).unknown == ('item "nobody\'s"', "item 'x'", "category 'car'", "brand 'Ado'")
    assert retriever.applied(rules) is retriever.applied(rules)
    made = retriever.bundle
    bare = Retriever(Bundle(made.scorer, made.users, made.items, made.titles, made.seen, {}, Material()))
    assert bare.applied(Rules(max_per_category=1)).unknown == (
        "max_per_category, as the run's items have no categories",
    )
    assert len(bare.rank(bare.profile("u1"), 20, rules=Rules(max_per_category=1))) == 20
