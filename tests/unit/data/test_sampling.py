"""Training triplets."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from viral.base.errors import DataError
from viral.data.interactions import Triplets
from viral.data.sampling import TripletSampler, contains
from worlds import interactions, random_world

TRAIN = random_world(20, 30, 0.3, seed=8).split.train


def epoch(sampler: TripletSampler, seed: int = 0, batch_size: int = 16) -> list[Triplets]:
    return list(sampler.epoch(batch_size, torch.Generator().manual_seed(seed)))


def column(batches: list[Triplets], name: str) -> list[int]:
    return torch.cat([getattr(batch, name) for batch in batches]).tolist()


def test_every_interaction_comes_once_and_the_last_batch_is_kept():
    sampler = TripletSampler(TRAIN)
    batches = epoch(sampler)
    positives = sorted(zip(column(batches, "users"), column(batches, "positives"), strict=True))
    assert positives == sorted(zip(TRAIN.users.tolist(), TRAIN.items.tolist(), strict=True))
    assert len(sampler) == len(TRAIN) and len(TRAIN) % 16
    assert [len(batch) for batch in batches] == [16] * (len(TRAIN) // 16) + [len(TRAIN) % 16]


def test_the_order_is_shuffled():
    users = column(epoch(TripletSampler(TRAIN)), "users")
    assert users != TRAIN.users.tolist() and sorted(users) == TRAIN.users.tolist()


def test_the_seed_decides():
    sampler = TripletSampler(TRAIN)
    one, same, other = (epoch(sampler, seed) for seed in (1, 1, 2))
    for name in ("users", "positives", "negatives"):
        assert column(one, name) == column(same, name) != column(other, name)


def test_the_next_epoch_is_another_one():
    sampler, rng = TripletSampler(TRAIN), torch.Generator().manual_seed(0)
    first, second = (list(sampler.epoch(1000, rng)) for _ in range(2))
    assert column(first, "negatives") != column(second, "negatives")


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=25, unique=True), st.integers(0, 99)
)
def test_a_negative_is_a_training_item_outside_the_history(pairs, seed):
    train = interactions(pairs, 5, 8)  # item 7 never occurs
    candidates = {item for _, item in pairs}
    history = {user: {i for u, i in pairs if u == user} for user, _ in pairs}
    if all(history[user] == candidates for user in history):
        with pytest.raises(DataError, match="no negative item"):
            TripletSampler(train)
        return
    batches = epoch(TripletSampler(train), seed)
    for user, negative in zip(column(batches, "users"), column(batches, "negatives"), strict=True):
        assert negative in candidates - history[user]


def test_negatives_are_uniform_over_what_is_left():
    others = [(1, 1), (1, 2), (1, 3), (1, 4)] + [(2, i) for i in range(5)]
    train = interactions([(0, 0)] * 8000 + others, 3, 6)
    (batch,) = epoch(TripletSampler(train), batch_size=10_000)
    counts = torch.bincount(batch.negatives[batch.users == 0], minlength=6)
    assert counts[0] == 0 and counts[5] == 0  # in the history; never in training
    chi_square = ((counts[1:5] - 2000) ** 2 / 2000).sum().item()
    assert chi_square < 16.3  # the 0.999 quantile with three degrees of freedom


def test_a_user_with_every_item_is_left_out_and_counted():
    train = interactions([(0, 0), (0, 1), (0, 2), (1, 1), (0, 2)], 2, 4)
    sampler = TripletSampler(train)
    assert sampler.num_skipped == 4  # every row of user 0, the repeated one too
    batches = epoch(sampler)
    assert column(batches, "users") == [1] and column(batches, "positives") == [1]
    assert column(batches, "negatives")[0] in (0, 2)


def test_a_user_with_one_item_left_gets_it():
    train = interactions([(0, i) for i in range(50)] + [(1, 50)], 2, 51)
    batches = epoch(TripletSampler(train))
    negatives = [n for u, n in zip(column(batches, "users"), column(batches, "negatives"), strict=True) if u == 0]
    assert negatives == [50] * 50


def test_nothing_to_train_on():
    with pytest.raises(DataError, match="no training interaction"):
        TripletSampler(interactions([], 3, 3))


@given(st.sets(st.integers(0, 30)), st.lists(st.integers(0, 35), min_size=1))
def test_contains(members, values):
    ascending = torch.tensor(sorted(members), dtype=torch.int64)
    assert contains(ascending, torch.tensor(values)).tolist() == [value in members for value in values]
