"""A study of new items, as ``viral compare --cold`` leaves it, on the page of experiments."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages_world import Tree, make_run, opened
from viral.base.recipe import Recipe, TrainConfig
from viral.lab.report.wording import fixed
from viral.lab.study.cold.cold_cells import CONTENT, RANDOM
from viral.lab.study.cold.cold_study import HEADINGS, ColdStudy, compare_cold, label
from viral.lab.study.cold.withheld_items import PLACES
from worlds import dataset_folder, two_tastes

RECIPES = {
    "light": Recipe(model="lightgcn", config={"embedding_dim": 4}, train=TrainConfig(max_epochs=2, batch_size=256)),
    "<b>pop</b>": Recipe(model="popularity"),
}
Made = tuple[Path, ColdStudy]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A folder with the data, a run to serve, and the study in ``new``."""
    folder = tmp_path_factory.mktemp("cold")
    data = dataset_folder(folder / "tastes", two_tastes(60))
    make_run(data, folder / "served", "popularity")
    return folder, compare_cold(data, RECIPES, folder / "new", seeds=(0, 1), command="viral compare tastes --cold")


@pytest.fixture(scope="module")
def looking(made: Made) -> Iterator[TestClient]:
    with opened(made[0] / "served", made[0] / "tastes", experiments=(made[0] / "new",)) as client:
        yield client


def rows(tree: Tree) -> list[str]:
    return [text for _, text in tree.all("tr")]


def test_it_is_listed_with_its_size_and_its_best_row(looking: TestClient, made: Made) -> None:
    best = max(made[1].rows, key=lambda row: row.places["all"].recall.mean)
    line = next(text for text in rows(Tree(looking.get("/experiments").text)) if text.startswith("new"))
    assert "New items" in line and "Unreadable" not in line and "4 rows, 2 seeds" in line
    assert f"{label(best)}: recall@20 {best.places['all'].recall.mean:.4f} of new items" in line


def test_every_place_has_its_numbers_intervals_and_tests(looking: TestClient, made: Made) -> None:
    tree = Tree(looking.get("/experiments/study/new").text)
    headings = [text for _, text in tree.all("h2")]
    assert [heading for heading in headings if heading in HEADINGS.values()] == [HEADINGS[place] for place in PLACES]
    tables = dict(zip(PLACES, [text for _, text in tree.all("tbody")], strict=True))
    for row in made[1].rows:
        for place, found in row.places.items():
            told = f"{fixed(found.recall.low)} to {fixed(found.recall.high)}"
            assert fixed(found.recall.mean) in tables[place] and told in tables[place], (row.name, place)
            assert f"{fixed(found.ratio.mean, 2)} (" in tables[place]
            assert found.against is None or f"{found.against.p_holm:.2g}" in tables[place]
    assert all(row.places["all"].against is not None for row in made[1].rows if row.name not in (RANDOM, CONTENT))
    assert "viral compare tastes --cold" in tree.text and "<b>pop</b>" in tree.text
    assert not tree.stray and not [one for one in tree.elements if one[0] == "b" and one[2] == ["pop"]]


def test_it_is_not_offered_where_two_trainings_are_compared(looking: TestClient) -> None:
    options = [one["value"] for one, _ in Tree(looking.get("/experiments/compare").text).all("option")]
    assert options and not any(value.startswith("new") for value in options)


@pytest.mark.parametrize("harm", ['{"rows": [{"name": "x"}]}', '{"rows": 3}', "[]", "{"])
def test_a_damaged_one_is_named_with_its_reason(made: Made, tmp_path: Path, harm: str) -> None:
    shutil.copytree(made[0] / "new", tmp_path / "harmed", ignore=shutil.ignore_patterns("cells"))
    (tmp_path / "harmed" / "cold.json").write_text(harm)
    with opened(made[0] / "served", made[0] / "tastes", experiments=(tmp_path,)) as client:
        line = next(text for text in rows(Tree(client.get("/experiments").text)) if text.startswith("harmed"))
    assert "Unreadable" in line and ("rows" in line or "JSON" in line)


def test_what_is_no_number_is_a_dash(made: Made, tmp_path: Path) -> None:
    document = json.loads((made[0] / "new" / "cold.json").read_text())
    document["rows"][2]["places"]["all"]["ratio"] |= {"mean": None, "low": None, "high": None}
    document["rows"][3]["places"] = {}
    (tmp_path / "cold.json").write_text(json.dumps(document))
    with opened(made[0] / "served", made[0] / "tastes", experiments=(tmp_path,)) as client:
        tree = Tree(client.get(f"/experiments/study/{tmp_path.name}").text)
    assert "– (– to –)" in tree.all("tbody")[1][1]
