"""The steps from files to a served page, each with its command and whether it is done."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from viral.apps.up.estimate import Size, seconds, size_of
from viral.apps.up.places import Places
from viral.base.errors import DataError, UsageError
from viral.base.recipe import Recipe
from viral.data.catalog import ITEMS_FILE, read_parquet
from viral.data.dataset import FEATURES_FOLDER, Dataset
from viral.data.descriptions import Descriptions, all_descriptions
from viral.run.configuration import configured, refuse_foreign
from viral.run.identity import RECIPE_FILE, identity_of
from viral.run.summary import read_summary

State = Literal["done", "to do", "skipped"]
PIXEL = "pixel"
# Above this share of new interactions a run is trained afresh. An update was measured to be as good as a training in
# full with 5 % new (docs/retrieval.md); twice that is taken to be near enough.
MOST_NEW = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """One command. ``why`` says more of its state."""

    name: str
    words: tuple[str, ...]  # of the command, without the program's name
    state: State
    why: str = ""
    seconds: float | None = None  # roughly; None where it is done, or never ends

    @property
    def command(self) -> str:
        """As it can be typed."""
        return shlex.join(("viral", *self.words))


def plan(places: Places) -> tuple[Step, ...]:
    """The steps as things stand: the way ahead may change with what is found, so it is made anew after each."""
    if not places.source.exists():
        raise UsageError("no such file or folder", where=str(places.source), hint="name the folder of your files")
    size = size_of(places.source, places.opened)
    steps = (_import(places, size), _doctor(places, size), _enrich(places, size), _encode(places, size))
    ahead = any(step.state == "to do" for step in steps)
    return (*steps, _train(places, size, ahead), _serve(places))


def finished(steps: Sequence[Step]) -> bool:
    """Whether only the serving is left."""
    return all(step.state != "to do" or step.name == "serve" for step in steps)


def _step(name: str, words: Sequence[object], size: Size, *, done: bool, why: str = "", cost: str = "") -> Step:
    texts = tuple(map(str, words))
    if done:
        return Step(name, texts, "done", why)
    return Step(name, texts, "to do", why, seconds(cost or name, size))


def _import(places: Places, size: Size) -> Step:
    words: list[object] = ["import", "table", places.source, places.dataset]
    if places.opened is None:
        return _step("import", words, size, done=False)
    done = places.imported
    why = "" if done else "the files have changed: what is new is added"
    return _step("import", [*words, "--append"], size, done=done, why=why)


def _doctor(places: Places, size: Size) -> Step:
    return _step("doctor", ["doctor", places.dataset], size, done=places.imported and places.done("doctor"))


def _enrich(places: Places, size: Size) -> Step:
    words = ("enrich", str(places.dataset))
    if not (size.pictures if places.opened is None or not places.imported else _pictures(places.opened)):
        return Step("enrich", words, "skipped", "there are no pictures")
    others = [one for one in _sets(places.opened) if not one.imported and one.describer.partition("/")[0] != PIXEL]
    if others:
        name, prompt = others[0].describer.partition("/")[0], others[0].prompt
        own = f"viral enrich {shlex.quote(str(places.dataset))} --describer {name} --prompt {prompt} --set …"
        return Step("enrich", words, "skipped", f"{name} describes here: new pictures by {own}")
    return _step("enrich", words, size, done=places.imported and places.done("enrich"))


def _encode(places: Places, size: Size) -> Step:
    words = ["encode", str(places.dataset)]
    sets = [one for one in _sets(places.opened) if one.texts]
    if len(sets) > 1:  # the command has to say which; what somebody asked a describer for goes before the pixels
        chosen = next((one for one in sets if one.describer.partition("/")[0] != PIXEL), sets[0])
        words += ["--describer", chosen.describer.partition("/")[0], "--prompt", chosen.prompt]
    ready = places.imported and _enrich(places, size).state != "to do"
    return _step("encode", words, size, done=ready and places.done("encode"))


def _train(places: Places, size: Size, ahead: bool) -> Step:
    fresh = ["train", places.dataset, "--model", _model(places), "--out", places.run]
    if not places.trained:
        return _step("train", fresh, size, done=False)
    if not ahead and (places.done("train") or _is_of(places)):
        return _step("train", fresh, size, done=True)
    share = places.grown()
    if share > MOST_NEW:
        why = f"{share:.0%} of the interactions are new: training in full"
        return _step("train", _anew(places), size, done=False, why=why)
    update = ["update", places.run, places.dataset, "--out", places.run]
    return _step("train", update, size, done=False, why="the run goes on from what has changed", cost="update")


def _anew(places: Places) -> list[object]:
    """Training by the run's own recipe, in its place."""
    more = ["--production"] if read_summary(places.run).get("production") else []
    return ["train", places.dataset, "--recipe", places.run / RECIPE_FILE, *more, "--out", places.run, "--replace"]


def _model(places: Places) -> str:
    """VIRAL where there is anything to read, else a model of interactions alone."""
    if places.opened is None or any((places.dataset / FEATURES_FOLDER).glob("*.parquet")):
        return "viral"
    frame = read_parquet(places.dataset / ITEMS_FILE).select("title", "text", "image").fill_null("")
    return "viral" if frame.select(pl.any_horizontal(pl.all() != "").any()).item() else "lightgcn"


def _is_of(places: Places) -> bool:
    """Whether the run is what training by its recipe on the data as they are would leave, by whatever command."""
    summary, recipe = read_summary(places.run), places.run / RECIPE_FILE
    if places.opened is None or "update" in summary or not recipe.is_file():
        return False
    try:
        production = bool(summary.get("production"))
        read = Recipe.read(recipe)
        refuse_foreign(read.model, where=str(places.run))
        now = identity_of(places.opened, configured(read), production=production)
        return bool(summary.get("identity") == now)
    except (DataError, UsageError):
        return False


def _serve(places: Places) -> Step:
    return Step("serve", ("serve", str(places.run), "--port", str(places.port)), "to do", "until Ctrl-C")


def _pictures(dataset: Dataset) -> int:
    items = read_parquet(dataset.path / ITEMS_FILE)
    named = [pl.col(name).is_not_null() for name in ("image", "image_url") if name in items.columns]
    return int(items.select(pl.any_horizontal(named).sum()).item())


def _sets(dataset: Dataset | None) -> tuple[Descriptions, ...]:
    return () if dataset is None else all_descriptions(dataset)


def default_places(source: Path) -> tuple[Path, Path]:
    """The data set and the run of a folder, where none are named: beside each other in the present folder."""
    name = source.resolve().stem or "shop"
    return Path(f"{name}-shop"), Path("runs") / name
