"""Which run a folder is of: all that a run depends on, as one key, and the folder that is claimed for it."""

from dataclasses import replace
from pathlib import Path

from viral.base.errors import DataError, UsageError
from viral.base.files import fingerprint, read_json, sha256_file, write_json
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.run.configuration import Configured, configured
from viral.run.summary import RUN_FILE
from viral.training.checkpoint import load_checkpoint

IDENTITY_FILE, RECIPE_FILE, CHECKPOINT_FILE = "identity.json", "recipe.toml", "checkpoint.safetensors"


def identity_of(dataset: Dataset, chosen: Configured, users: int | None = None, production: bool = False) -> str:
    """What a run depends on, as one key."""
    features = {path.name: sha256_file(path) for path in sorted(dataset.features_folder.glob("*.parquet"))}
    tables = {name: sha256_file(dataset.path / name) for name in dataset.manifest["hashes"]}  # the manifest may be old
    more = (*(() if users is None else (users,)), *(("production",) if production else ()))
    given = chosen.plain | {"config": dict(chosen.recipe.config)}  # without defaults, as always: old runs stay found
    return fingerprint(fingerprint(tables), features, given, *more)


def claim(dataset: Dataset, chosen: Configured, out: Path, users: int | None, production: bool) -> str:
    """Make ``out`` the folder of this run, or refuse when it is another's; returns what the run depends on."""
    identity = identity_of(dataset, chosen, users, production)
    if there := claimed_by(out):
        if there != identity and _with_another_cap(dataset, chosen, out, users, production) == there:
            write_json(out / IDENTITY_FILE, {"identity": identity})
            chosen.recipe.write(out / RECIPE_FILE)
        elif there != identity:
            raise UsageError(
                "this folder holds a run of another recipe, or of data that have changed since",
                where=str(out),
                hint="choose another --out, or delete the folder",
            )
    elif out.is_file() or (out.exists() and any(out.iterdir())):
        raise UsageError("the folder is not empty and holds no run", where=str(out), hint="choose another --out")
    else:
        write_json(out / IDENTITY_FILE, {"identity": identity})
    if not (out / RECIPE_FILE).is_file():
        chosen.recipe.write(out / RECIPE_FILE)
    return identity


def _with_another_cap(
    dataset: Dataset, chosen: Configured, out: Path, users: int | None, production: bool
) -> str | None:
    """The identity of the recipe with the cap on epochs that the folder's unfinished run has: a cap may be changed."""
    if (out / RUN_FILE).is_file() or not (out / RECIPE_FILE).is_file():
        return None
    cap = Recipe.read(out / RECIPE_FILE).train.max_epochs
    before = replace(chosen.recipe, train=replace(chosen.recipe.train, max_epochs=cap))
    return identity_of(dataset, configured(before), users, production)


def finished_here(recipe: Recipe, out: Path) -> Recipe:
    """The recipe with its cap at the epochs that the training under way in ``out`` has done: it ends with its result.

    Raises ``UsageError`` where none is.
    """
    if not (out / CHECKPOINT_FILE).is_file():
        hint = "a training that was stopped within its first ten seconds has left nothing to finish"
        raise UsageError("no training is under way there", where=str(out), hint=hint)
    epochs = len(load_checkpoint(out / CHECKPOINT_FILE)[1]["history"])
    return replace(recipe, train=replace(recipe.train, max_epochs=epochs))


def claimed_by(out: Path) -> str:
    """The identity of the run that a folder holds; the empty string where it holds none."""
    if not (out / IDENTITY_FILE).is_file():
        return ""
    found = read_json(out / IDENTITY_FILE)
    if not isinstance(found, dict) or not isinstance(found.get("identity"), str):
        raise DataError("damaged: it names no run", where=str(out / IDENTITY_FILE), hint="delete the run's folder")
    return found["identity"]
