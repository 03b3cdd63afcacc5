"""A recipe with nothing left to the model: the class, its configuration, and every number of the training."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, NamedTuple

from viral.base.errors import UsageError, nearest
from viral.base.plugins import load_named
from viral.base.recipe import Recipe, build
from viral.base.setting_words import words_of
from viral.models import MODELS, Recommender


def find_model(name: str) -> type[Recommender[Any]]:
    """A model of the zoo by name, or a class outside it by ``package.module:Class``."""
    if name in MODELS:
        return MODELS[name]
    if ":" not in name:
        raise UsageError(f"unknown model {name!r}", hint=nearest(name, MODELS) + " (or package.module:Class)")
    found = load_named(name, "model")
    if not (isinstance(found, type) and issubclass(found, Recommender) and hasattr(found, "Config")):
        hint = "derive the class from viral.models.Recommender and name its Config"
        raise UsageError(f"{name!r} is not a Recommender", hint=hint)
    return found


def refuse_foreign(name: str, *, where: str) -> None:
    """Raise ``UsageError`` where data, and not the user, name a model outside VIRAL: its code would be run."""
    if name not in MODELS:
        what = f"the run names a model outside VIRAL, {name!r}, whose code would be run"
        raise UsageError(what, where=where, hint="if you know where it comes from: --trust-run")


class Configured(NamedTuple):
    """A recipe with nothing left to the model, and the class and the configuration that it is of."""

    model: type[Recommender[Any]]
    config: Any
    recipe: Recipe

    @property
    def whole(self) -> dict[str, Any]:
        """The recipe with every default written out: one may train by it."""
        return self.recipe.values() | {"config": asdict(self.config)}

    @property
    def plain(self) -> dict[str, Any]:
        """All that determines a run, as a key: what is not in use is left out, as it was before there was any."""
        values = self.whole
        if values["train"]["loss"] == "own":
            values["train"] = {k: v for k, v in values["train"].items() if k not in _OF_SOFTMAX}
        if values["memory"]["kind"] == "off":
            del values["memory"]
        return values


_OF_SOFTMAX = ("loss", "temperature", "sampled_items")


def configured(recipe: Recipe) -> Configured:
    """The recipe's model, by name and variant, with its configuration and all that it leaves to the model."""
    model = find_model(recipe.model).variant(recipe.config)
    config = build(model.Config, recipe.config, where=f"[config] of model {recipe.model!r}")
    known = replace(recipe, train=recipe.train.of_model(model.TRAIN), memory=recipe.memory.of_model(model.MEMORY))
    return Configured(model, config, known)


def with_words(recipe: Recipe, words: Sequence[str]) -> Recipe:
    """The recipe with ``--set`` words: a bare name is of the configuration where its model has such a field."""
    named = [word for word in words if word.partition("=")[0].strip() in ("model", "variant", "config.variant")]
    chosen = recipe.with_settings(named)
    own = {field.name for field in fields(find_model(chosen.model).variant(chosen.config).Config)}
    return recipe.with_settings(words, own)


def recipe_for(model: str | type[Recommender[Any]] | Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe of a model by name, by class or as it is, with settings as ``--set`` has them.

    A setting is named barely (``num_layers=2``) or is a section's mapping (``train={"max_epochs": 5}``).
    """
    recipe = model if isinstance(model, Recipe) else Recipe(model=model if isinstance(model, str) else name_of(model))
    return with_words(recipe, words_of(settings))


def name_of(model: type[Recommender[Any]]) -> str:
    """The name by which a recipe has a model's class; ``UsageError`` where it cannot be found again by it."""
    for name, known in MODELS.items():
        if known is model:
            return name
    name = f"{model.__module__}:{model.__qualname__}"
    if find_model(name) is not model:
        raise UsageError(f"{name} is another class", hint="define the class at the top of a module")
    return name
