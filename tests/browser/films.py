"""Real films with their posters, as ``viral import movielens`` reads them: described, encoded, trained and compared."""

from pathlib import Path

from browser.planted import Planted
from viral.apps.demo.steps import describe
from viral.base.recipe import Recipe, TrainConfig
from viral.data.catalog import Item
from viral.data.importers import import_movielens
from viral.encode import encode_dataset
from viral.lab.study import compare
from viral.run.pipeline import train

SOURCE = Path(__file__).parents[2] / "../shared/data/movielens-posters"
CORE = 32  # the most popular 141 of the films: all 1,395 would take minutes to describe
_TRAIN = TrainConfig(batch_size=1024, max_epochs=4, learning_rate=5e-3)
_SMALL = {"crossmodal_dim": 16, "embedding_dim": 16, "hidden_dim": 16, "variant": "redu2"}
VIRAL = Recipe(model="viral", config=_SMALL, train=_TRAIN)
POPULARITY = Recipe(model="popularity", train=_TRAIN)


def make_films(folder: Path) -> Planted:
    """Build everything below ``folder``; no film has lost its poster."""
    dataset = import_movielens(SOURCE, folder / "films", core=CORE)
    encode_dataset(dataset, descriptions=describe(dataset))
    run, study = folder / "runs" / "viral", folder / "comparison"
    train(dataset, VIRAL, run)
    recipes = {"popularity": POPULARITY, "viral": VIRAL}
    compare(dataset, recipes, study, seeds=(0,), command="viral compare films --models popularity,viral")
    return Planted(dataset.path, run, "no such film", (study, run))


def unknown_poster(known: tuple[Item, ...]) -> Path:
    """A poster of a film that is not in the catalogue."""
    ids = {item.id for item in known}
    return next(file for file in sorted((SOURCE / "posters").glob("*.jpg")) if file.stem not in ids)
