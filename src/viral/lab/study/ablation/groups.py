"""The ablation studies of VIRAL as data: what is taken out, exchanged or swept, and what it answers.

The first seven are those of the paper's Table 2 and modality study (arXiv 2511.02113) and the controls it lacks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from viral.base.errors import UsageError, nearest
from viral.base.language import marked
from viral.base.recipe import Recipe, TrainConfig, build
from viral.lab.study.ablation.groups_beyond import BEYOND, DEFAULT_BEYOND
from viral.lab.study.ablation.variants import Study, Variant
from viral.lab.study.cells import Cell
from viral.models.viral.config import AUTO, BeyondConfig
from viral.models.viral.paper_config import RANDOM
from viral.run.configuration import configured

FULL = "VIRAL (full)"
TEXT_ONLY, VISUAL_ONLY, TITLE_ONLY = "text only", "visual only", "title only"


def _sweep(symbol: str, key: str, values: Sequence[float]) -> tuple[Variant, ...]:
    return tuple(Variant(name=f"{symbol} = {value:g}", settings={key: value}, place=value) for value in values)


MIXTURE = {"synergy": "off", "redundancy": False, "projection": False, "user_weights": "off"}
STUDIES: Mapping[str, Study] = {
    study.name: study
    for study in (
        Study(
            name="anchors",
            title=marked("The full model and its anchors"),
            question=marked("Is the whole better than models that know nothing of items' content?"),
            variants=(
                Variant(name=FULL),
                Variant(name="LightGCN", model="lightgcn"),
                Variant(name="Popularity", model="popularity"),
            ),
            of="any",
        ),
        Study(
            name="parts",
            title=marked("Without a part"),
            question=marked(
                "What does the model lose without synergy, without redundancy, without taking it out of the"
                " picture? “No R, text out” projects the text itself out of the picture instead of the learnt part."
            ),
            variants=(
                Variant(name="no S", settings={"synergy": "off"}),
                Variant(name="no R", settings={"redundancy": False, "projection": False}),
                Variant(name="no R, text out", settings={"redundancy": False, "projection": True}),
                Variant(name="no projection", settings={"projection": False}),
            ),
        ),
        Study(
            name="fusion",
            title=marked("Another fusion"),
            question=marked(
                "Does the decomposition do better than putting the modalities side by side, or mixing them?"
            ),
            variants=tuple(
                Variant(name=f"{name} fusion", settings={"fusion": name, **MIXTURE})
                for name in ("concat", "weighted", "attention")
            ),
        ),
        Study(
            name="modalities",
            title=marked("One modality alone"),
            question=marked("What is each modality worth without the other?"),
            variants=(
                Variant(name=TEXT_ONLY, settings={"visual": None}),
                Variant(name=VISUAL_ONLY, settings={"text": None}),
            ),
        ),
        Study(
            name="picture",
            title=marked("Another source in the picture's place"),
            question=marked(
                "Is it the words about the picture that help? The description contains the title: if “title only” does"
                " as well, the picture adds nothing; if “random” does, it is the second branch and not its content."
            ),
            variants=(
                Variant(name="no enrichment", settings={"visual": "image"}),
                Variant(name="no title guidance", settings={"visual": "description-plain"}),
                Variant(name=TITLE_ONLY, settings={"visual": "title"}),
                Variant(name="random visual", settings={"visual": RANDOM}),
            ),
        ),
        Study(
            name="neighbors",
            title=marked("Neighbours in the item graph"),
            question=marked("How many similar items should an item hear of?"),
            variants=_sweep("k", "num_neighbors", (5, 10, 15, 20)),
            parameter="k",
        ),
        Study(
            name="alignment",
            title=marked("Weight of the alignment"),
            question=marked("Does aligning the parts (InfoNCE) help, and how much of it?"),
            variants=_sweep("λ", "alignment_weight", (0.0, 0.001, 0.01, 0.1)),
            parameter="λ",
        ),
        Study(
            name="graphs",
            title=marked("Without a graph or the users' weights"),
            question=marked(
                "What do the item graph, the user graph and the weights that each user has for the branches add?"
            ),
            variants=(
                Variant(name="no item graph", settings={"item_graph": False}),
                Variant(name="no user graph", settings={"user_graph": False}),
                Variant(name="no user weights", settings={"user_weights": "off"}),
            ),
        ),
        Study(
            name="readings",
            title=marked("Other readings of the method"),
            question=marked(
                "The authors' recommended branch, the paper's text, a synergy that is not alignment, attention"
                " over neighbours, knowledge fusion with the title."
            ),
            variants=(
                Variant(name="branch master", settings={"variant": "master"}),
                Variant(name="the paper's text", settings={"variant": "paper"}),
                Variant(name="interaction synergy", settings={"synergy": "interaction"}),
                Variant(name="attention over 10", settings={"attention_tokens": 10}),
                Variant(name="knowledge fusion", settings={"knowledge": "title"}),
            ),
        ),
        *BEYOND,
    )
}
DEFAULT_STUDIES = ("anchors", "parts", "fusion", "modalities", "picture", "neighbors", "alignment")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that cannot be run on this data set for want of features."""

    name: str
    group: str
    modality: str


def family_of(base: Recipe) -> str:
    """Whether a recipe of VIRAL is of the default variant or of a published reading."""
    return "beyond" if base.config.get("variant", "beyond") == "beyond" else "published"


def chosen(names: Sequence[str] | None, base: Recipe) -> tuple[Study, ...]:
    """Studies by name, the full model's first; ``all`` is every one of the variant's, None the default ones."""
    family = family_of(base)
    fitting = [name for name, study in STUDIES.items() if study.of in (family, "any")]
    default = DEFAULT_BEYOND if family == "beyond" else DEFAULT_STUDIES
    wanted = list(default if names is None else fitting if "all" in names else names)
    for name in wanted:
        if name not in STUDIES:
            raise UsageError(f"unknown study {name!r}", hint=nearest(name, [*fitting, "all"]))
        if name not in fitting:
            hint = "--set variant=light takes a published reading apart" if family == "beyond" else "leave variant out"
            raise UsageError(f"study {name!r} is not of this variant of VIRAL", hint=f"{hint}; or one of {fitting}")
    return tuple(study for name, study in STUDIES.items() if name in {"anchors", *wanted})


def ablation_cells(
    base: Recipe, studies: Sequence[Study], seeds: Sequence[int], there: frozenset[str]
) -> tuple[list[Cell], list[LeftOut]]:
    """Every cell of the studies for a full model ``base``, and the rows that need modalities that are not ``there``.

    Cells come seed by seed within a row. The full model's own modalities must be there: its cells are always returned.
    """
    cells, left_out = [], []
    for study in studies:
        for variant in study.variants:
            recipe = recipe_of(base, variant)
            reads = reads_of(recipe, base)
            missing = [modality for modality in reads or () if modality not in there]
            if missing and variant.name != FULL:
                left_out.append(LeftOut(variant.name, study.name, missing[0]))
                continue
            cells += [
                Cell(
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


def reads_of(recipe: Recipe, base: Recipe) -> tuple[str, ...] | None:
    """The modalities that a VIRAL of this configuration reads, None for all; none for the models without content.

    Random features have the width of the base's visual ones, so those are read in their place.
    """
    if recipe.model != "viral":
        return ()
    config = configured(recipe).config
    if isinstance(config, BeyondConfig):
        return None if AUTO in config.sources else tuple(dict.fromkeys(name.split(":")[-1] for name in config.sources))
    full = configured(base).config
    names = [full.visual if name == RANDOM else name for name in (*config.sources.values(), config.knowledge)]
    return tuple(dict.fromkeys(name for name in names if name is not None and name != RANDOM))
