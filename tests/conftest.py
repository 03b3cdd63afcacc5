"""What every test shares: one thread for each worker, and property tests that draw the same examples every time."""

import os

import torch
from hypothesis import settings

settings.register_profile("viral", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("viral")

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)
