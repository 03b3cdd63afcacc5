"""The demonstration's hops, in order; each is kept, so that a second run is done in seconds."""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from viral.base.errors import DataError
from viral.base.extras import require
from viral.base.progress import say
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.data.splitting import Split
from viral.encode import encode_dataset
from viral.enrich import LEDGER_FILE, Descriptions, Ledger, describer_named, enrich, load_prompt, save_descriptions
from viral.evaluation import Metrics, PairedTest, paired_test
from viral.evaluation.protocol import measure
from viral.lab.information.log_measures import InformationSettings
from viral.lab.information.run_information import information
from viral.lab.shop import ShopConfig, make_shop
from viral.lab.study.result_files import write_results
from viral.run.bundle import MANIFEST_FILE, Bundle
from viral.run.explain.information import FILE as INFORMATION_FILE
from viral.run.pipeline import BUNDLE_FOLDER, load_split, train

DEMO_SHOP = ShopConfig(users=200, items=300, interactions_per_user=8.0, liked=0.34, popularity=0.1)
_TRAIN = TrainConfig(batch_size=512)
DEMO_RECIPES = {
    "popularity": Recipe(model="popularity", train=_TRAIN),
    "lightgcn": Recipe(model="lightgcn", config={"num_layers": 3}, train=replace(_TRAIN, learning_rate=5e-3)),
    "viral-text-only": Recipe(model="viral", config={"sources": ("text",)}),
    # Its words, which name what was drawn, tell more of a drawn picture than features that were learnt on photographs.
    "viral": Recipe(model="viral", config={"sources": ("text", "description")}),
}


def run_demo(out: Path, *, seed: int = 0, shop: ShopConfig = DEMO_SHOP) -> dict[str, Any]:
    """Draw, describe, encode, train, compare, explain; leave the data set, a run per model and ``report.html``.

    ``seed`` is that of the shop and of the training. Returns the rows of the ranking, the paired test of VIRAL against
    LightGCN and where the report is. What is there from an earlier run with the same seed is used again.
    """
    require("pixel", "encode", "lab", purpose="the demonstration")
    from viral.apps.demo.demo_report import Shown, demo_report
    from viral.lab.report import write_report

    started = time.perf_counter()
    dataset = draw(out / "shop", replace(shop, seed=seed))
    descriptions = describe(dataset)
    encode_dataset(dataset, descriptions=descriptions)
    summaries, measured, parts = compare(dataset, out / "runs", seed)
    test = against(measured, "viral", "lightgcn")
    inform(dataset, out / "runs" / "viral")
    bundles = {name: Bundle.load(out / "runs" / name / BUNDLE_FOLDER) for name in DEMO_RECIPES}
    seconds = time.perf_counter() - started
    page = demo_report(Shown(dataset, descriptions, parts, summaries, measured, bundles, test), seed, seconds, out)
    path = write_report(out / "report.html", page)
    say(f"the whole demonstration took {time.perf_counter() - started:.0f} s")
    return {
        "models": {name: summary["metrics"] for name, summary in summaries.items()},
        "viral_against_lightgcn": asdict(test),
        "report": str(path),
        "user": parts.users.ids[0],
        "seconds": time.perf_counter() - started,
    }


def draw(path: Path, config: ShopConfig) -> Dataset:
    """The shop, drawn unless it is there with the same configuration."""
    try:
        dataset = Dataset.open(path)
    except DataError:
        return make_shop(path, config, overwrite=True)
    if dataset.manifest["source"]["options"] != make_options(config):
        return make_shop(path, config, overwrite=True)
    say("shop: unchanged")
    return dataset


def make_options(config: ShopConfig) -> dict[str, Any]:
    """A shop's configuration as its manifest has it."""
    return asdict(config)


def describe(dataset: Dataset, describer: str = "pixel", prompt: str = "title") -> Descriptions:
    """Descriptions of every picture, from the ledger where they are known."""
    with Ledger(dataset.path / LEDGER_FILE) as ledger:
        descriptions = enrich(dataset.catalog(), describer_named(describer), load_prompt(prompt), ledger)
    save_descriptions(descriptions, dataset.path)
    return descriptions


def compare(dataset: Dataset, runs: Path, seed: int) -> tuple[dict[str, Any], dict[str, Metrics], Split]:
    """Train every recipe; returns the summaries, the per-user test metrics and the split."""
    summaries: dict[str, Any] = {}
    measured: dict[str, Metrics] = {}
    parts = load_split(dataset)
    for name, recipe in DEMO_RECIPES.items():
        summaries[name] = train(dataset, replace(recipe, train=replace(recipe.train, seed=seed)), runs / name)
        measured[name] = measure(Bundle.load(runs / name / BUNDLE_FOLDER).scorer, parts)["train"]
    return summaries, measured, parts


def inform(dataset: Dataset, run: Path) -> None:
    """The information of title and picture about choices, kept in the run as ``viral information`` does, for the pages.

    It is measured once for a bundle. A shop that is too small for it is shown without.
    """
    file, manifest = run / INFORMATION_FILE, run / BUNDLE_FOLDER / MANIFEST_FILE
    if file.is_file() and file.stat().st_mtime_ns >= manifest.stat().st_mtime_ns:
        say("information: unchanged")
        return
    try:
        write_results(file, information(run, InformationSettings(), dataset=dataset.path))
    except DataError as error:
        say(f"information: not measured, {error.what}")


def against(measured: dict[str, Metrics], ours: str, theirs: str, metric: str = "recall@20") -> PairedTest:
    """Paired test per user of one model against another."""
    return paired_test(measured[ours].per_user[metric].numpy(), measured[theirs].per_user[metric].numpy())
