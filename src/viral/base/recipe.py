"""A recipe is everything that determines a run, as one TOML file; an unknown key is an error, never ignored."""

import tomllib
import types
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from viral.base.errors import UsageError, nearest
from viral.base.files import atomic_write, fingerprint
from viral.base.setting_words import setting

T = TypeVar("T")


def check_least(config: Any, **least: float) -> None:
    """Raise ``UsageError`` where a field of ``config`` is below its least value (or not a number); None passes."""
    for name, limit in least.items():
        value = getattr(config, name)
        if value is not None and value is not BY_MODEL and not value >= limit:
            raise UsageError(f"{name} = {value} is less than {limit}", where=type(config).__name__)


class _ByModel(Enum):
    IT = "as the model has it"  # a field that is left out


BY_MODEL: Final[Any] = _ByModel.IT
PUBLISHED: Final[Mapping[str, Any]] = {  # the published benchmark's training
    "loss": "own", "temperature": 0.2, "sampled_items": 0, "learning_rate": 1e-3, "batch_size": 2048,
    "max_epochs": 1000, "patience": 20, "evaluate_every": 1,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to train, by Adam. A field that is left out is the model's (``Recommender.TRAIN``), else ``PUBLISHED``.

    ``loss = "softmax"`` ranks by cosines and takes, in the place of the model's own ranking term, the softmax over all
    items with the user's other items left out (:mod:`viral.graph.functions.softmax`); a batch is then one of users.
    """

    loss: Literal["own", "softmax"] = BY_MODEL
    temperature: float = BY_MODEL  # τ of the softmax
    sampled_items: int = BY_MODEL  # that stand for all in a step's softmax; 0: none, all are there
    learning_rate: float = BY_MODEL
    decay: float = 1.0  # the learning rate in epoch t is learning_rate · decay^(t / 50)
    weight_decay: float = 0.0  # added to the gradient, as Adam's own option does
    batch_size: int = BY_MODEL  # triplets a step, or users
    max_epochs: int = BY_MODEL
    patience: int = BY_MODEL  # stop once more than this many evaluations in a row brought no better monitored value
    evaluate_every: int = BY_MODEL  # epochs
    monitor: str = "recall@20"  # on validation, never rounded
    seed: int = 0

    def __post_init__(self) -> None:
        check_least(self, batch_size=1, max_epochs=1, patience=1, evaluate_every=1, seed=0)
        check_least(self, weight_decay=0, sampled_items=0, temperature=1e-2)
        if not 0 < self.decay <= 1:
            raise UsageError(f"decay = {self.decay} is not above 0 and at most 1", where="[train]")
        if self.learning_rate is not BY_MODEL and not 0 < self.learning_rate < float("inf"):
            raise UsageError(f"learning_rate = {self.learning_rate} is not a positive number", where="[train]")
        if self.seed >= 2**63:
            raise UsageError(f"seed = {self.seed} is too large", where="[train]", hint="below 2^63")

    def of_model(self, own: Mapping[str, Any]) -> "TrainConfig":
        """With every field that is left out written out: a model's ``own`` value, else the published one."""
        missing = {name: own.get(name, value) for name, value in PUBLISHED.items() if getattr(self, name) is BY_MODEL}
        return replace(self, **missing) if missing else self


@dataclass(frozen=True, kw_only=True)
class MemoryConfig:
    """The memory beside a model's vectors: linear item-item weights, with or without features
    (:mod:`viral.training.item_memory`).

    What is None is chosen on validation; ``features`` are then those that the model reads.
    """

    kind: Literal["off", "ease"] = BY_MODEL
    weight: float | None = None  # w: of the memory, where the vectors' scores have the weight 1; both in spreads
    feature_weight: float | None = None  # β: how strongly the weights are drawn to those of the features
    reg_weight: float = 50.0  # λ
    feature_reg: float = 10.0  # λ of the features' own weights
    user_power: float = 0.5  # a: a user of n choices counts (n / mean n)^-a
    dropout: float = 0.5  # p: the share of choices that are left out, in expectation
    features: tuple[str, ...] | None = None  # modalities
    neighbors: int | None = None  # the n largest weights of an item are kept; None: all, of many items 200

    def __post_init__(self) -> None:
        check_least(self, weight=0, reg_weight=1e-9, feature_weight=0, feature_reg=1e-9, user_power=0, neighbors=1)
        if not 0 <= self.dropout < 1:
            raise UsageError(f"dropout = {self.dropout} is not in [0, 1)", where="[memory]")

    def of_model(self, kind: Literal["off", "ease"]) -> "MemoryConfig":
        """With the model's own ``kind`` where it is left out."""
        return replace(self, kind=kind) if self.kind is BY_MODEL else self


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A model, its configuration, its training, its memory. ``config`` is checked against the model that reads it."""

    model: str
    config: Mapping[str, Any] = field(default_factory=dict)
    train: TrainConfig = TrainConfig()
    memory: MemoryConfig = MemoryConfig()
    fill: Literal["mean", "zero", "error"] = "mean"  # for items without features

    @classmethod
    def read(cls, path: Path) -> "Recipe":
        """Read a TOML file; raises ``UsageError`` naming the key that is wrong."""
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError("no such recipe", where=str(path)) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UsageError(f"not valid TOML ({error})", where=str(path)) from None
        return build(cls, values, where=str(path))

    def write(self, path: Path) -> None:
        """Write the recipe as TOML, atomically."""
        import tomli_w

        with atomic_write(path) as temporary:
            temporary.write_text(tomli_w.dumps(_without_none(self.values())), encoding="utf-8")

    def with_settings(self, settings: Sequence[str], own: Collection[str] = ()) -> "Recipe":
        """Apply ``--set`` words such as ``config.num_layers=4``, ``train.seed=1`` or just ``num_layers=4``.

        A bare name is a field of the configuration where it is among the model's ``own``, else of the training where
        that has it, else of the configuration.
        """
        values = self.values()
        sections = [name for name, value in values.items() if isinstance(value, dict)]
        known = {f.name for f in fields(TrainConfig)}
        for word in settings:
            key, value = setting(word)
            section, _, name = key.rpartition(".")
            if not section:
                section = "" if name in values else "train" if name in known.difference(own) else "config"
            if section and section not in sections:
                hint = f"use one of {', '.join(sections)}, for example config.num_layers=4"
                raise UsageError(f"unknown section {section!r} in --set {word!r}", hint=hint)
            target = values[section] if section else values
            target[name] = value
        return build(type(self), values, where="--set")

    def values(self) -> dict[str, Any]:
        """As nested mappings, as a TOML file has them, without what is left to the model."""
        values = asdict(self)
        for section in ("train", "memory"):
            values[section] = {name: value for name, value in values[section].items() if value is not BY_MODEL}
        return values

    @property
    def fingerprint(self) -> str:
        values = self.values()
        if self.memory == MemoryConfig():
            del values["memory"]  # as it was before there was any
        return fingerprint(values)


def _without_none(value: Any) -> Any:
    """TOML has no null: a field at None is written as "none", which ``build`` reads as None again."""
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items()}
    return "none" if value is None else value


def build(cls: type[T], values: Mapping[str, Any], *, where: str) -> T:
    """Make a frozen dataclass from a mapping, strictly: keys must be fields, values must have the field's type.

    Whole numbers are taken for floats and lists for tuples; nothing else is converted. Raises ``UsageError`` naming
    ``where`` and the key, with the nearest known key for an unknown one.
    """
    assert is_dataclass(cls)
    known = {f.name: f for f in fields(cls)}
    hints = get_type_hints(cls)
    for key in values:
        if key not in known:
            raise UsageError(f"unknown key {key!r} in {cls.__name__}", where=where, hint=nearest(key, known))
    for name, f in known.items():
        if f.default is MISSING and f.default_factory is MISSING and name not in values:
            raise UsageError(f"key {name!r} is missing in {cls.__name__}", where=where)
    made = {key: _convert(value, hints[key], f"{where}, key {key!r}") for key, value in values.items()}
    result: T = cls(**made)
    return result


def _convert(value: Any, hint: Any, where: str) -> Any:
    """``value`` as the annotated type, or ``UsageError``."""
    origin, arguments = get_origin(hint), get_args(hint)
    if value == "none" and type(None) in arguments:
        return None
    if origin in (Union, types.UnionType):
        return _convert_union(value, arguments, where)
    if origin is Literal:
        if value not in arguments:
            raise UsageError(f"{value!r} is not allowed", where=where, hint=nearest(str(value), arguments))
        return value
    mapping = isinstance(origin, type) and issubclass(Mapping, origin)
    if (is_dataclass(hint) or mapping) and not isinstance(value, Mapping):
        raise UsageError(f"{value!r} is not a section", where=where, hint="set its keys one by one: section.key")
    if is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where=where)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_convert(item, arguments[0], where) for item in value)
    if mapping:
        return {str(key): _convert(item, arguments[1], where) for key, item in value.items()}
    return _convert_plain(value, hint, where)


def _convert_union(value: Any, arguments: tuple[Any, ...], where: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    for argument in (a for a in arguments if a is not type(None)):
        try:
            return _convert(value, argument, where)
        except UsageError as error:
            last = error
    raise last


def _convert_plain(value: Any, hint: Any, where: str) -> Any:
    if hint is Any:
        return None if value == "none" else value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool):
        return value
    name = getattr(hint, "__name__", str(hint))
    raise UsageError(f"{value!r} is not {name}", where=where, hint=f"give a value of type {name}")
