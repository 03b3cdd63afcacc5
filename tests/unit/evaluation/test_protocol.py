"""What is masked when a part is ranked, and how metrics are told."""

import pytest

from viral.base.errors import UsageError
from viral.data.preconditions import LACKS
from viral.evaluation import evaluate
from viral.evaluation.protocol import PROTOCOLS, measure, measure_valid, report_metrics
from worlds import World, small_model, two_tastes


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(16, cold=True)


def test_the_second_protocol_hides_validation_too(world):
    parts = world.split
    scorer = small_model("ease", world).scorer()
    measured = measure(scorer, parts)
    hidden = evaluate(scorer, parts.test, parts.train.union(parts.valid))
    assert measured["train+valid"].mean() == hidden.mean()
    assert measured["train"].mean() == evaluate(scorer, parts.test, parts.train).mean() != hidden.mean()
    assert measure(scorer, parts, name="valid").keys() == {"train"}


def test_an_unknown_split_is_refused(world):
    with pytest.raises(UsageError, match="unknown split 'tset'"):
        measure(None, world.split, name="tset")


def test_the_training_part_is_ranked_with_nothing_masked(world):
    scorer = small_model("ease", world).scorer()
    assert measure(scorer, world.split, name="train").keys() == {"none"}


def test_early_stopping_sees_validation_alone(world):
    scorer, parts = small_model("ease", world).scorer(), world.split
    found = measure_valid(scorer, parts)
    assert found == {name: measure(scorer, parts, name="valid")["train"].mean()[name] for name in found}
    assert {"recall@20", "ndcg@20"} <= found.keys()


def test_metrics_are_told_with_what_was_masked(world):
    measured = measure(small_model("ease", world).scorer(), world.split)
    told = report_metrics(measured, "test", mask=PROTOCOLS[1])
    assert told["masked"] == "train+valid" and told["metrics"] == told["protocols"]["train+valid"]
    assert report_metrics({"train": measured["train"]}, "valid", mask="train+valid")["masked"] == "train"
    nothing = report_metrics({}, "test", mask="train")
    assert nothing["metrics"] == {} and nothing["unmeasured"] == LACKS["test"] and nothing["users"] == 0
