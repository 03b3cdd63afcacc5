"""What a model's parts add, and what a representation carries."""

import numpy as np
import pytest
import torch

from memories import memory_bundle, remembered_of
from viral.lab.information.branch_content import carried, contributions, probe, probes
from viral.models import EmbeddingScorer
from worlds import interactions

COUNT = 240


@pytest.fixture(scope="module")
def sources():
    """Sources that share one bit of three: the first column of both."""
    rng = np.random.default_rng(0)
    shared, text, visual = (rng.choice([-1.0, 1.0], size=(COUNT, n)) for n in (1, 2, 2))
    return np.hstack([shared, text]), np.hstack([shared, visual])


def test_a_branch_of_one_source_is_foretold_by_it_alone(sources):
    text, visual = sources
    found = carried(text[:, 1:], text, visual)
    assert found["text"] > 0.95 and found["visual"] < 0.05
    assert abs(found["either"]) < 0.1 and abs(found["interaction"]) < 0.05


def test_a_branch_of_what_both_tell_is_agreement(sources):
    text, visual = sources
    found = carried(np.outer(text[:, 0], [1.0, -2.0]), text, visual)
    assert found["either"] > 0.9 and abs(found["interaction"]) < 0.05


def test_a_branch_of_an_exclusive_or_is_interaction(sources):
    text, visual = sources
    found = carried(np.outer(text[:, 1] * visual[:, 1], [1.0, 0.5]), text, visual)
    assert found["interaction"] > 0.9 and found["linear"] < 0.05 and abs(found["either"]) < 0.1


def test_noise_is_foretold_by_nothing(sources):
    found = carried(np.random.default_rng(3).normal(size=(COUNT, 6)), *sources)
    assert max(found["text"], found["visual"], found["products"]) < 0.05


def test_probes_read_what_is_there(sources):
    text, _ = sources
    bits = (text > 0).astype(np.int64)
    there = probe(text, bits[:, 1])
    assert there["linear"] == there["nonlinear"] == 1.0
    assert 0.45 < there["chance"] < 0.6 and there["bits"] == pytest.approx(1.0, abs=0.05)
    hidden = probe(text, bits[:, 1] ^ bits[:, 2])
    assert hidden["linear"] < 0.65 < 0.95 < hidden["nonlinear"]
    absent = probe(text, np.random.default_rng(1).integers(0, 4, COUNT))
    assert max(absent["linear"], absent["nonlinear"]) < 0.4 and absent["bits"] < 0.05
    assert set(probes({"a": text}, {"bit": bits[:, 1]})["a"]["bit"]) == {"linear", "nonlinear", "chance", "bits"}


def test_a_memory_contributes_beside_the_vectors_parts():
    bundle = memory_bundle("sparse")
    found = contributions(bundle.scorer, bundle.seen)
    assert list(found) == ["text", "synergy", "unique_visual", "memory"]
    expected = remembered_of(bundle)[bundle.seen.users, bundle.seen.items].abs().mean()
    assert found["memory"]["mean_absolute"] == pytest.approx(float(expected), rel=1e-4)
    assert sum(part["share"] for part in found.values()) == pytest.approx(1)


def test_contributions_are_sizes_and_shares():
    users = torch.tensor([[1.0, 2.0], [1.0, -2.0]])
    items = torch.tensor([[3.0, 1.0], [-1.0, 0.0]])
    scorer = EmbeddingScorer(users, items, {"text": (0, 1), "synergy": (1, 2)})
    found = contributions(scorer, interactions([(0, 0), (1, 1)], 2, 2))
    assert found["text"] == {"mean_absolute": 2.0, "share": pytest.approx(2 / 3)}
    assert found["synergy"]["mean_absolute"] == 1.0
