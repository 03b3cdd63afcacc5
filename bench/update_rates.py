"""``python -m bench.update_rates``: at which rate and for how long an update goes on best.

For every shop (planted, without pictures; the words of text and picture as noisy features of 40 dimensions) one item in
twenty and one interaction in twenty are left out, VIRAL is trained on what remains, and an update to the whole shop is
trained at several shares of the recipe's rate. Said is recall@20 of a full run, and of the update before the first and
after every epoch, on validation and on the test part, of the parameters as that epoch left them and of their mean over
the last half of the epochs. These shops are for choosing only, so that their test part may be looked at;
``bench.update`` reports on another one. Validation alone could not choose: the run that an update starts
from was itself chosen on it. Prints one line of JSON a shop.
"""

import argparse
import functools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.update import without_some
from viral.apps.demo.steps import DEMO_RECIPES, DEMO_SHOP
from viral.data.dataset import Dataset
from viral.data.features import FeatureTable
from viral.data.inputs import ModelInputs
from viral.data.splitting import Split
from viral.evaluation.protocol import measure
from viral.lab.information.validate import word_features
from viral.lab.shop import make_shop, make_world
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.configuration import configured
from viral.run.pipeline import load_split
from viral.run.update.warm_start import axes_of, carry_over
from viral.training import EpochRecord, build_model, fit

NOISE = 0.3
MODEL, CONFIG, RECIPE = configured(DEMO_RECIPES["viral"])


def main() -> None:
    """Measure every shop and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.update_rates", description=__doc__)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--shops", default="11,12,13", help="seeds, by commas")
    parser.add_argument("--rates", default="1,0.3,0.1", help="shares of the recipe's rate, by commas")
    parser.add_argument("--epochs", type=int, default=12)
    arguments = parser.parse_args()
    rates = [float(word) for word in arguments.rates.split(",")]
    for shop in (int(word) for word in arguments.shops.split(",")):
        print(json.dumps(one_shop(shop, arguments.users, arguments.items, rates, arguments.epochs)), flush=True)


def one_shop(shop: int, users: int, items: int, rates: Sequence[float], epochs: int) -> dict[str, Any]:
    """The full run and the updates of one shop, which is the seed of all."""
    folder = Path(mkdtemp(prefix="viral-rates-"))
    settings = replace(DEMO_SHOP, users=users, items=items, seed=shop, pictures=False)
    new = make_shop(folder / "new", settings)
    (new.path / "images").mkdir(exist_ok=True)
    old = without_some(new, folder / "old")
    made = word_features(make_world(settings), NOISE, shop)
    ids = new.catalog().ids
    tables = [
        FeatureTable(ids, name, x.astype(np.float32), "words")
        for name, x in zip(("text", "description"), made, strict=True)
    ]
    bundle = trained(old, tables, shop)
    parts = load_split(new)
    inputs = ModelInputs.of(parts, tables)
    train = replace(RECIPE.train, seed=shop)
    full: Any = build_model(MODEL, inputs, CONFIG, shop)
    told = {"epochs": len(fit(full, parts, train).history), **recalls(full, parts)}
    updates = []
    for rate in rates:
        model: Any = build_model(MODEL, inputs, CONFIG, shop)
        axes = axes_of(MODEL, CONFIG, {name: x.shape[1] for name, x in inputs.features.items()})
        carry_over(model, axes, bundle, parts, inputs)
        found, means, states = [recalls(model, parts)], [recalls(model, parts)], []
        slower = replace(train, learning_rate=rate * train.learning_rate, max_epochs=epochs, patience=epochs)
        fit(model, parts, slower, on_epoch=functools.partial(after, model, parts, found, means, states))
        told_of = {"": found, "mean ": means}
        updates.append({"rate": rate} | {f"{k}{n}": [one[n] for one in of] for k, of in told_of.items() for n in of[0]})
    return {"shop": shop, "full": told, "updates": updates}


def after(
    model: Any,
    parts: Split,
    found: list[dict[str, float]],
    means: list[dict[str, float]],
    states: list[dict[str, Tensor]],
    record: EpochRecord,
) -> None:
    """Measure the model as an epoch has left it, and by the mean of what the last half of the epochs left."""
    state = {name: value.clone() for name, value in model.state_dict().items()}
    states.append(state)
    found.append(recalls(model, parts))
    half = states[len(states) // 2 :]
    model.load_state_dict({name: torch.stack([one[name] for one in half]).mean(dim=0) for name in state})
    means.append(recalls(model, parts))
    model.load_state_dict(state)


def recalls(model: Any, parts: Split) -> dict[str, float]:
    """Recall@20 on validation and on the test part."""
    return {part: measure(model.scorer(), parts, name=part)["train"].mean()["recall@20"] for part in ("valid", "test")}


def trained(old: Dataset, tables: Sequence[FeatureTable], seed: int) -> Bundle:
    """What a run on the old shop leaves for an update."""
    parts: Split = load_split(old)
    inputs = ModelInputs.of(parts, tables)
    model: Any = build_model(MODEL, inputs, CONFIG, seed)
    fit(model, parts, replace(RECIPE.train, seed=seed))
    given = {name: inputs.given(name) for name in inputs.features}
    material = Material({}, inputs.features, given, {}, model.state_dict(), model.unlinked())
    about = {"recipe": {"model": RECIPE.model, "config": dict(RECIPE.config)}}
    titles = ("",) * len(parts.items)
    return Bundle(model.scorer(), parts.users, parts.items, titles, parts.train, about, material)


if __name__ == "__main__":
    main()
