"""What is measured on: the published Baby split where it is there, else a generated log of its size."""

import argparse
from pathlib import Path
from tempfile import mkdtemp

import torch

from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.data.vocabulary import Vocabulary

BABY = Path(__file__).parents[2] / "shared" / "data" / "amazon-baby"


def load(arguments: argparse.Namespace) -> tuple[str, Split, ModelInputs]:
    """A name, a split and inputs without features."""
    folder = arguments.baby or BABY
    if folder.is_dir():
        from viral.data.importers import IMPORTERS
        from viral.run.pipeline import load_split

        dataset = IMPORTERS["mmrec"](folder, Path(mkdtemp(prefix="viral-bench-")) / "baby")
        parts = load_split(dataset)
        return "amazon-baby", parts, ModelInputs.of(parts)
    parts = generated()
    return "generated, Baby's size (amazon-baby is not here)", parts, ModelInputs.of(parts)


def generated(users: int = 19_445, items: int = 7_050, interactions: int = 160_792, seed: int = 0) -> Split:
    """A log whose item popularity falls off as in the real one."""
    rng = torch.Generator().manual_seed(seed)
    popularity = 1 / torch.arange(1, items + 1).float() ** 0.7
    user = torch.randint(users, (2 * interactions,), generator=rng)
    item = torch.multinomial(popularity, 2 * interactions, replacement=True, generator=rng)
    keys = torch.unique(user * items + item)
    keys = keys[torch.randperm(len(keys), generator=rng)[:interactions]]
    part = torch.rand(len(keys), generator=rng)

    def interactions_of(chosen: torch.Tensor) -> Interactions:
        return Interactions(keys[chosen] // items, keys[chosen] % items, users, items)

    ids = (Vocabulary(map(str, range(users)), "user"), Vocabulary(map(str, range(items)), "item"))
    train, valid, test = part < 0.74, (part >= 0.74) & (part < 0.87), part >= 0.87
    return Split(interactions_of(train), interactions_of(valid), interactions_of(test), *ids)
