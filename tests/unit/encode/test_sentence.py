"""The sentence encoder: it knows meanings, its batches do not matter, and it asks no network."""

import subprocess
import sys

import numpy as np
import pytest

from viral.encode import SentenceEncoder

TEXTS = [
    "cat",
    "kitten",
    "car",
    "",
    "A red ceramic mug with a striped pattern, seen from the side. " * 12,
    "红色的杯子",
    "it",
    "A wooden toy train for children of three years and up, in four colours.",
]


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder()


def test_vectors_are_384_floats_of_length_one(encoder):
    values = encoder.encode(TEXTS)
    assert values.shape == (len(TEXTS), 384) and values.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, 384)


def test_near_in_meaning_is_near(encoder):
    cat, kitten, car = encoder.encode(["cat", "kitten", "car"])
    assert cat @ kitten > cat @ car + 0.1
    mug, cup, train = encoder.encode(["a red coffee mug", "a crimson tea cup", "a wooden toy train"])
    assert mug @ cup > mug @ train + 0.1


def test_neighbours_and_order_do_not_matter(encoder):
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    many = [f"number {n} " * (n % 9 + 1) for n in range(40)] + TEXTS  # several batches
    np.testing.assert_allclose(encoder.encode(many)[40:], together, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1])[::-1], together, atol=1e-5)


def test_the_name_says_which_weights(encoder):
    assert encoder.name == "all-MiniLM-L6-v2/gt-0.1.0"


OFFLINE = """
import os, socket, sys

def refuse(*arguments, **options):
    raise AssertionError(f"asked the network: {arguments}")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
before = dict(os.environ)
import viral.encode
heavy = {"torch", "sentence_transformers", "transformers", "polars", "PIL"} & set(sys.modules)
assert not heavy, heavy
print(viral.encode.SentenceEncoder().encode(["a mug"]).shape)
assert dict(os.environ).keys() - before.keys() <= {"KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK"}
"""


def test_loaded_late_without_a_network_a_bar_or_a_trace_in_the_environment():
    done = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "(1, 384)", done.stderr
    assert "Loading" not in done.stderr
