"""The studies as data: every row is a configuration that VIRAL takes, and differs from the full one as it says."""

from collections import Counter
from dataclasses import replace

import pytest

from viral.base.errors import UsageError
from viral.base.recipe import Recipe, TrainConfig, build
from viral.lab.study.ablation.ablation import ablation_cells, chosen, recipe_of
from viral.lab.study.ablation.variants import DEFAULT_PUBLISHED, FULL, GROUPS, Variant, VariantGroup
from viral.lab.study.feature_reads import reads_of
from viral.models.viral.paper_config import VIRALConfig

BASE = Recipe(model="viral", config={"variant": "light", "embedding_dim": 32}, train=TrainConfig(batch_size=64))
THERE = dict.fromkeys(("text", "title", "description", "description-plain", "image"), "test")
ISSUE = {
    FULL, "LightGCN", "Popularity", "no enrichment", "no title guidance", "concat fusion", "weighted fusion", "no S",
    "no R", "no projection", "title only", "random visual", "text only", "visual only",
    "k = 5", "k = 10", "k = 15", "k = 20", "λ = 0", "λ = 0.001", "λ = 0.01", "λ = 0.1",
}  # fmt: skip


def config(cell):
    return build(VIRALConfig, cell.recipe.config, where="test")


def test_the_default_studies_have_every_row_that_is_asked_for():
    cells, left_out = ablation_cells(BASE, chosen(None, BASE), [0], THERE)
    assert {cell.name for cell in cells} >= ISSUE and not left_out


def test_every_row_of_every_study_is_a_configuration_and_no_two_are_the_same_by_mistake():
    cells, left_out = ablation_cells(BASE, chosen(["all"], BASE), [0], THERE)
    published = {name for name, study in GROUPS.items() if study.of != "beyond"}
    assert not left_out and {cell.group for cell in cells} == published
    same = Counter(cell.model_key for cell in cells)
    twins = {cell.name for cell in cells if same[cell.model_key] > 1}
    assert twins == {FULL, "k = 10", "λ = 0.01"}, "the full model's own values in the sweeps"
    assert len({(cell.group, cell.name) for cell in cells}) == len(cells)


def test_rows_differ_from_the_full_model_in_what_they_say_and_nothing_else():
    cells = {cell.name: cell for cell in ablation_cells(BASE, chosen(["all"], BASE), [0], THERE)[0]}
    full = config(cells[FULL])
    assert full.embedding_dim == 32
    wanted = {
        "no S": replace(full, synergy="off"),
        "no R": replace(full, redundancy=False, projection=False),
        "no projection": replace(full, projection=False),
        "no enrichment": replace(full, visual="image"),
        "no title guidance": replace(full, visual="description-plain"),
        "title only": replace(full, visual="title"),
        "random visual": replace(full, visual="random"),
        "text only": replace(full, visual=None),
        "visual only": replace(full, text=None),
        "k = 15": replace(full, num_neighbors=15),
        "λ = 0": replace(full, alignment_weight=0.0),
    }
    assert {name: config(cells[name]) for name in wanted} == wanted
    assert config(cells["concat fusion"]).fusion == "concat"
    assert cells["LightGCN"].recipe == Recipe(model="lightgcn", train=BASE.train)


def test_every_row_has_every_seed_and_the_recipes_training():
    cells, _ = ablation_cells(BASE, chosen(["parts"], BASE), [4, 7], THERE)
    assert Counter(cell.name for cell in cells) == dict.fromkeys({cell.name for cell in cells}, 2)
    assert {cell.recipe.train for cell in cells} == {replace(BASE.train, seed=seed) for seed in (4, 7)}


def test_a_row_without_its_features_is_left_out_by_name():
    cells, left_out = ablation_cells(
        BASE, chosen(None, BASE), [0, 1], {m: e for m, e in THERE.items() if m not in ("image", "description-plain")}
    )
    assert [(row.name, row.modality) for row in left_out] == [
        ("no enrichment", "image"),
        ("no title guidance", "description-plain"),
    ]
    assert not {row.name for row in left_out} & {cell.name for cell in cells}


def test_the_full_model_is_never_left_out():
    cells, _ = ablation_cells(BASE, chosen(["modalities"], BASE), [0], {"text": "test"})
    assert [cell.reads for cell in cells if cell.name == FULL] == [("text", "description")]


@pytest.mark.parametrize(
    ("settings", "reads"),
    [
        ({}, ("text", "description")),
        ({"visual": None}, ("text",)),
        ({"text": None}, ("description",)),
        ({"visual": "random"}, ("text", "description")),
        ({"knowledge": "title"}, ("text", "description", "title")),
        ({"others": ["image"]}, ("text", "description", "image")),
    ],
)
def test_a_row_is_given_what_its_configuration_names(settings, reads):
    assert reads_of(recipe_of(BASE, Variant(name="row", settings=settings)), THERE, random_like="description") == reads


def test_models_without_content_are_given_no_features():
    assert reads_of(Recipe(model="lightgcn"), THERE) == ()


def test_studies_are_chosen_by_name_with_the_full_model_before_them():
    assert [study.name for study in chosen(["alignment"], BASE)] == ["anchors", "alignment"]
    assert tuple(study.name for study in chosen(None, BASE)) == DEFAULT_PUBLISHED
    with pytest.raises(UsageError, match="unknown study 'fusoin'") as caught:
        chosen(["fusoin"], BASE)
    assert "fusion" in caught.value.hint


def test_a_study_whose_fields_the_model_does_not_know_is_an_error():
    study = VariantGroup(name="new", title="", question="", rows={"row": {"sinergy": "off"}})
    with pytest.raises(UsageError, match="unknown key 'sinergy'"):
        ablation_cells(BASE, [study], [0], THERE)
