"""The steps from files to a served page, each with its command, whether it is done, and how long it takes, roughly.

Processor seconds on one core of a machine of 2026, measured with `viral` on 150 product photos of 1,750 pixels' height
and 2,000 interactions, and for training on the data sets of docs/leaderboard.md (VIRAL's default: 14 to 20 µs a
training interaction and epoch, 70 to 87 epochs). A machine that does other things takes as much longer.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from viral.apps.up.places import Places
from viral.base.errors import DataError, UsageError
from viral.base.recipe import Recipe
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import FEATURES_FOLDER, Dataset
from viral.data.descriptions import Descriptions, all_descriptions
from viral.data.parquet import read_parquet
from viral.data.pictures import SUFFIXES
from viral.run.configuration import configured, refuse_foreign
from viral.run.identity import RECIPE_FILE, identity_of
from viral.run.summary import read_summary

START = 1.5  # seconds that every command takes
ROW_READ, PICTURE_COPIED = 2e-5, 0.002
PICTURE_LOOKED_AT = 0.002
PICTURE_DESCRIBED = 0.08  # by the pixel describer
PICTURE_ENCODED, ITEM_ENCODED = 0.03, 0.02  # three texts an item
EPOCHS, INTERACTION_LEARNT = 80, 2e-5
UPDATED = 0.12  # of the epochs of a training from scratch (viral.run.update.warm_start)
BYTES_A_ROW = 40  # of a table of text


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    items: int
    pictures: int
    interactions: int


def size_of(source: Path, opened: Dataset | None) -> Size:
    """The counts of the data set, and of what lies in the source where that is more."""
    counts = opened.manifest["counts"] if opened is not None else {}
    pictures = rows = 0
    for file in _files(source):
        if file.suffix.lower() in SUFFIXES:
            pictures += 1
        else:
            rows += file.stat().st_size // BYTES_A_ROW
    interactions = int(counts.get("interactions", rows))
    items = int(counts.get("items", max(pictures, rows // 20)))
    return Size(items, max(pictures, int(counts.get("images", 0))), interactions)


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
    elif source.is_dir():
        yield from (file for file in source.rglob("*") if file.is_file() and not file.name.startswith("."))


def seconds(step: str, size: Size) -> float:
    """Of a step over so much."""
    work = {
        "import": size.interactions * ROW_READ + size.pictures * PICTURE_COPIED,
        "doctor": size.pictures * PICTURE_LOOKED_AT,
        "enrich": size.pictures * PICTURE_DESCRIBED,
        "encode": size.pictures * PICTURE_ENCODED + size.items * ITEM_ENCODED,
        "train": size.interactions * INTERACTION_LEARNT * EPOCHS,
        "update": size.interactions * INTERACTION_LEARNT * EPOCHS * UPDATED,
    }
    return START + work.get(step, 0.0)


State = Literal["done", "to do", "skipped"]
PIXEL = "pixel"
# Above this share of new interactions a run is trained afresh. An update was measured to be as good as a training in
# full with 5 % new (docs/retrieval.md); twice that is taken to be near enough.
MOST_NEW = 0.1


@dataclass(frozen=True, slots=True)
class PlannedStep:
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


def plan(places: Places) -> tuple[PlannedStep, ...]:
    """The steps as things stand: the way ahead may change with what is found, so it is made anew after each."""
    if not places.source.exists():
        raise UsageError("no such file or folder", where=str(places.source), hint="name the folder of your files")
    size = size_of(places.source, places.opened)
    steps = (_import(places, size), _doctor(places, size), _enrich(places, size), _encode(places, size))
    ahead = any(step.state == "to do" for step in steps)
    return (*steps, _train(places, size, ahead), _serve(places))


def finished(steps: Sequence[PlannedStep]) -> bool:
    """Whether only the serving is left."""
    return all(step.state != "to do" or step.name == "serve" for step in steps)


def _step(name: str, words: Sequence[object], size: Size, *, done: bool, why: str = "", cost: str = "") -> PlannedStep:
    texts = tuple(map(str, words))
    if done:
        return PlannedStep(name, texts, "done", why)
    return PlannedStep(name, texts, "to do", why, seconds(cost or name, size))


def _import(places: Places, size: Size) -> PlannedStep:
    words: list[object] = ["import", "table", places.source, places.dataset]
    if places.opened is None:
        return _step("import", words, size, done=False)
    done = places.imported
    why = "" if done else "the files have changed: what is new is added"
    return _step("import", [*words, "--append"], size, done=done, why=why)


def _doctor(places: Places, size: Size) -> PlannedStep:
    return _step("doctor", ["doctor", places.dataset], size, done=places.imported and places.done("doctor"))


def _enrich(places: Places, size: Size) -> PlannedStep:
    words = ("enrich", str(places.dataset))
    if not (size.pictures if places.opened is None or not places.imported else _pictures(places.opened)):
        return PlannedStep("enrich", words, "skipped", "there are no pictures")
    others = [one for one in _sets(places.opened) if not one.imported and one.describer.partition("/")[0] != PIXEL]
    if others:
        name, prompt = others[0].describer.partition("/")[0], others[0].prompt
        own = f"viral enrich {shlex.quote(str(places.dataset))} --describer {name} --prompt {prompt} --set …"
        return PlannedStep("enrich", words, "skipped", f"{name} describes here: new pictures by {own}")
    return _step("enrich", words, size, done=places.imported and places.done("enrich"))


def _encode(places: Places, size: Size) -> PlannedStep:
    words = ["encode", str(places.dataset)]
    sets = [one for one in _sets(places.opened) if one.texts]
    if len(sets) > 1:  # the command has to say which; what somebody asked a describer for goes before the pixels
        chosen = next((one for one in sets if one.describer.partition("/")[0] != PIXEL), sets[0])
        words += ["--describer", chosen.describer.partition("/")[0], "--prompt", chosen.prompt]
    ready = places.imported and _enrich(places, size).state != "to do"
    return _step("encode", words, size, done=ready and places.done("encode"))


def _train(places: Places, size: Size, ahead: bool) -> PlannedStep:
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


def _serve(places: Places) -> PlannedStep:
    return PlannedStep("serve", ("serve", str(places.run), "--port", str(places.port)), "to do", "until Ctrl-C")


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
