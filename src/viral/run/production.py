"""Training without a validation part: for as long as validation chose before, or for a fixed number of epochs.

For production every interaction is learnt from. Nothing is then left to choose or to report by, so the epochs and the
memory's weight are those that an earlier run of the same recipe chose on a validation part.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from viral.base.errors import UsageError
from viral.base.progress import say
from viral.base.recipe import BY_MODEL, Recipe
from viral.data.interactions import Interactions
from viral.data.preconditions import LACKS
from viral.data.splitting import Split
from viral.models.base import EmbeddingRecommender
from viral.run.configuration import Configured, configured, refuse_foreign
from viral.run.summary import read_summary
from viral.training.item_memory import EVEN, FEATURE_WEIGHTS, fixed

# Where nothing was chosen before. VIRAL's default was at its best after 37 to 57 epochs (means over seeds) on the six
# data sets of docs/leaderboard.md: column epochs of docs/results/leaderboard-*.csv, less the 30 that it waits.
EPOCHS = 50
FREE = ("max_epochs", "patience", "evaluate_every", "monitor", "seed")  # of the training: no part of what is learnt


@dataclass(frozen=True, slots=True)
class Settled:
    """A recipe that needs no validation, and in words who chose what: empty where validation will choose."""

    recipe: Recipe
    told: dict[str, str]
    epochs: int | None = None  # that a validation part chose, in an earlier run

    def tell(self) -> None:
        """Say who chose what, on stderr."""
        if self.told:
            say("; ".join(f"{name}: {how}" for name, how in self.told.items()))

    @property
    def summary(self) -> dict[str, Any]:
        """What a run's summary says of it."""
        chosen = {} if self.epochs is None else {"chosen_epochs": self.epochs}
        return chosen | ({"chosen_by": self.told} if self.told else {})


def everything(parts: Split) -> Split:
    """The split with all that there is in the training part."""
    empty = parts.test.users[:0]
    nothing = Interactions(empty, empty, len(parts.users), len(parts.items))
    return replace(parts, train=parts.train.union(parts.valid).union(parts.test), valid=nothing, test=nothing)


def settle(recipe: Recipe, parts: Split, *, production: bool, chosen_by: Path | None) -> Settled:
    """The recipe to train by: with epochs and memory fixed where no validation part is there to choose them.

    They are those of the run ``chosen_by``, else what the recipe says itself, else, of data that hold nothing out,
    ``EPOCHS`` and the weight that is taken in doubt. Raises ``UsageError`` where ``production`` is asked for of data
    that could choose, and nothing has chosen; and where ``chosen_by`` is a run of another recipe.
    """
    if chosen_by is not None and not production and len(parts.valid):
        hint = "add --production to learn from everything, or leave --from away to have validation choose"
        raise UsageError("the data have a validation part of their own", where="--from", hint=hint)
    whole = configured(recipe)
    if (len(parts.valid) and not production) or not issubclass(whole.model, EmbeddingRecommender):
        return Settled(recipe, {})
    if chosen_by is not None:
        return _as_chosen(whole, chosen_by)
    if recipe.train.max_epochs is not BY_MODEL:
        return _fixed(recipe, recipe.train.max_epochs, "as the recipe says")
    if len(parts.valid):
        hint = "train with the validation part first, then name that run: --from RUN; or --set max_epochs=N"
        raise UsageError("nothing has chosen how long to train", where="--production", hint=hint)
    return _fixed(recipe, EPOCHS, "a fixed number; a run on data with a validation part chooses better: --from RUN")


def _as_chosen(whole: Configured, run: Path) -> Settled:
    summary, before = _finished(run)
    _check_same(whole, before, run)
    epochs = epochs_of(summary)
    if epochs is None:
        hint = "name the run that was trained from scratch, with a validation part"
        raise UsageError("this run does not tell how many epochs validation chose", where=str(run), hint=hint)
    memory = fixed(whole.recipe.memory, summary.get("memory", {}))
    told = {"epochs": f"{epochs}, as validation chose in {run}"}
    if summary.get("memory"):
        told["memory"] = f"weight {memory.weight:g}, as in {run}"
    train = replace(whole.recipe.train, max_epochs=epochs)
    return Settled(replace(whole.recipe, train=train, memory=memory), told, epochs)


def _fixed(recipe: Recipe, epochs: int, why: str) -> Settled:
    told = {"no validation": LACKS["valid"].partition(": ")[2], "epochs": f"{epochs}, {why}"}
    memory, kind = recipe.memory, configured(recipe).recipe.memory.kind
    if kind != "off" and memory.weight is None:
        beta = FEATURE_WEIGHTS[-1] if memory.feature_weight is None else memory.feature_weight
        memory = replace(memory, weight=EVEN, feature_weight=beta)
        told["memory"] = f"weight {EVEN:g}, fixed, as no validation can choose it"
    return Settled(replace(recipe, train=replace(recipe.train, max_epochs=epochs), memory=memory), told)


def epochs_of(summary: Mapping[str, Any]) -> int | None:
    """How many epochs from scratch validation chose for a run, be it an update of it; None where that is not known."""
    if "chosen_epochs" in summary:
        return int(summary["chosen_epochs"])
    chosen = summary.get("valid", {})
    if "update" in summary or len(chosen) < 2:  # ``best_epoch`` alone: nothing was measured
        return None
    return int(chosen["best_epoch"]) + 1


def recipe_of(run: Path, *, trust: bool = False) -> Recipe:
    """The recipe by which a finished run was trained; a model from outside VIRAL is run where ``trust`` allows it."""
    recipe = _finished(run)[1]
    if not trust:
        refuse_foreign(recipe.model, where=str(run))
    return recipe


def _finished(run: Path) -> tuple[dict[str, Any], Recipe]:
    if not (run / "run.json").is_file():
        raise UsageError("no finished run", where=str(run), hint="name a folder that `viral train` left")
    return read_summary(run), Recipe.read(run / "recipe.toml")


def _check_same(whole: Configured, before: Recipe, run: Path) -> None:
    """Raise ``UsageError`` where the run is of another recipe: its epochs say nothing about this one."""
    hint = "leave --model, --recipe and --set away to train by the recipe of that run"
    if whole.recipe.model != before.model:  # whose code, if it is no model of VIRAL's, nobody has asked to run
        raise UsageError("that run is of another recipe (its model differs)", where=str(run), hint=hint)
    other = configured(before)
    mine, theirs = whole.whole, other.whole
    parts = {
        "config": (asdict(whole.config), asdict(other.config)),
        "train": tuple({k: v for k, v in one["train"].items() if k not in FREE} for one in (mine, theirs)),
        "memory": (whole.recipe.memory.kind, other.recipe.memory.kind),
    }
    for name, (ours, said) in parts.items():
        if ours != said:
            raise UsageError(f"that run is of another recipe (its {name} differs)", where=str(run), hint=hint)
