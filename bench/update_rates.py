"""``python -m bench.update_rates``: at which rate an update goes on best, on validation.

For every shop (planted, without pictures; the words of text and picture as noisy features of 40 dimensions) one item in
twenty and one interaction in twenty are left out, VIRAL is trained on what remains, and an update to the whole shop is
trained at several shares of the recipe's rate. Said is recall@20 on validation: of a full run, of the start, and of the
update when it waits for ``--patience`` evaluations; and the epochs of each. The test set is not looked at. Prints JSON.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from bench.update import without_some
from viral.bundle import Bundle
from viral.data import ModelInputs, Split
from viral.dataset import Dataset
from viral.demo.run import DEMO_RECIPES, DEMO_SHOP
from viral.encode.table import FeatureTable
from viral.information.validate import word_features
from viral.material import Material
from viral.models import MODELS
from viral.models.newcomers import unlinked
from viral.pipeline import load_split
from viral.recipe import build
from viral.shop import make_shop, make_world
from viral.training import build_model, fit, measure_valid
from viral.update.warm import axes_of, carry_over

NOISE = 0.3
RECIPE = DEMO_RECIPES["viral"]
MODEL = MODELS[RECIPE.model]


def main() -> None:
    """Measure every shop and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.update_rates", description=__doc__)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--shops", default="11,12,13", help="seeds, by commas")
    parser.add_argument("--rates", default="1,0.3,0.1", help="shares of the recipe's rate, by commas")
    parser.add_argument("--patience", default="3,20", help="evaluations, by commas")
    arguments = parser.parse_args()
    rates, waits = ([float(word) for word in words.split(",")] for words in (arguments.rates, arguments.patience))
    for shop in (int(word) for word in arguments.shops.split(",")):
        found = one_shop(shop, arguments.users, arguments.items, rates, [int(wait) for wait in waits])
        print(json.dumps(found), flush=True)


def one_shop(shop: int, users: int, items: int, rates: Sequence[float], waits: Sequence[int]) -> dict[str, Any]:
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
    config, train = build(MODEL.Config, RECIPE.config, where=""), replace(RECIPE.train, seed=shop)
    full = fit(build_model(MODEL, inputs, config, shop), parts, train)
    updates = []
    for rate in rates:
        model = build_model(MODEL, inputs, config, shop)
        axes = axes_of(MODEL, config, {name: x.shape[1] for name, x in inputs.features.items()})
        carry_over(model, axes, bundle, parts, inputs)
        start = measure_valid(model, parts)["recall@20"]
        slower = replace(train, learning_rate=rate * train.learning_rate, patience=max(waits))
        history = [record.valid["recall@20"] for record in fit(model, parts, slower).history]
        updates.append({"rate": rate, "start": start} | {f"patience {w}": stopped([start, *history], w) for w in waits})
    told = {"recall@20": full.best_value, "epochs": len(full.history)}
    return {"shop": shop, "full": told, "updates": updates}


def trained(old: Dataset, tables: Sequence[FeatureTable], seed: int) -> Bundle:
    """What a run on the old shop leaves for an update."""
    parts: Split = load_split(old)
    inputs = ModelInputs.of(parts, tables)
    config = build(MODEL.Config, RECIPE.config, where="")
    model: Any = build_model(MODEL, inputs, config, seed)
    fit(model, parts, replace(RECIPE.train, seed=seed))
    given = {name: inputs.given(name) for name in inputs.features}
    material = Material({}, inputs.features, given, {}, model.state_dict(), unlinked(model))
    about = {"recipe": {"model": RECIPE.model, "config": dict(RECIPE.config)}}
    titles = ("",) * len(parts.items)
    return Bundle(model.scorer(), parts.users, parts.items, titles, parts.train, about, material)


def stopped(values: Sequence[float], patience: int) -> dict[str, float]:
    """The best of start and epochs, when training ends after more than ``patience`` of them without a better epoch."""
    best, at = values[0], 0
    epochs = values[1:]
    leader = 0
    for epoch, value in enumerate(epochs):
        leader = epoch if value > epochs[leader] else leader
        best, at = (value, epoch + 1) if value > best else (best, at)
        if epoch - leader > patience:
            return {"recall@20": best, "best epoch": at, "epochs": epoch + 1}
    return {"recall@20": best, "best epoch": at, "epochs": len(epochs)}


if __name__ == "__main__":
    main()
