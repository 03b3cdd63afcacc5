"""The planted shop that the browser tests look at: drawn, described, encoded, trained, compared and taken apart."""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from viral.apps.demo.steps import describe
from viral.base.files import atomic_write
from viral.base.recipe import Recipe, TrainConfig
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import Dataset
from viral.encode import encode_dataset
from viral.lab.shop import ShopConfig, make_shop
from viral.lab.study import ablate, compare
from viral.run.pipeline import train

SHOP = ShopConfig(users=40, items=28, interactions_per_user=8.0, liked=0.34, image_size=128, seed=3)
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)> ' {{7*7}} {% raw %}",
    "\u202eمرحبا \u05e9\u05dc\u05d5\u05dd \u2066 evil",
    "🦊👩‍👩‍👧‍👦 " + "long title " * 9000,
)
_TRAIN = TrainConfig(batch_size=256, max_epochs=2, learning_rate=5e-3)
_VIRAL = {"crossmodal_dim": 16, "embedding_dim": 16, "hidden_dim": 16}
VIRAL = Recipe(model="viral", config=_VIRAL, train=_TRAIN)
PUBLISHED = Recipe(model="viral", config={**_VIRAL, "variant": "light"}, train=_TRAIN)
LIGHTGCN = Recipe(model="lightgcn", train=_TRAIN)
POPULARITY = Recipe(model="popularity", train=_TRAIN)


@dataclass(frozen=True)
class Planted:
    """Where everything is."""

    dataset: Path
    run: Path
    lost: str  # the item whose picture is gone
    experiments: tuple[Path, ...]


def plant_shop(folder: Path) -> Planted:
    """The shop and its run; the first items have hostile titles, one has lost its picture."""
    dataset = make_shop(folder / "shop", SHOP)
    lost = harm(dataset.path)
    encode_dataset(dataset, descriptions=describe(dataset))
    run = folder / "runs" / "viral"
    train(dataset, VIRAL, run)
    return Planted(dataset.path, run, lost, ())


def plant(folder: Path) -> Planted:
    """The same, with studies of it and a run of another model."""
    planted = plant_shop(folder)
    dataset, other = Dataset.open(planted.dataset), folder / "runs" / "lightgcn"
    train(dataset, LIGHTGCN, other)
    comparison, ablation = folder / "comparison", folder / "ablation"
    recipes = {"popularity": POPULARITY, "lightgcn": LIGHTGCN, "viral": VIRAL}
    compare(dataset, recipes, comparison, seeds=(0, 1), command="viral compare shop --models popularity,lightgcn,viral")
    ablate(dataset, ablation, base=PUBLISHED, seeds=(0,), studies=["modalities"], command="viral ablate shop")
    return replace(planted, experiments=(comparison, ablation, other))


def harm(dataset: Path) -> str:
    """Write the hostile titles into the catalogue, and lose a picture; returns whose."""
    file = dataset / ITEMS_FILE
    items = pl.read_parquet(file)
    titles = [*HOSTILE, *items["title"].to_list()[len(HOSTILE) :]]
    with atomic_write(file) as temporary:
        items.with_columns(pl.Series("title", titles)).write_parquet(temporary)
    (dataset / items["image"][len(HOSTILE)]).unlink()
    return str(items["item_id"][len(HOSTILE)])
