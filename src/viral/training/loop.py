"""Hop 7: the one training loop, with early stopping, atomic checkpoints and an exact resume."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from viral.base.devices import find_device, random_states, seeded, set_random_states
from viral.base.errors import UsageError, nearest
from viral.base.memory import keep_pages, peak_memory_bytes
from viral.base.progress import say, stage
from viral.base.recipe import PUBLISHED, TrainConfig
from viral.base.threads import threads_for
from viral.data.inputs import ModelInputs
from viral.data.splitting import Split
from viral.evaluation import CUTOFFS
from viral.evaluation.protocol import VALID_METRICS, measure_valid
from viral.models.base import EmbeddingRecommender, Recommender
from viral.training.checkpoint import load_checkpoint, save_checkpoint
from viral.training.objectives import objective_of, ranker_of

CHECKPOINT_SECONDS = 10.0
ModelT = TypeVar("ModelT", bound=Recommender[Any])


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch: mean of each loss term, seconds of training, and the validation metrics where they were taken."""

    epoch: int
    losses: dict[str, float]
    seconds: float
    valid: dict[str, float] = field(default_factory=dict)
    valid_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What training did; the model is left at its best epoch."""

    best_epoch: int
    best_value: float
    history: tuple[EpochRecord, ...]
    stopped_because: str  # "patience", "max_epochs" or "closed form"
    num_parameters: int
    peak_memory_bytes: int

    @property
    def epoch_seconds(self) -> list[float]:
        return [record.seconds for record in self.history]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"epoch_seconds": self.epoch_seconds}


def build_model(model: type[ModelT], inputs: ModelInputs, config: Any, seed: int) -> ModelT:
    """Build a model whose initial weights depend on ``seed`` only, without touching the global random state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model(inputs, config)


def fit(
    model: Recommender[Any],
    split: Split,
    config: TrainConfig,
    *,
    checkpoint: Path | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    device: str = "cpu",
) -> TrainReport:
    """Train ``model`` on ``split.train`` until validation stops getting better; leave it at its best epoch.

    With a ``checkpoint`` path the state is saved at least every ten seconds, at the end of an epoch; a run that finds
    the file goes on from there and ends bit for bit as if it had never stopped. Meanwhile the model is on ``device``,
    afterwards on the processor. One without parameters is only measured. ``split.test`` is never looked at. Where
    ``split.valid`` is empty nothing can stop the training early: it takes ``max_epochs``, and the last one is kept.
    """
    _check_monitor(config.monitor)
    config = config.of_model(model.TRAIN)
    trainable = model.trainable
    if trainable is None:
        return _measure_closed_form(model, split, config)
    where = find_device(device)
    with seeded(where, config.seed), threads_for(sum(p.numel() for p in model.parameters())):
        keep_pages()
        report = _Fit(trainable.to(where), split, config, checkpoint).run(on_epoch)
    model.cpu()
    return report


class _Fit:
    """The state of one training: everything here is in the checkpoint."""

    def __init__(
        self, model: EmbeddingRecommender[Any], split: Split, config: TrainConfig, checkpoint: Path | None
    ) -> None:
        self.model, self.split, self.config, self.checkpoint = model, split, config, checkpoint
        self.objective = objective_of(model, split.train, config)
        if self.objective.num_skipped:
            say(f"{self.objective.num_skipped:,} interactions of users who chose every item cannot be trained on")
        self.rng = torch.Generator().manual_seed(config.seed)  # of the processor: batches are the same everywhere
        self.device = next(model.parameters()).device
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.history: list[EpochRecord] = []
        self.best_epoch, self.best_value = -1, -float("inf")
        self.best: dict[str, Tensor] = {}

    def run(self, on_epoch: Callable[[EpochRecord], None] | None) -> TrainReport:
        if self.checkpoint is not None and self.checkpoint.exists():
            self._restore(self.checkpoint)
        saved = time.monotonic()
        with stage(f"train {type(self.model).__name__}", self.config.max_epochs) as advance:
            advance(len(self.history))
            while not self.stopped_because:
                record = self._epoch(len(self.history))
                self.history.append(record)
                if on_epoch is not None:
                    on_epoch(record)
                best = f"valid {self.config.monitor} {self.best_value:.4f} (epoch {self.best_epoch})"
                advance(1, note=best if self.best else "")
                done = bool(self.stopped_because)
                if self.checkpoint is not None and (done or time.monotonic() - saved > CHECKPOINT_SECONDS):
                    self._save(self.checkpoint)
                    saved = time.monotonic()
        if self.best:
            self.model.load_state_dict(self.best)
        else:
            self.best_epoch, self.best_value = len(self.history) - 1, float("nan")
        self.model.eval()
        return TrainReport(
            self.best_epoch, self.best_value, tuple(self.history), self.stopped_because,
            sum(p.numel() for p in self.model.parameters()), peak_memory_bytes(),
        )  # fmt: skip

    @property
    def stopped_because(self) -> str:
        """Why training ends here, or the empty string."""
        waited = sum(bool(record.valid) for record in self.history[self.best_epoch + 1 :])
        if self.history and self.best_epoch >= 0 and waited > self.config.patience:
            return "patience"
        return "max_epochs" if len(self.history) >= self.config.max_epochs else ""

    def _epoch(self, epoch: int) -> EpochRecord:
        started = time.perf_counter()
        self.model.train()
        self.model.on_epoch_start(self.rng)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self.config.decay ** (epoch / 50)
        totals: dict[str, Tensor] = {}
        for terms, share in self.objective.epoch(self.rng):
            self.optimizer.zero_grad(set_to_none=True)
            torch.stack(list(terms.values())).sum().backward()
            self.optimizer.step()
            for name, term in terms.items():
                totals[name] = totals.get(name, 0.0) + term.detach() * share
        losses = {name: total.item() for name, total in totals.items()}
        _check_finite(losses, epoch)
        seconds = time.perf_counter() - started
        due = (epoch + 1) % self.config.evaluate_every == 0 or epoch + 1 == self.config.max_epochs
        valid = self._validate(epoch) if due else {}
        return EpochRecord(epoch, losses, seconds, valid, time.perf_counter() - started - seconds)

    def _validate(self, epoch: int) -> dict[str, float]:
        """Measure on validation and remember the model where it is better than ever."""
        valid = measure_valid(ranker_of(self.model, self.config), self.split)
        if valid and valid[self.config.monitor] > self.best_value:
            self.best_epoch, self.best_value = epoch, valid[self.config.monitor]
            self.best = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        return valid

    def _save(self, path: Path) -> None:
        tensors = {
            "model": dict(self.model.state_dict()),
            "best": self.best,
            "rng": {"sampler": self.rng.get_state(), **random_states(self.device)},
        }
        names: dict[Tensor, str] = {parameter: name for name, parameter in self.model.named_parameters()}
        tensors["adam"] = {
            f"{key}:{names[p]}": value for p, state in self.optimizer.state.items() for key, value in state.items()
        }
        progress = {"best_epoch": self.best_epoch, "best_value": self.best_value, "train": asdict(self.config)}
        history = [asdict(record) for record in self.history]
        save_checkpoint(path, tensors, progress | {"model": self._identity(), "history": history})

    def _identity(self) -> list[str]:
        """What must be the same for a checkpoint to go on: models may share names and shapes of parameters."""
        return [type(self.model).__qualname__, repr(self.model.config)]

    def _restore(self, path: Path) -> None:
        tensors, progress = load_checkpoint(path)
        if {**PUBLISHED, **progress["train"], "max_epochs": 0} != asdict(self.config) | {"max_epochs": 0}:
            raise _another("the run was started with another training configuration", path)
        other = "the run was started with another model, or a model of another size or configuration"
        if progress.get("model") != self._identity():
            raise _another(other, path)
        try:
            self.model.load_state_dict(tensors["model"])
        except RuntimeError:  # other data
            raise _another(other, path) from None
        self.best = tensors["best"]
        self.rng.set_state(tensors["rng"]["sampler"])
        set_random_states(tensors["rng"], self.device)
        for name, parameter in self.model.named_parameters():
            state = {
                key.partition(":")[0]: value.to(parameter.device)
                for key, value in tensors["adam"].items()
                if key.partition(":")[2] == name
            }
            if state:
                self.optimizer.state[parameter] = state
        self.best_epoch, self.best_value = progress["best_epoch"], progress["best_value"]
        self.history = [EpochRecord(**record) for record in progress["history"]]


def _another(what: str, path: Path) -> UsageError:
    return UsageError(what, where=str(path), hint="choose another --out, or delete this run to start afresh")


def _check_monitor(monitor: str) -> None:
    """Before the first epoch, which may be long."""
    known = [f"{name}@{k}" for name in (*VALID_METRICS, "coverage") for k in CUTOFFS]
    if monitor not in known:
        raise UsageError(f"cannot monitor {monitor!r}", where="[train] monitor", hint=nearest(monitor, known))


def _check_finite(losses: dict[str, float], epoch: int) -> None:
    broken = [name for name, value in losses.items() if value != value or abs(value) == float("inf")]
    if broken:
        raise UsageError(
            f"the {broken[0]} loss is {losses[broken[0]]} in epoch {epoch}",
            hint="lower the learning rate: --set learning_rate=…",
        )


def _measure_closed_form(model: Recommender[Any], split: Split, config: TrainConfig) -> TrainReport:
    started = time.perf_counter()
    valid = measure_valid(model.scorer(), split)
    record = EpochRecord(0, {}, 0.0, valid, time.perf_counter() - started)
    return TrainReport(0, valid.get(config.monitor, float("nan")), (record,), "closed form", 0, peak_memory_bytes())
