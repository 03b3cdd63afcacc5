"""Ranking metrics by hand and against the reference implementation (ir_measures)."""

import ir_measures
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, P, R, Success, nDCG

from viral.evaluation.metrics import METRICS, average_precision, hit_rate, ndcg, precision, recall

HITS = torch.tensor([[True, False, True, False], [False, False, False, False], [False, True, True, True]])
RELEVANT = torch.tensor([2, 1, 6])


def test_by_hand():
    discount = [1.0, 0.6309297535714575, 0.5, 0.43067655807339306]  # 1 / log2(rank + 1)
    ideal = [discount[0] + discount[1], 1.0, sum(discount)]
    assert recall(HITS, RELEVANT).tolist() == [1.0, 0.0, 0.5]
    assert precision(HITS, RELEVANT).tolist() == [0.5, 0.0, 0.75]
    assert hit_rate(HITS, RELEVANT).tolist() == [1.0, 0.0, 1.0]
    gains = [discount[0] + discount[2], 0.0, sum(discount[1:])]
    assert ndcg(HITS, RELEVANT).tolist() == pytest.approx([g / i for g, i in zip(gains, ideal, strict=True)], abs=1e-15)
    expected = [(1 + 2 / 3) / 2, 0.0, (1 / 2 + 2 / 3 + 3 / 4) / 6]
    assert average_precision(HITS, RELEVANT).tolist() == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_in_double_and_within_its_bounds(name):
    values = METRICS[name](HITS, RELEVANT)
    assert values.dtype == torch.float64
    assert values.shape == (3,) and (values >= 0).all() and (values <= 1).all()


@pytest.mark.parametrize("metric", [recall, precision, average_precision])
def test_a_third_is_a_third_in_full_precision(metric):
    assert metric(torch.tensor([[True, False, False]]), torch.tensor([3])).item() == pytest.approx(1 / 3, abs=1e-15)


@st.composite
def rankings(draw) -> tuple[int, list[tuple[list[int], set[int]]]]:
    """A cutoff, and for each user a ranking of some items and the set of relevant ones (any of the items)."""
    cutoff, num_items = draw(st.integers(1, 12)), 15
    users = draw(
        st.lists(
            st.tuples(
                st.permutations(range(num_items)).map(lambda order: list(order)[:cutoff]),
                st.sets(st.integers(0, num_items - 1), min_size=1),
            ),
            min_size=1,
            max_size=4,
        )
    )
    return cutoff, users


@given(rankings())
def test_the_reference_implementation_agrees(drawn):
    cutoff, users = drawn
    hits = torch.tensor([[item in relevant for item in order] for order, relevant in users])
    num_relevant = torch.tensor([len(relevant) for _, relevant in users])
    reference = {
        "recall": R @ cutoff,
        "ndcg": nDCG @ cutoff,
        "precision": P @ cutoff,
        "map": AP @ cutoff,
        "hit_rate": Success @ cutoff,
    }
    qrels = {str(u): {str(i): 1 for i in relevant} for u, (_, relevant) in enumerate(users)}
    run = {str(u): {str(i): float(-rank) for rank, i in enumerate(order)} for u, (order, _) in enumerate(users)}
    found = {(m.query_id, str(m.measure)): m.value for m in ir_measures.iter_calc(list(reference.values()), qrels, run)}
    assert set(reference) == set(METRICS)
    for name, measure in reference.items():
        expected = [found[str(u), str(measure)] for u in range(len(users))]
        assert METRICS[name](hits, num_relevant).tolist() == pytest.approx(expected, abs=1e-9), name
