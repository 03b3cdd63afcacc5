"""Do the estimators find what was planted? ``python -m viral.lab.information.validate`` (about three minutes, no
pictures).

Worlds of different weights are generated, choices drawn, features made of the attributes' words, the estimators run as
on any data, and the share of each kind is ranked over the worlds against the exact truth and the planted weights.
Two grids: ``random`` (weights uniform on the simplex) and ``one_sided`` (as random, but in every world only one of the
two unique kinds). They differ because BROJA calls equal unique amounts in text and picture redundant: in ``random``
worlds its own exact truth does not rank as planted, and no estimator of it can.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.data.vocabulary import Vocabulary
from viral.lab.information.decomposition import PARTS, FloatArray, IntArray, Parts
from viral.lab.information.log_measures import InformationSettings, by_scores, score_pairs
from viral.lab.information.planted_truth import planted_truth
from viral.lab.shop.choices import choose
from viral.lab.shop.config import KINDS, ShopConfig
from viral.lab.shop.world import COLOURS, ORIGINS, PATTERNS, TAGS, THINGS, World, make_world

Features = tuple[FloatArray, FloatArray]
DEFINITIONS = ("broja", "common")
GRIDS = ("random", "one_sided")
RESOLUTION = 2  # decimals of a share that rank: below one in a hundred, sampling noise would rank true zeros
CELLS = 16


@dataclass(frozen=True, kw_only=True)
class ValidationGrid:
    """Size of a validation."""

    worlds: int = 12
    users: int = 2000
    items: int = 600
    interactions_per_user: float = 20.0
    noise: float = 0.05  # standard deviation of a feature, beside one-hot attributes of length one
    seed: int = 5


@dataclass(frozen=True, slots=True, eq=False)
class EstimatedWorld:
    """One world: its weights, the truth and the estimate."""

    weights: tuple[float, ...]
    truth: dict[str, Parts]
    estimate: dict[str, Parts]


def weights(kind: str, grid: ValidationGrid) -> FloatArray:
    """The planted weights of every world: (worlds, 4), rows summing to one."""
    rng = np.random.default_rng(grid.seed)
    drawn = rng.dirichlet(np.ones(4), size=grid.worlds)
    if kind == "one_sided":
        drawn[np.arange(grid.worlds), 1 + np.arange(grid.worlds) % 2] = 0.0
        drawn /= drawn.sum(axis=1, keepdims=True)
    return drawn


def word_features(world: World, noise: float, seed: int, dim: int = 40) -> Features:
    """The attributes of the words and those of the picture, one-hot, turned at random into (I, 40) and made noisy."""
    rng = np.random.default_rng([seed, 77])
    told = ([world.colour, world.origin, world.text_bit], [world.colour, world.pattern, world.picture_bit])
    sizes = ([len(COLOURS), len(ORIGINS), 2], [len(COLOURS), len(PATTERNS), len(TAGS)])
    found = []
    for attributes, counts in zip(told, sizes, strict=True):
        words = [world.thing, *attributes]
        hot = np.hstack([np.eye(n)[a] for n, a in zip([len(THINGS), *counts], words, strict=True)])
        turn, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
        found.append(hot @ turn[: hot.shape[1]] + noise * rng.standard_normal((len(hot), dim)))
    return found[0], found[1]


def split_choices(users: IntArray, items: IntArray, world: World, config: ShopConfig) -> Split:
    """Choices as a split: a tenth each for validation and test, at random."""
    rng = np.random.default_rng([config.seed, 79])
    part = rng.choice(3, size=len(users), p=[0.8, 0.1, 0.1])
    names = [str(n) for n in range(config.users)], [str(n) for n in range(config.items)]

    def of(number: int) -> Interactions:
        kept = part == number
        return Interactions(torch.tensor(users[kept]), torch.tensor(items[kept]), config.users, config.items)

    return Split(of(0), of(1), of(2), Vocabulary(names[0], "user"), Vocabulary(names[1], "item"))


def world_of(share: FloatArray, grid: ValidationGrid, number: int) -> tuple[World, Split, ShopConfig]:
    """One world of a grid, with its choices."""
    planted: dict[str, Any] = {kind: float(weight) for kind, weight in zip(KINDS, share, strict=True)}
    planted |= {"users": grid.users, "items": grid.items, "interactions_per_user": grid.interactions_per_user}
    config = ShopConfig(**planted, pictures=False, seed=1000 * grid.seed + number)
    world = make_world(config)
    return world, split_choices(*choose(world, config), world, config), config


def run_grid(
    kind: str, grid: ValidationGrid, features: Callable[[World, float, int], Features] = word_features
) -> list[EstimatedWorld]:
    """Estimate every world of a grid by scores, at 16 cells, against uniform negatives."""
    found = []
    settings = InformationSettings(clusters=(CELLS,), bootstrap=0)
    for number, share in enumerate(weights(kind, grid)):
        world, split, config = world_of(share, grid, number)
        scored = score_pairs(split, features(world, grid.noise, config.seed), config.seed, ("uniform",))["uniform"]
        estimate = by_scores(scored, settings)[CELLS]
        if isinstance(estimate, str):
            raise ValueError(estimate)
        truth = planted_truth(world)
        parts = {name: estimate.parts(name) for name in DEFINITIONS}
        found.append(EstimatedWorld(tuple(share.tolist()), {n: getattr(truth, n) for n in DEFINITIONS}, parts))
    return found


def agreement(found: list[EstimatedWorld]) -> dict[str, dict[str, list[float]]]:
    """Spearman's rank correlation over the worlds, by definition, for each kind in the order of ``PARTS``.

    ``truth``: estimated against true shares; ``weights``: against planted weights; ``ceiling``: true shares against
    planted weights, more than which no estimator can be expected to reach.
    """
    planted = np.array([world.weights for world in found])
    result = {}
    for definition in DEFINITIONS:
        estimated, true = (
            np.array([list(getattr(world, side)[definition].shares().values()) for world in found])
            for side in ("estimate", "truth")
        )
        result[definition] = {
            "truth": _spearman(estimated, true),
            "weights": _spearman(estimated, planted),
            "ceiling": _spearman(true, planted),
        }
    return result


def _spearman(a: FloatArray, b: FloatArray) -> list[float]:
    from scipy.stats import spearmanr

    a, b = np.round(a, RESOLUTION), np.round(b, RESOLUTION)
    return [float(spearmanr(a[:, column], b[:, column])[0]) for column in range(a.shape[1])]


def main() -> dict[str, Any]:
    """Run both grids and return, with the worlds, how well they rank."""
    document: dict[str, Any] = {"kinds": list(PARTS)}
    for kind in GRIDS:
        found = run_grid(kind, ValidationGrid())
        worlds = [
            {
                "weights": world.weights,
                **{f"{n}_truth": list(p.shares().values()) for n, p in world.truth.items()},
                **{f"{n}_estimate": list(p.shares().values()) for n, p in world.estimate.items()},
            }
            for world in found
        ]
        document[kind] = {"spearman": agreement(found), "worlds": worlds}
    return document


if __name__ == "__main__":
    import json
    import sys

    json.dump(main(), sys.stdout, indent=1)
