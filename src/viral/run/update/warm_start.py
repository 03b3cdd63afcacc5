"""Training that goes on from a trained model's parameters, carried over to one of more or fewer users and items.

It is short, since it begins near where it ends. Which axis of a tensor runs over users or items is not guessed from its
length: two small models of the same configuration and different numbers of users and items are built, and the axes that
differ are those.
Shapes: U users, I items.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import torch
from torch import Tensor

from viral.base.errors import DataError
from viral.base.progress import say
from viral.base.recipe import TrainConfig
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.data.vocabulary import Vocabulary
from viral.evaluation.protocol import measure_valid
from viral.models import Recommender
from viral.run.bundle import Bundle
from viral.run.configuration import Configured
from viral.run.retrieval.new_items import nearest_warm
from viral.training import EpochRecord, TrainReport, build_model, fit
from viral.training.objectives import ranker_of

# Chosen over planted shops other than the reported one (docs/retrieval.md): at the recipe's own rate; lower ones, which
# are kinder to what was learnt, take longer to learn what is new.
SHARE = 0.12  # of the epochs of a training from scratch
LEAST = 5  # epochs
Axis = Literal["", "users", "items", "nodes"]  # nodes: users, then items
SIZES = ((19, 31), (23, 41))  # users and items of the two models: no length is another's, or a sum of others


def axes_of(
    model: type[Recommender[Any]], config: Any, widths: Mapping[str, int], encoders: Mapping[str, str] | None = None
) -> dict[str, tuple[Axis, ...]]:
    """What every axis of every tensor of the state runs over, by the tensor's name.

    ``widths`` are those of the features by modality, ``encoders`` what made them, by which a model may choose.
    """
    shapes = []
    for users, items in SIZES:
        rng = torch.Generator().manual_seed(0)
        pairs = torch.arange(3 * items)
        log = Interactions(pairs % users, pairs % items, users, items)
        features = {name: torch.randn(items, width, generator=rng) for name, width in widths.items()}
        built = build_model(model, ModelInputs(log, features, {}, encoders or {}), config, 0)
        shapes.append({name: tuple(tensor.shape) for name, tensor in built.state_dict().items()})
    return {
        name: tuple(_axis(a, b) for a, b in zip(shape, shapes[1][name], strict=True))
        for name, shape in shapes[0].items()
    }


def _axis(first: int, second: int) -> Axis:
    names: dict[tuple[int, int], Axis] = {
        (SIZES[0][0], SIZES[1][0]): "users",
        (SIZES[0][1], SIZES[1][1]): "items",
        (sum(SIZES[0]), sum(SIZES[1])): "nodes",
    }
    if first == second:
        return ""
    if (first, second) not in names:
        raise DataError(f"a tensor's length goes from {first} to {second} with the number of users and items",
                        hint="train afresh with `viral train`")  # fmt: skip
    return names[first, second]


def carry_over(
    model: Recommender[Any], axes: Mapping[str, tuple[Axis, ...]], bundle: Bundle, parts: Split, inputs: ModelInputs
) -> int:
    """Give ``model`` the bundle's parameters, row by row by id; returns how many numbers that are.

    A new item begins as the weighted mean of the rows of its nearest old items (:mod:`viral.run.retrieval.new_items`),
    a new user as the model was built.
    """
    new_users, old_users = _shared(parts.users, bundle.users)
    new_items, old_items = _shared(parts.items, bundle.items)
    places = {
        "users": (new_users, old_users),
        "items": (new_items, old_items),
        "nodes": (
            torch.cat([new_users, new_items + len(parts.users)]),
            torch.cat([old_users, old_items + len(bundle.users)]),
        ),
    }
    starts = {"items": (0, 0), "nodes": (len(parts.users), len(bundle.users))}
    new_rows = _new_rows(bundle, parts.items, inputs)
    carried, state = 0, model.state_dict()
    for name, fresh in state.items():
        old = bundle.material.parameters.get(name)
        if old is None or old.dim() != fresh.dim() or not _fits(fresh, old, axes[name]):
            continue
        whole = [torch.arange(size) for size in fresh.shape]
        into = [places[axis][0] if axis else whole[place] for place, axis in enumerate(axes[name])]
        out_of = [places[axis][1] if axis else whole[place] for place, axis in enumerate(axes[name])]
        if new_rows is not None and fresh.is_floating_point():
            _begin(fresh, old, axes[name], new_rows, starts)
        fresh[_grid(into)] = old[_grid(out_of)]
        carried += int(torch.tensor([len(index) for index in into]).prod()) if into else 1
    model.load_state_dict(state)
    return carried


def _shared(new: Vocabulary, old: Vocabulary) -> tuple[Tensor, Tensor]:
    """Rows of the ids that both know: in the new one and in the old one."""
    both = [external for external in new.ids if external in old]
    return new.indices(both), old.indices(both)


def _fits(fresh: Tensor, old: Tensor, axes: tuple[Axis, ...]) -> bool:
    return all(axis or a == b for axis, a, b in zip(axes, fresh.shape, old.shape, strict=True))


def _grid(indices: list[Tensor]) -> tuple[Tensor, ...]:
    """Index tensors that choose the product of rows on every axis."""
    return torch.meshgrid(*indices, indexing="ij") if indices else ()


def _new_rows(bundle: Bundle, items: Vocabulary, inputs: ModelInputs) -> tuple[Tensor, Tensor, Tensor] | None:
    """Rows of the new items that have features (n,), and their nearest old items: weights and rows (n, k)."""
    known = {name: x for name, x in inputs.features.items() if name in bundle.material.features}
    has = torch.zeros(len(items), dtype=torch.bool)
    for name in known:
        has |= inputs.given(name)
    rows = torch.tensor(
        [row for row, one in enumerate(items.ids) if one not in bundle.items and has[row]], dtype=torch.int64
    )
    if not len(rows):
        return None
    features = {name: x[rows] for name, x in known.items()}
    similarities, nearest = nearest_warm(bundle, features, {name: inputs.given(name)[rows] for name in known})
    weights = similarities.clamp(min=0) + 1e-9
    return rows, weights / weights.sum(dim=1, keepdim=True), nearest


def _begin(
    fresh: Tensor, old: Tensor, axes: tuple[Axis, ...], new_rows: tuple[Tensor, Tensor, Tensor],
    starts: Mapping[str, tuple[int, int]],
) -> None:  # fmt: skip
    """Fill the rows of new items, where exactly one axis runs over items and the others over nothing."""
    moving = [place for place, axis in enumerate(axes) if axis]
    if len(moving) != 1 or axes[moving[0]] not in starts:
        return
    rows, weights, nearest = new_rows
    to, of = starts[axes[moving[0]]]
    table = old.movedim(moving[0], 0)  # (I or N, …)
    mean = torch.einsum("nk,nk...->n...", weights.to(table), table[nearest + of])
    fresh.movedim(moving[0], 0)[rows + to] = mean.to(fresh)


@dataclass(frozen=True, slots=True)
class ContinuedReport(TrainReport):
    """What a training did that went on from other parameters, and what they were worth before it."""

    start: float | None = None  # the monitored metric; None: not trained or not measured
    carried_over: int = 0  # numbers that it began with


def report_of(report: TrainReport, **more: Any) -> ContinuedReport:
    """A report with what came before the training."""
    return ContinuedReport(**{field.name: getattr(report, field.name) for field in fields(TrainReport)}, **more)


def epochs_after(run_epochs: int) -> int:
    """How many epochs an update trains, after a run of ``run_epochs`` from scratch."""
    return max(LEAST, round(SHARE * run_epochs))


class MeanState:
    """The mean of a model's state over the ends of epochs, from the epoch ``first`` on (counted from 0).

    Averaged are the states of one descent, as in Izmailov et al., UAI 2018: what one epoch adds to the next by chance
    falls away.
    """

    def __init__(self, model: Recommender[Any], first: int) -> None:
        self.model, self.first = model, first
        self.count, self.state = 0, dict[str, Tensor]()

    def add(self, record: EpochRecord) -> None:
        """Count in the state as an epoch has left it."""
        if record.epoch < self.first:
            return
        self.count += 1
        for name, value in self.model.state_dict().items():
            if name not in self.state or not value.is_floating_point():
                self.state[name] = value.clone()
            else:
                self.state[name].lerp_(value, 1 / self.count)

    def load(self) -> None:
        """The mean becomes the model's state."""
        with torch.no_grad():
            self.model.load_state_dict(self.state)


def go_on(model: Recommender[Any], parts: Split, train: TrainConfig, epochs: int) -> ContinuedReport:
    """Train ``epochs`` more, at the recipe's rate, and leave the model at the mean of what their last half left.

    Validation does not choose here. The start was chosen as the best of many epochs on almost the same validation set,
    so its value there is too good, and what it has still to learn of the new data would be thrown away.
    """
    if model.trainable is None:
        return report_of(fit(model, parts, train))
    train = train.of_model(model.TRAIN)
    start = measure_valid(ranker_of(model, train), parts).get(train.monitor)
    mean = MeanState(model, epochs // 2)
    report = fit(model, parts, replace(train, max_epochs=epochs, evaluate_every=epochs), on_epoch=mean.add)
    mean.load()
    ended = measure_valid(ranker_of(model, train), parts).get(train.monitor, float("nan"))
    return report_of(replace(report, best_value=ended), start=start)


def train_on(
    model: Recommender[Any], *, bundle: Bundle, chosen: Configured, parts: Split, inputs: ModelInputs,
    epochs: int | None,
) -> ContinuedReport:  # fmt: skip
    """Train on from the bundle's parameters, or from scratch where it keeps none."""
    model_class, config, recipe = chosen
    if model.state_dict() and not bundle.material.parameters:
        say("the run keeps no parameters: training starts afresh")
        return report_of(fit(model, parts, recipe.train))
    carried = 0
    if bundle.material.parameters:
        axes = axes_of(model_class, config, {name: x.shape[1] for name, x in inputs.features.items()}, inputs.encoders)
        carried = carry_over(model, axes, bundle, parts, inputs)
    report = go_on(model, parts, recipe.train, epochs or epochs_after(scratch_epochs(bundle)))
    return replace(report, carried_over=carried)


def scratch_epochs(bundle: Bundle) -> int:
    """The epochs of the run from scratch, be it an update of an update; 0 where that is not known."""
    about = bundle.about
    return int(about.get("update", {}).get("scratch_epochs", about.get("epochs", 0)))
