"""An ablation: which rows it has, each one's recipe and what it reads, and what each modality turns out to be worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from viral.base.errors import UsageError, nearest
from viral.base.recipe import Recipe, TrainConfig, build
from viral.lab.study.ablation.variants import (
    DEFAULT_BEYOND,
    DEFAULT_PUBLISHED,
    FULL,
    GROUPS,
    TEXT_ONLY,
    TITLE_ONLY,
    VISUAL_ONLY,
    Variant,
    VariantGroup,
)
from viral.lab.study.feature_reads import reads_of
from viral.lab.study.runner import remedy
from viral.lab.study.statistics import Interval, contribution, shares
from viral.lab.study.study import TrainingStudy
from viral.lab.study.training_cells import TrainingCell
from viral.lab.study.training_rows import Row, common, find_row
from viral.run.configuration import configured


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that cannot be run on this data set for want of features."""

    name: str
    group: str
    modality: str


def family_of(base: Recipe) -> str:
    """Whether a recipe of VIRAL is of the default variant or of a published reading."""
    return "beyond" if base.config.get("variant", "beyond") == "beyond" else "published"


def chosen(names: Sequence[str] | None, base: Recipe) -> tuple[VariantGroup, ...]:
    """Studies by name, the full model's first; ``all`` is every one of the variant's, None the default ones."""
    family = family_of(base)
    fitting = [name for name, study in GROUPS.items() if study.of in (family, "any")]
    default = DEFAULT_BEYOND if family == "beyond" else DEFAULT_PUBLISHED
    wanted = list(default if names is None else fitting if "all" in names else names)
    for name in wanted:
        if name not in GROUPS:
            raise UsageError(f"unknown study {name!r}", hint=nearest(name, [*fitting, "all"]))
        if name not in fitting:
            hint = "--set variant=light takes a published reading apart" if family == "beyond" else "leave variant out"
            raise UsageError(f"study {name!r} is not of this variant of VIRAL", hint=f"{hint}; or one of {fitting}")
    return tuple(study for name, study in GROUPS.items() if name in {"anchors", *wanted})


def ablation_cells(
    base: Recipe, studies: Sequence[VariantGroup], seeds: Sequence[int], there: Mapping[str, str]
) -> tuple[list[TrainingCell], list[LeftOut]]:
    """Every cell of the groups for a full model ``base``, and the rows that need tables that are not ``there``.

    Cells come seed by seed within a row. The full model's own modalities must be there: its cells are always returned.
    """
    cells, left_out = [], []
    visual = getattr(configured(base).config, "visual", None)  # random features have its width
    for study in studies:
        for variant in study.variants:
            recipe = recipe_of(base, variant)
            reads = reads_of(recipe, there, random_like=visual)
            missing = [modality for modality in reads or () if modality not in there]
            if missing and variant.name != FULL:
                left_out.append(LeftOut(variant.name, study.name, missing[0]))
                continue
            cells += [
                TrainingCell(
                    name=variant.name,
                    group=study.name,
                    recipe=replace(recipe, train=replace(recipe.train, seed=seed)),
                    reads=reads,
                    place=variant.place,
                )
                for seed in seeds
            ]
    return cells, left_out


def recipe_of(base: Recipe, variant: Variant) -> Recipe:
    """The base with the variant's settings, or another model at its defaults, trained as a published base is."""
    if variant.model != base.model:
        if family_of(base) == "beyond":  # whose training is not another model's
            return Recipe(model=variant.model, config=dict(variant.settings), train=TrainConfig(seed=base.train.seed))
        return replace(base, model=variant.model, config=dict(variant.settings))
    values = base.values()
    for key, value in variant.settings.items():
        section, _, name = key.rpartition(".")
        values[section or "config"][name] = value
    return build(Recipe, values, where=f"row {variant.name!r}")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
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
