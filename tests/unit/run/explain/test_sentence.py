"""The sentence: faithful to the explanation, readable, and safe with anybody's titles."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from memories import memory_bundle
from serving import bundle as shop_bundle
from viral.base.language import using
from viral.data.vocabulary import Vocabulary
from viral.models import EmbeddingScorer
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.explain import Evidence, Explanation, because, explain, popular
from viral.run.retrieval import FoldIn, Retriever
from worlds import interactions

TOPS = [("Simpson top", "Vest top", "Black"), ("Ada", "Vest top", "Black"), ("Eve", "Vest top", "Black"),
        ("Red one", "Vest top", "Red"), ("Mug", "Mug", ""), ("Oak shelf", "Furniture", "Brown"),
        ("Pine shelf", "Furniture", "Brown"), ("Dress", "Clothing > Women > Dress", "Blue"),
        ("Gown", "Clothing > Women > Dress", "Blue"), ("", "", "")]  # fmt: skip


def bundle(rows: Sequence[tuple[str, str, str]] = TOPS, **about: Any) -> Bundle:
    """Items 0 … of these titles, categories and colours; u took 0 and 1, v took 1, w nothing."""
    count = len(rows)
    titles, categories, colours = zip(*rows, strict=True)
    people = Vocabulary(["u", "v", "w"], "user"), Vocabulary([str(n) for n in range(count)], "item")
    vectors = EmbeddingScorer(torch.ones(3, 2), torch.ones(count, 2))
    seen = interactions([(0, 0), (0, 1), (1, 1)], 3, count)
    return Bundle(vectors, *people, titles, seen, about, Material({"category": categories, "colour": colours}))


def told(
    shares: Mapping[int, float], *, item: int = 9, score: float = 1.0, rows: Any = TOPS, **given: Any
) -> Explanation:
    evidence = tuple(Evidence(str(n), rows[n][0], share) for n, share in shares.items())
    made = {"user_id": "u", "parts": {"score": score}, "seen": False, "taken": len(shares), "history": 0.5, **given}
    return Explanation(item_id=str(item), title="", score=score, rank=1, num_items=8, evidence=evidence, **made)


def said(shares: Mapping[int, float], **given: Any) -> str:
    return because(told(shares, **given), bundle())


def test_one_item() -> None:
    assert said({0: 0.7}) == "Because they chose “Simpson top”: it carries 70 % of the score."


def test_two_items_are_both_named() -> None:
    assert (
        said({0: 0.4, 4: 0.2}) == "Because they chose “Simpson top” and “Mug”: together they carry 60 % of the score."
    )


@pytest.mark.parametrize(
    ("shares", "items"),
    [
        ({0: 0.3, 1: 0.2, 2: 0.2}, "“Simpson top” and two other black vest tops"),
        ({0: 0.3, 1: 0.2, 3: 0.2}, "“Simpson top” and two other vest tops"),
        ({4: 0.3, 1: 0.2, 2: 0.2}, "“Mug” and two black vest tops"),
        ({0: 0.3, 5: 0.2, 6: 0.2}, "“Simpson top” and two brown items in furniture"),
        ({0: 0.3, 7: 0.2, 8: 0.2}, "“Simpson top” and two blue dresses"),
        ({0: 0.3, 4: 0.2, 5: 0.2}, "“Simpson top”, “Mug” and “Oak shelf”"),
        ({0: 0.3, 4: 0.2, 5: 0.1, 7: 0.1}, "“Simpson top”, “Mug” and two more"),
        ({0: 0.3, 9: 0.2}, "“Simpson top” and “9”"),
    ],
)
def test_many_are_named_by_what_they_have_in_common(shares: dict[int, float], items: str) -> None:
    assert said(shares).startswith(f"Because they chose {items}: together they carry ")


def test_what_adds_little_is_not_named_and_not_in_the_share() -> None:
    assert said({0: 0.6, 1: 0.1, 2: 0.1}) == "Because they chose “Simpson top”: it carries 60 % of the score."


def test_a_taste_that_no_item_accounts_for() -> None:
    whole = "Because of their taste as a whole"
    assert said({0: 0.1}) == f"{whole}; of what they chose, most is said for it by “Simpson top”: 10 % of the score."
    assert said({0: 0.001}).endswith(": under 1 % of the score.")
    assert said({}, taken=3) == f"{whole}: no single item that they chose speaks for it."


def test_what_speaks_against_it_is_not_hidden() -> None:
    assert said({0: 1.001}) == said({0: 1.0}) == "Because they chose “Simpson top”: it carries the whole score."
    assert said({0: 1.2}).endswith(": it carries more than the whole score, for something else speaks against it.")
    against = "Of what they chose, most is said for it by “Simpson top”, but more speaks against it."
    assert said({0: 0.1}, score=-0.4) == against
    assert said({}, score=-0.4, taken=2) == "Nothing that they chose speaks for it."


def test_an_item_that_they_have_already() -> None:
    assert said({9: 0.9}, seen=True) == "They chose it already."
    assert (
        said({9: 0.9, 0: 0.8}, seen=True) == "They chose it already; of the rest, most is said for it by “Simpson top”."
    )


def test_without_a_history() -> None:
    assert said({}, item=1, history=0.0) == "Nothing is known yet of what they like; two people chose it."
    assert said({}, item=5, history=0.0) == "Nothing is known yet of what they like; no people chose it."
    assert popular(bundle(), "0") == "Because it is popular: one person chose it."


def test_popularity_names_no_history() -> None:
    """The scores are the same for everybody, so that no item of a history is why."""
    made = replace(bundle(), scorer=EmbeddingScorer(torch.ones(3, 1), torch.rand(10, 1)))
    found = because(explain(made, "u", "9", fold_in=FoldIn.of(made)), made)
    assert found == "Because it is popular: no people chose it."


@pytest.mark.parametrize(
    ("parts", "end"),
    [
        ({"text": 0.6, "taste": 0.4}, ", and what counts most is its text."),
        ({"unique_image": 0.6, "taste": 0.4}, ", and what counts most is how it looks."),
        ({"taste": 0.4, "text": 0.3, "synergy": 0.3}, "score."),
        ({"text": 1.6, "taste": -0.6}, "score."),  # which is no share of the score
    ],
)
def test_what_counts_most_is_said_where_it_is_half_of_the_score(parts: dict[str, float], end: str) -> None:
    assert said({0: 0.7}, parts=parts).endswith(end)


def test_the_memory_says_what_goes_together() -> None:
    parts = {"text": 0.2, "memory": 0.8}
    assert said({0: 0.7}, parts=parts).startswith(
        "Because they chose “Simpson top”, which often goes with it: it carries"
    )
    assert ", which often go with it: together they carry" in said({0: 0.4, 4: 0.3}, parts=parts)


@pytest.mark.parametrize(
    ("kind", "verb"), [("purchase", "bought"), ("view", "looked at"), ("", "chose"), ("x", "chose")]
)
def test_bought_is_said_where_the_log_says_so(kind: str, verb: str) -> None:
    assert because(told({0: 0.7}), bundle(deed=kind)).startswith(f"Because they {verb} “Simpson top”: ")


def test_somebody_new_has_just_looked_at_something() -> None:
    made = shop_bundle()
    retriever = Retriever(made)
    found = explain(made, retriever.new_user(["i3", "i4"]), "i9", fold_in=retriever.fold_in)
    assert (found.user_id, found.taken, found.seen) == ("", 2, False)
    assert "have just looked at" in because(found, made)


def test_titles_are_text_on_one_line_and_short() -> None:
    kind = ("A\x1b]0;x\x07", "\u202e")
    rows = [("\x1b[31mred\x07\u202e\nlines " + "very " * 40, *kind), ("B", *kind), ("C", *kind), *TOPS]
    found = because(told({0: 0.3, 1: 0.3, 2: 0.3}, rows=rows), bundle(rows))
    assert not set(found) & set("\x1b\x07\u202e\n") and len(found) < 200
    assert found.startswith("Because they chose “[31mred lines very") and "…”, “B” and “C”" in found
    same = because(told({0: 0.3, 1: 0.3}, rows=[TOPS[0]] * 10), bundle([TOPS[0]] * 10))
    assert same == "Because they chose two items called “Simpson top”: together they carry 60 % of the score."


def test_titles_that_begin_alike_are_told_apart_by_their_ends() -> None:
    long = "HATCHBOX PLA 3D Printer Filament, Dimensional Accuracy +/- 0.03 mm, 1 kg Spool, 1.75 mm, "
    rows = [(long + "White", "", ""), (long + "Yellow", "", ""), *TOPS]
    found = because(told({0: 0.4, 1: 0.3}, rows=rows), bundle(rows))
    names = re.findall("“(.*?)”", found)
    assert names == [
        "HATCHBOX PLA 3D Printer Filament… 1.75 mm, White",
        "HATCHBOX PLA 3D Printer Filament… 1.75 mm, Yellow",
    ]


def test_per_cent_signs_in_titles_are_no_places_to_fill() -> None:
    rows = [("50 % off %(items)s %s", "100% wool", "%d")] * 10
    found = because(told({0: 0.3, 1: 0.2, 2: 0.2}, rows=rows), bundle(rows))
    assert found.startswith("Because they chose “50 % off %(items)s %s” and two other %d 100% wool: ")


def test_a_title_cannot_end_its_quotes() -> None:
    rows = [("A”: it carries the whole score. “", "", "")] * 10
    found = because(told({0: 0.3}, rows=rows), bundle(rows))
    assert found == "Because they chose “A’: it carries the whole score. ‘”: it carries 30 % of the score."


def test_in_chinese() -> None:
    with using("zh"):
        assert (
            said({0: 0.3, 1: 0.2, 2: 0.2})
            == "因为用户选择过“Simpson top”和另外 2 件“Black Vest top”类商品，占得分的 70%。"
        )
        every = [said({}), said({}, taken=3), said({0: 0.1}), said({0: 1.2}), said({0: 0.1}, score=-1.0),
                 said({0: 0.7}), said({9: 1.0}, seen=True), said({0: 0.4, 4: 0.3}, parts={"memory": 1.0}),
                 popular(bundle(), "1"), said({0: 0.9}, parts={"image": 0.9}), said({0: 0.9}, user_id="")]  # fmt: skip
    for sentence in every:
        assert not re.search(r"[a-z]{3}", re.sub("“.*?”", "", sentence)), sentence


def test_it_names_only_what_carries_the_score() -> None:
    """On scores with a memory: every name is of the evidence, and the share is theirs of the score."""
    made = memory_bundle("dense")
    fold_in, checked = FoldIn.of(made), 0
    for user in (0, 3, 5, 8, 11):
        for one in Retriever(made).recommend(f"u{user}", 5):
            found = explain(made, f"u{user}", one.item_id, fold_in=fold_in)
            sentence = because(found, made)
            shares = {each.title: each.share for each in found.evidence}
            names = re.findall("“(.*?)”", sentence)
            assert names and set(names) <= set(shares) and names[0] == found.evidence[0].title
            share = re.search(r"carr(?:y|ies) (\d+) %", sentence)
            if share and " more" not in sentence and " other " not in sentence and not re.search(r"two c\d", sentence):
                checked += 1
                assert abs(sum(shares[name] for name in names) / found.score - int(share[1]) / 100) <= 0.005
    assert checked > 3
