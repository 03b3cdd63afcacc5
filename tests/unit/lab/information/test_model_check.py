"""What VIRAL's branches hold, as a claim of the documentation that can fail."""

import numpy as np
import pytest

from viral.lab.information.model_check import SMALL, inspect, trained
from viral.lab.information.validate import word_features, world_of


@pytest.mark.slow
def test_the_aligned_synergy_is_a_sum_of_the_sources_and_the_interaction_is_none():
    world, split, config = world_of(np.array([0.0, 0.0, 0.0, 1.0]), SMALL, 0)
    features = word_features(world, SMALL.noise, config.seed)
    found = {}
    for kind in ("aligned", "interaction"):
        found[kind] = inspect(trained(split, features, kind, epochs=30), split, world, features)
        assert sum(part["share"] for part in found[kind]["parts"].values()) == pytest.approx(1.0)
    aligned, interaction = (found[kind]["carried"]["synergy"] for kind in ("aligned", "interaction"))
    assert aligned["linear"] > 0.9 and aligned["interaction"] < 0.05
    assert interaction["linear"] < 0.05 < interaction["interaction"]
    colour, xor = (found["interaction"]["probes"]["synergy"][name]["linear"] for name in ("colour", "xor"))
    assert colour < 0.25 and xor > 0.8
