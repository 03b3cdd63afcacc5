"""What VIRAL's own parts contain in planted worlds: ``python -m viral.lab.information.model_check`` (two minutes).

VIRAL is trained on worlds whose features are the attributes' words (no pictures), once with the published synergy,
whose loss aligns its two directions, and once with the one that multiplies the sources. For each world: the size of the
parts of the score beside the true information, what the synergy and redundancy representations (before any graph) are
predicted from, and which attributes are read from them.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from viral.base.recipe import TrainConfig
from viral.data.inputs import ModelInputs
from viral.data.splitting import Split
from viral.lab.information.branch_content import carried, contributions, probes
from viral.lab.information.decomposition import PARTS, FloatArray, IntArray
from viral.lab.information.planted_truth import planted_truth
from viral.lab.information.validate import Features, ValidationGrid, word_features, world_of
from viral.lab.shop.world import World
from viral.models.viral.paper import VIRAL, VIRALConfig
from viral.training import build_model, fit

SMALL = ValidationGrid(users=600, items=300, interactions_per_user=20.0)
WORLDS: Mapping[str, tuple[float, float, float, float]] = {
    "all four": (0.25, 0.25, 0.25, 0.25),
    "redundant": (1.0, 0.0, 0.0, 0.0),
    "synergistic": (0.0, 0.0, 0.0, 1.0),
}
KINDS = ("aligned", "interaction")


def attributes(world: World) -> dict[str, IntArray]:
    """What a representation may hold of an item, by name (I,)."""
    named = {"colour": world.colour, "origin": world.origin, "pattern": world.pattern, "xor": world.xor}
    return named | {"text_bit": world.text_bit, "picture_bit": world.picture_bit}


def trained(split: Split, features: Features, kind: str, *, epochs: int, seed: int = 0) -> VIRAL:
    """VIRAL with one kind of synergy, trained on a world's log."""
    text, visual = (torch.from_numpy(x).float() for x in features)
    inputs = ModelInputs(split.train, {"text": text, "description": visual})
    config = VIRALConfig(synergy=kind, embedding_dim=32, crossmodal_dim=64, hidden_dim=256)  # type: ignore[arg-type]
    model = build_model(VIRAL, inputs, config, seed)
    fit(model, split, TrainConfig(max_epochs=epochs, patience=10, batch_size=1024, learning_rate=3e-3, seed=seed))
    return model


def inspect(model: VIRAL, split: Split, world: World, features: Features) -> dict[str, Any]:
    """The model's parts over held-out choices, and what its representations are made of and hold."""
    with torch.no_grad():
        made, _ = model.decompose()
    held: dict[str, FloatArray] = {
        name: made[name].double().numpy() for name in ("synergy", "redundant") if name in made
    }
    return {
        "parts": contributions(model.scorer(), split.valid.union(split.test)),
        "carried": {name: carried(values, *features) for name, values in held.items()},
        "probes": probes(held, attributes(world)),
    }


def main(grid: ValidationGrid = SMALL, epochs: int = 30) -> dict[str, Any]:
    """Every world with both kinds of synergy."""
    document: dict[str, Any] = {"kinds": list(PARTS)}
    for name, share in WORLDS.items():
        world, split, config = world_of(np.array(share), grid, 0)
        features = word_features(world, grid.noise, config.seed)
        found = {kind: inspect(trained(split, features, kind, epochs=epochs), split, world, features) for kind in KINDS}
        document[name] = {"truth": asdict(planted_truth(world)), **found}
    return document


if __name__ == "__main__":
    import json
    import sys

    json.dump(main(), sys.stdout, indent=1)
