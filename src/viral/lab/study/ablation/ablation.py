"""A finished ablation: its rows, and what each modality is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from viral.lab.study.ablation.published_groups import FULL, TEXT_ONLY, TITLE_ONLY, VISUAL_ONLY
from viral.lab.study.ablation.rows import GROUPS, LeftOut
from viral.lab.study.ablation.variant_groups import VariantGroup
from viral.lab.study.rows import Row, common, find_row
from viral.lab.study.runner import remedy
from viral.lab.study.statistics import Interval, contribution, shares
from viral.lab.study.study import TrainingStudy


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation(TrainingStudy):
    """VIRAL taken apart on one data set."""

    KIND = "ablation"

    left_out: tuple[LeftOut, ...] = ()
    visual_contribution: Mapping[str, Interval] = field(default_factory=dict)  # against each control
    shares: Mapping[str, Interval] = field(default_factory=dict)  # of text and visual

    @property
    def groups(self) -> tuple[VariantGroup, ...]:
        """Those of its rows, where they are known to this version."""
        names = {row.group for row in self.rows}
        return tuple(group for name, group in GROUPS.items() if name in names)

    def label_of(self, row: Row) -> str:
        return f"{row.group}: {row.name}"

    def to_json(self) -> dict[str, Any]:
        runs = [{"run": remedy(row.modality, self.dataset)} for row in self.left_out]
        made = TrainingStudy.to_json(self)
        return made | {"left_out": [row | run for row, run in zip(made["left_out"], runs, strict=True)]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        return cls.read({"reference": FULL, **document})


def visual_contribution(rows: Sequence[Row], metric: str) -> dict[str, Interval]:
    """The visual contribution, (full - control) / control, against text only and against the title-only control."""
    full = find_row(rows, FULL)
    found = {name: find_row(rows, name) for name in (TEXT_ONLY, TITLE_ONLY)}
    return {
        name: contribution(*common(full, control, metric=metric))
        for name, control in found.items()
        if full is not None and control is not None
    }


def modality_shares(rows: Sequence[Row], metric: str) -> dict[str, Interval]:
    """The shares of text and visual, where all three rows that they are made of are there."""
    full, text, visual = (find_row(rows, name) for name in (FULL, TEXT_ONLY, VISUAL_ONLY))
    if full is None or text is None or visual is None:
        return {}
    return shares(*common(full, text, visual, metric=metric))
