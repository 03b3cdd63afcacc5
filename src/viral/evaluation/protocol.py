"""What is masked when a part of the data is ranked, the metrics that follow, and their JSON form."""

from collections.abc import Mapping
from typing import Any

from viral.data.preconditions import LACKS
from viral.data.splitting import Split
from viral.evaluation.evaluate import CUTOFFS, Metrics, evaluate
from viral.evaluation.ranking import ScoreFunction

PROTOCOLS = ("train", "train+valid")  # what is masked when the test set is ranked; the first is the published one
VALID_METRICS = ("recall", "ndcg")  # what early stopping and the learning curves need


def measure(scorer: ScoreFunction, parts: Split, *, name: str = "test") -> dict[str, Metrics]:
    """Metrics of one part by what is masked: the training part alone (published), for the test set validation, too.

    Nothing is masked where the training part itself is ranked for. Empty where the part is.
    """
    held_out = parts.part(name)
    if not len(held_out):
        return {}
    if name == "train":
        empty = type(held_out)(held_out.users[:0], held_out.items[:0], held_out.num_users, held_out.num_items)
        return {"none": evaluate(scorer, held_out, empty)}
    measured = {"train": evaluate(scorer, held_out, parts.train)}
    if name == "test":
        measured["train+valid"] = evaluate(scorer, held_out, parts.train.union(parts.valid))
    return measured


def measure_valid(scorer: ScoreFunction, split: Split) -> dict[str, float]:
    """The validation metrics that early stopping and the learning curves need; none where nothing is held out."""
    return evaluate(scorer, split.valid, split.train, metrics=VALID_METRICS).mean() if len(split.valid) else {}


def report_metrics(measured: Mapping[str, Metrics], name: str, *, mask: str) -> dict[str, Any]:
    """The JSON form of metrics: those of the chosen protocol, and all protocols beside."""
    if not measured:
        nothing: dict[str, Any] = {"metrics": {}, "split": name, "users": 0, "cutoffs": list(CUTOFFS)}
        return nothing | {"masked": mask, "protocols": {}, "unmeasured": LACKS[name]}
    masked = mask if mask in measured else next(iter(measured))
    return {
        "metrics": measured[masked].mean(),
        "split": name,
        "users": len(measured[masked].users),
        "cutoffs": list(CUTOFFS),
        "masked": masked,
        "protocols": {protocol: metrics.mean() for protocol, metrics in measured.items()},
    }
