"""Which rows an ablation has: groups by name, each row's recipe, and what it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from viral.base.errors import UsageError, nearest
from viral.base.recipe import Recipe, TrainConfig, build
from viral.lab.study.ablation.default_groups import BEYOND, DEFAULT_BEYOND
from viral.lab.study.ablation.published_groups import DEFAULT_PUBLISHED, FULL, PUBLISHED
from viral.lab.study.ablation.variant_groups import Variant, VariantGroup
from viral.lab.study.feature_reads import reads_of
from viral.lab.study.training_cells import TrainingCell
from viral.run.configuration import configured

GROUPS: Mapping[str, VariantGroup] = {**PUBLISHED, **{group.name: group for group in BEYOND}}


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
