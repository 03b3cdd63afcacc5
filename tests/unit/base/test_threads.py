"""How threads wait and how many there are: what is set before torch is loaded, what follows from the size alone."""

import json
import os
import subprocess
import sys

import pytest
import torch

from viral.base import threads
from viral.base.threads import NUMBER_ASKED, SMALL, WAITING, WAITING_ASKED, threads_for

TELL = "import json, os, sys, {}; print(json.dumps([dict(os.environ), sorted(sys.modules)]))"


def program(code: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in (*WAITING_ASKED, *NUMBER_ASKED)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean | environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("module", ["viral", "viral.apps.cli", "viral.base.errors"])
def test_waiting_is_set_before_torch_is_loaded(module):
    environment, modules = json.loads(program(TELL.format(module)))
    assert {name: environment[name] for name in WAITING} == WAITING
    assert "torch" not in modules


@pytest.mark.parametrize("name", WAITING_ASKED)
def test_what_the_user_says_of_waiting_stays(name):
    environment, _ = json.loads(program(TELL.format("viral"), **{name: "7"}))
    assert {key: environment.get(key) for key in WAITING_ASKED} == dict.fromkeys(WAITING_ASKED) | {name: "7"}


NUMBERS = """
import viral, torch
from viral.base.threads import SMALL, threads_for
{}
found = []
for size in (SMALL - 1, SMALL):
    with threads_for(size) as number:
        assert torch.get_num_threads() == number
        found.append(number)
print(found, torch.get_num_threads())
"""


def test_small_tables_have_one_thread_and_large_ones_all():
    own = int(program("import torch; print(torch.get_num_threads())"))
    assert program(NUMBERS.format("")).strip() == f"[1, {own}] {own}"


@pytest.mark.parametrize("name", NUMBER_ASKED)
def test_the_users_number_of_threads_stays(name):
    asked = program("import torch; print(torch.get_num_threads())", **{name: "2"}).strip()
    assert program(NUMBERS.format(""), **{name: "2"}).strip() == f"[{asked}, {asked}] {asked}"


def test_a_number_that_the_program_set_stays():
    assert program(NUMBERS.format("torch.set_num_threads(61)")).strip() == "[61, 61] 61"


def test_a_workers_share_is_not_the_users_word():
    """It is told to the process when the package is loaded already, as ``viral.base.parallel`` does."""
    code = "import os, viral; os.environ['OMP_NUM_THREADS'] = '2'\n" + NUMBERS.format("")
    assert program(code).strip() == "[1, 2] 2"


def test_the_number_is_as_before_after_a_failure(monkeypatch):
    monkeypatch.setattr(threads, "_asked_for", lambda number: False)
    before = torch.get_num_threads()
    with pytest.raises(KeyError), threads_for(SMALL - 1):
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_where_the_system_tells_no_siblings_each_processor_is_a_core(monkeypatch):
    monkeypatch.setattr(threads, "SIBLINGS", "/nowhere/{}")
    monkeypatch.setattr(threads, "_number_was_asked", False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert not threads._asked_for(os.cpu_count())
    assert threads._asked_for(61)
