"""How the rows of a comparison learnt."""

from collections.abc import Iterator, Sequence

from viral.lab.report import Curve
from viral.lab.study.runner import Outcome


def curves_of(outcomes: Sequence[Outcome], *, metric: str) -> Iterator[Curve]:
    """The first seed of each row that was validated more than once: ``metric`` on validation and the loss, by epoch."""
    seen = set[str]()
    for outcome in outcomes:
        name = outcome.cell.name
        if outcome.result is None or name in seen:
            continue
        seen.add(name)
        summary = outcome.result.summary
        history = [record for record in summary["history"] if metric in record["valid"]]
        if len(history) > 1:
            yield Curve(
                model=name,
                epochs=tuple(record["epoch"] for record in history),
                valid=tuple(record["valid"][metric] for record in history),
                loss=tuple(sum(record["losses"].values()) for record in history),
                best_epoch=summary["valid"]["best_epoch"],
            )
