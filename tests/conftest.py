"""What every test shares: one thread for each worker, and property tests that draw the same examples every time."""

import gc
import os
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

os.environ["VIRAL_TRACEBACK"] = "1"  # what nobody foresaw is to be seen in full here

settings.register_profile("viral", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("viral")

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No garbage is collected meanwhile: where a test goes to the limit of recursion, finalisers would have no room."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
