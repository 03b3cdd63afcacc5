"""The memory that a training is expected to take, against what it takes."""

import json
import mmap
import subprocess
import sys
from dataclasses import replace

import pytest

from viral.base.errors import DataError
from viral.data.inputs import ModelInputs
from viral.evaluation.ranking import BLOCK_BYTES
from viral.models.families.closed_form import check_dense
from viral.training.budget import COPIES, Budget, available_bytes, budget_of, resident_bytes, tell_sources
from worlds import random_world, small_model, two_tastes

GB = 10**9

TRAIN = """
import json, torch
from viral.training.budget import budget_of
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.data.vocabulary import Vocabulary
from viral.models import LightGCN
from viral.base.recipe import TrainConfig
from viral.base.memory import peak_memory_bytes
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


CLOSED_FORM = """
import json, re, sys, tempfile, torch
from pathlib import Path
from viral.run.bundle import Bundle
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.models import MODELS
def memory(field):  # ru_maxrss would be the peak of whoever started this process, where that is larger
    return 1024 * int(re.search(field + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
def whole_way(users, items):
    log = torch.arange(5 * users)
    train = Interactions(log % users, log * 7919 % items, users, items)
    features = {"text": torch.randn(items, 8, generator=torch.Generator().manual_seed(0))}
    names = Vocabulary(map(str, range(users)), "user"), Vocabulary(map(str, range(items)), "item")
    before = memory("VmRSS")
    model = MODELS[sys.argv[1]]
    scorer = model(ModelInputs(train, features), model.Config(**json.loads(sys.argv[2]))).scorer()
    with tempfile.TemporaryDirectory() as folder:
        Bundle(scorer, *names, ("",) * items, train, {}).save(Path(folder) / "b")
    scorer(torch.arange(min(users, 500)))
    return before
torch.set_num_threads(1)
whole_way(300, 200)  # what is loaded at its first use is no table
print(json.dumps([whole_way(3000, 5000), memory("VmHWM")]))
"""
TABLE = 4 * 5000**2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells in files")
@pytest.mark.parametrize(
    ("name", "config", "least", "most"),
    [
        ("ease", {}, 0.9, 1.6),  # the table itself, and a block
        ("easetext", {}, 0.9, 1.6),
        ("itemknn", {}, 0.0, 0.9),  # a handful of blocks, 0.5 to 0.81 by how memory is given back; never the table
        ("rp3beta", {}, 0.0, 0.9),
        ("contentknn", {"visual": None}, 0.0, 0.9),
    ],
)
def test_models_of_item_weights_take_what_their_guard_counts(name, config, least, most):
    arguments = [sys.executable, "-c", CLOSED_FORM, name, json.dumps(config)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    before, peak = json.loads(done.stdout)
    assert least * TABLE <= peak - before <= most * TABLE


def test_a_table_that_is_too_large_is_refused_and_a_large_one_is_told(capsys):
    check_dense(5000)
    assert capsys.readouterr().err == ""  # 100 MB
    check_dense(31_622)
    assert "4.00 GB to come for a matrix of 31,622 by 31,622 items" in capsys.readouterr().err
    with pytest.raises(DataError, match="31,623 items need a dense item-item matrix of 4 GB") as caught:
        check_dense(31_623)
    assert "lightgcn" in caught.value.hint


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


def test_a_model_that_would_read_content_says_that_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    world = two_tastes(8)
    bare = ModelInputs(world.split.train)
    for name, told in (("viral", True), ("lightgcn", False)):
        tell_sources(small_model(name, replace(world, inputs=bare)), bare)
        assert ("reads no content" in capsys.readouterr().err) is told


def test_what_is_read_is_named_with_what_made_it(capsys: pytest.CaptureFixture[str]) -> None:
    world = two_tastes(8)
    tell_sources(small_model("viral", world, sources=("text", "image")), world.inputs)
    said = capsys.readouterr().err
    assert "reads text (test), image (test); not description (it is not among the sources)" in said
