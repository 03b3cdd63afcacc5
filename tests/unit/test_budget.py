"""The memory that a training is expected to take, against what it takes."""

import json
import mmap
import subprocess
import sys
from dataclasses import replace

import pytest

from viral.budget import COPIES, Budget, available_bytes, budget_of, resident_bytes
from viral.evaluation.ranking import BLOCK_BYTES
from worlds import random_world, small_model

GB = 10**9

TRAIN = """
import json, torch
from viral.budget import budget_of
from viral.data import Interactions, ModelInputs, Split, Vocabulary
from viral.models import LightGCN
from viral.recipe import TrainConfig
from viral.memory import peak_memory_bytes
from viral.training import build_model, fit
users, items = 150_000, 50
def part(start, step):
    of = torch.arange(start, users, step)
    return Interactions(of, (of + start) % items, users, items)
split = Split(part(0, 10), part(1, 1000), part(2, 1000), Vocabulary(map(str, range(users)), "user"),
              Vocabulary(map(str, range(items)), "item"))
model = build_model(LightGCN, ModelInputs(split.train), LightGCN.Config(num_layers=1), 0)
budget = budget_of(model)
fit(model, split, TrainConfig(max_epochs=1, batch_size=100_000))
print(json.dumps([budget.resident, budget.training, peak_memory_bytes()]))
"""


def test_what_follows_from_the_sizes_is_counted():
    model = small_model("lightgcn", random_world(30, 20, 0.2, seed=0))
    budget = budget_of(model)
    table = 50 * model.config.embedding_dim * 4
    assert (budget.training, budget.ranking) == (COPIES * table, table + BLOCK_BYTES)
    assert budget.expected == budget.resident + budget.training + budget.ranking
    assert budget_of(small_model("popularity", random_world(30, 20, 0.2, seed=0))).training == 0


def test_a_training_takes_what_was_expected_at_least():
    done = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True, check=True)
    resident, training, peak = json.loads(done.stdout)
    assert training > 150_000_000
    assert resident + training <= peak <= resident + 8 * training  # steps and ranking hold more: of that order


def test_it_is_told_and_too_little_is_warned_of(capsys):
    budget = Budget(GB, 2 * GB, GB, 4 * GB)
    budget.tell()
    said = capsys.readouterr().err
    assert "1.00 GB in use, 2.00 GB to come for training and 1.00 GB for ranking: 4.00 GB at least; 4.00 GB to" in said
    assert "more than there is" not in said
    replace(budget, available=2 * GB).tell()
    assert "more than there is" in capsys.readouterr().err
    replace(budget, available=None).tell()
    assert "spare" not in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells in files")
def test_what_the_system_tells():
    before = resident_bytes()
    with mmap.mmap(-1, 100_000_000) as held:  # fresh pages, where malloc might have kept some of an earlier test
        held[::4096] = b"1" * len(held[::4096])
        assert resident_bytes() - before > 90_000_000
    assert resident_bytes() < (available_bytes() or 0) + resident_bytes() < 10**15
