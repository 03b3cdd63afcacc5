"""Training from Python: a model by name, class or recipe becomes a run."""

from pathlib import Path
from typing import Any

from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.models.base import Recommender
from viral.run.configuration import recipe_for
from viral.run.dataset import as_dataset
from viral.run.pipeline import train as train_into
from viral.run.trained_run import Run


def train(
    dataset: Dataset | Path | str,
    model: str | type[Recommender[Any]] | Recipe = "viral",
    out: Path | str = "runs/viral",
    *,
    seed: int | None = None,
    users: int | None = None,
    device: str = "cpu",
    production: bool = False,
    chosen_by: Path | str | None = None,
    replace: bool = False,
    **settings: Any,
) -> Run:
    """Train a model and leave a run in ``out``; a finished one is opened, a stopped one goes on.

    ``model`` is a name, a class of your own, ``"package.module:Class"`` or a recipe; ``settings`` are fields of its
    configuration or of the training, such as ``num_layers=2`` and ``max_epochs=50``. The rest is that of
    :func:`viral.run.pipeline.train`; with ``replace`` the run takes the place of one of other data or recipe.
    """
    seeded = settings if seed is None else settings | {"train.seed": seed}
    chosen = None if chosen_by is None else Path(chosen_by)
    recipe, target = recipe_for(model, seeded), Path(out)
    more: dict[str, Any] = {"device": device, "production": production, "chosen_by": chosen, "anew": replace}
    train_into(as_dataset(dataset), recipe, target, users=users, **more)
    return Run(target)
