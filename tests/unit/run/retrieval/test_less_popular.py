"""What being popular costs in a list: as defined, in a rules file as on the command line, and measured as it ranks."""

from pathlib import Path

import pytest
import torch

from serving import bundle
from viral.base.errors import DataError, UsageError
from viral.evaluation import top_items
from viral.evaluation.exposure import LessPopular, above_average
from viral.run.retrieval import Retriever
from viral.run.retrieval.rules import Pin, Rules, Shift, read_rules


@pytest.fixture
def retriever() -> Retriever:
    return Retriever(bundle())


def test_lists_are_those_of_the_scores_that_are_measured(retriever: Retriever) -> None:
    made = retriever.bundle
    weight, popular = 0.7, above_average(made.seen)
    scores = LessPopular(made.scorer, popular, weight)
    users = torch.arange(len(made.users))
    changed = 0
    for user, best in zip(made.users.ids, torch.cat(list(top_items(scores, users, made.seen, 10))), strict=True):
        found = retriever.rank(retriever.profile(user), 10, rules=Rules(less_popular=weight))
        assert [one.item_id for one in found] == [made.items.ids[item] for item in best.tolist()]
        for one in found:
            assert one.score == pytest.approx(sum(one.parts.values()), abs=1e-5)
            assert ("rules" in one.parts) == bool(popular[made.items.index(one.item_id)])
        changed += [one.item_id for one in found] != [one.item_id for one in retriever.recommend(user, 10)]
    assert changed > 6


def test_beside_other_rules_both_add_up(retriever: Retriever) -> None:
    both = Rules(pins=(Pin("i20"),), shifts=(Shift(1.0, categories=("mug",)),), less_popular=0.5)
    raised, lowered = Rules(shifts=both.shifts), Rules(less_popular=0.5)
    scores = {}
    for name, rules in (("both", both), ("raised", raised), ("lowered", lowered), ("plain", Rules())):
        found = retriever.rank(retriever.profile("u3"), 30, rules=rules)
        scores[name] = {one.item_id: one.score for one in found}
        assert name != "both" or found[0].item_id == "i20"
    for item_id, score in scores["plain"].items():
        change = scores["raised"][item_id] + scores["lowered"][item_id] - 2 * score
        assert scores["both"][item_id] == pytest.approx(score + change, abs=1e-5)


def test_what_is_popular_is_not_lowered_where_it_is_asked_for(retriever: Retriever) -> None:
    rules = Rules(pins=(Pin("i25"),), less_popular=2.0)
    found, plain = retriever.popular(10, rules=rules), retriever.popular(9)
    assert [one.item_id for one in found] == ["i25", *(one.item_id for one in plain)]


def test_a_file_says_it(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    for text, penalty in (
        ("[popularity]\npenalty = 0.3", 0.3),
        ("[popularity]\npenalty = 1", 1.0),
        ("[popularity]", 0.0),
    ):
        file.write_text(text)
        assert read_rules(file) == Rules(less_popular=penalty) and bool(len(read_rules(file))) == bool(penalty)
    for text, what in (
        ("popularity = 0.3", "popularity is not a table"),
        ("[popularity]\npenalty = -1", "penalty = -1 cannot be used"),
        ("[popularity]\npenalty = nan", "penalty = nan"), ("[popularity]\npenalty = true", "penalty = True"),
        ("[popularity]\npenalty = 2.5", "penalty = 2.5"), ("[popularity]\npenality = 1", "unknown key 'penality'"),
    ):  # fmt: skip
        file.write_text(text)
        with pytest.raises(DataError, match=what):
            read_rules(file)
    with pytest.raises(UsageError, match="a penalty of -1 for popularity"):
        Rules(less_popular=-1)
