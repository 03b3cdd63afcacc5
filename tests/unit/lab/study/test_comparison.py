"""Models side by side: the reference is chosen on validation, the rows are the models' own, the page says the cost."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from unit.lab.report.tree import parsed
from viral.apps.cli import app
from viral.base.errors import UsageError
from viral.base.recipe import Recipe, TrainConfig
from viral.lab.study import compare
from viral.lab.study.comparison.compare import best_baseline
from viral.lab.study.comparison.leaderboard_report import finding
from viral.lab.study.statistics import Interval, compare_all
from viral.run.pipeline import train
from worlds import dataset_folder, two_tastes

FEW = TrainConfig(max_epochs=2, batch_size=64, evaluate_every=1)
RECIPES = {
    "popularity": Recipe(model="popularity"),
    "bpr": Recipe(model="bpr", config={"embedding_dim": 4}, train=FEW),
    "viral": Recipe(model="viral", config={"embedding_dim": 4, "hidden_dim": 4}, train=FEW),
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return dataset_folder(tmp_path_factory.mktemp("comparison") / "world", two_tastes(12))


@pytest.fixture(scope="module")
def out(dataset):
    return dataset.path.parent / "study"


@pytest.fixture(scope="module")
def board(dataset, out):
    return compare(dataset, RECIPES, out, seeds=range(2), metric="ndcg@10", command="viral compare …")


def test_every_model_has_the_numbers_of_its_own_training(board, dataset, tmp_path):
    assert {row.name for row in board.rows} == set(RECIPES)
    expected = train(dataset, replace(RECIPES["bpr"], train=replace(FEW, seed=1)), tmp_path / "run")
    bpr = next(row for row in board.rows if row.name == "bpr")
    assert bpr.values["ndcg@10"][1] == expected["metrics"]["ndcg@10"] and bpr.seeds == (0, 1)
    assert bpr.valid[1] == expected["valid"]["recall@20"]
    means = [row.metrics["ndcg@10"].mean for row in board.rows]
    assert means == sorted(means, reverse=True)


def test_a_budget_that_is_left_to_the_model_is_told(board, out):
    budgets = {row.name: (row.max_epochs, row.patience) for row in board.rows}
    assert budgets == {"popularity": (1000, 20), "bpr": (2, 20), "viral": (2, 5)}
    kept = {row["name"]: row for row in json.loads((out / "results.json").read_text())["rows"]}
    assert {name: (row["max_epochs"], row["patience"]) for name, row in kept.items()} == budgets


def test_all_but_the_reference_are_tested_against_it(board):
    assert board.reference in ("popularity", "bpr") and board.chosen
    assert {row.name for row in board.rows if row.comparison is None} == {board.reference}


def test_the_best_baseline_is_chosen_on_validation_and_is_not_ours(board):
    rows = {row.name: row for row in board.rows}
    worst_on_test = replace(rows["bpr"], valid=(0.9, 0.9), metrics={"ndcg@10": Interval.of([0.0])})
    best_on_test = replace(rows["popularity"], valid=(0.1, 0.1), metrics={"ndcg@10": Interval.of([1.0])})
    ours = replace(rows["viral"], valid=(1.0, 1.0))
    assert best_baseline([best_on_test, ours, worst_on_test]) == "bpr"
    assert best_baseline([ours]) == "viral"
    assert best_baseline([replace(worst_on_test, seeds=(), valid=()), best_on_test]) == "popularity"


def test_its_frame_has_the_numbers_of_its_rows_and_it_prints_as_a_table(board):
    frame, rows = board.frame(), board.rows
    assert frame["row"].to_list() == [row.name for row in rows]
    assert frame["ndcg@20_high"].to_list() == [row.metrics["ndcg@20"].high for row in rows]
    assert frame["p_holm"].to_list() == [row.comparison.p_holm if row.comparison else None for row in rows]
    assert "comparison on world" in repr(board) and "popularity" in repr(board) and len(repr(board)) < 2000


def test_a_named_row_is_the_reference(dataset, out, board):
    again = compare(dataset, RECIPES, out, seeds=range(2), against="viral")
    assert again.reference == "viral" and not again.chosen
    with pytest.raises(UsageError, match="no row is called 'virla'"):
        compare(dataset, RECIPES, out, against="virla")


def test_the_page_has_leaderboard_test_and_cost(board, dataset, out):
    compare(dataset, RECIPES, out, seeds=range(2), metric="ndcg@10", command="viral compare …")
    page = parsed((out / "report.html").read_text(encoding="utf-8"))
    headings = [heading.text for heading in page.all("h2")]
    assert headings[0] == "Leaderboard" and "Cost" in headings
    cost, budget = (cells_of(page, heading) for heading in ("Cost", "Budget"))
    assert cost["bpr"][2] == "96", "24 rows of 4 numbers"
    assert cost["popularity"][2] == "0" and cost["bpr"][3] == "–", "cells that shared a process have no memory of it"
    assert budget["bpr"] == ["2", "2", "20", "2 of 2", "–", "–", "–"] and budget["popularity"][0] == "closed form"
    assert "Ended by the limit of epochs, so that more might have helped: " in page.text
    assert f"against {board.reference}, the best baseline on validation" in page.text


def cells_of(page, heading):
    """The cells of a table by the head of their row."""
    place = [each.text for each in page.all("h2")].index(heading) + 1
    lines = page.one(id=f"section-{place}").one("tbody").all("tr")
    return {line.one("th").text: [cell.text for cell in line.all("td")] for line in lines}


def test_the_page_draws_intervals_differences_curves_and_cost(board, dataset, out):
    compare(dataset, RECIPES, out, seeds=range(2), metric="ndcg@10", command="viral compare …")
    page = parsed((out / "report.html").read_text(encoding="utf-8"))
    headings = [heading.text for heading in page.all("h2")]
    drawn = {name: page.one(id=f"section-{headings.index(name) + 1}") for name in headings}
    others = {row.name for row in board.rows} - {board.reference}
    bars = drawn[f"Difference from {board.reference}"].all("li")[:-1]
    assert {bar.all("bdi")[0].text for bar in bars} == others  # a note of significance may follow
    assert all(len(bar.all("line", class_="whisker")) == 1 for bar in bars)
    lines = drawn["Learning curves"].one("svg", class_="wide").all("polyline", class_="line")
    assert len(lines) == 2, "popularity is not trained in epochs"
    dots = drawn["Accuracy against time"].one("svg", class_="wide").all("circle")
    assert len(dots) == 3
    assert not page.all("script") and "http" not in {link.attributes["href"][:4] for link in page.all("link")}


def test_the_curves_are_those_of_the_first_seed(board, out):
    kept = [json.loads(path.read_text()) for path in (out / "cells").glob("*/result.json")]
    for name, count in (("viral", 1), ("bpr", 2)):
        first = next(each for each in kept if each["cell"] == name and each["seed"] == 0)
        curve = next(curve for curve in board.curves if curve.model == name)
        assert curve.valid == tuple(record["valid"]["ndcg@10"] for record in first["history"])
        terms = [list(record["losses"].values()) for record in first["history"]]
        assert len(terms[0]) == count and curve.loss == pytest.approx([np.sum(each) for each in terms])
        assert curve.best_epoch == first["valid"]["best_epoch"] and curve.epochs == (0, 1)


def test_the_finding_says_who_is_better_beyond_luck(board):
    rows = {row.name: row for row in board.rows}
    better = compare_all({"viral": np.linspace(0.2, 0.8, 60) + 0.1}, np.linspace(0.2, 0.8, 60))["viral"]
    luck = replace(better, p_holm=0.3)
    for comparison, said in ((better, "viral is better than bpr"), (luck, "no row is better than bpr")):
        made = (replace(rows["viral"], comparison=comparison), replace(rows["bpr"], comparison=None))
        text = finding(replace(board, rows=made, reference="bpr"))
        assert said in text and "0 of 1 are worse" in text and text.startswith("viral has the greatest ndcg@10")
    assert finding(replace(board, rows=(replace(rows["bpr"], seeds=()),))) == "No row has a result."


def test_unequal_budgets_are_told(dataset, tmp_path):
    other = {"bpr": RECIPES["bpr"], "long": replace(RECIPES["bpr"], train=replace(FEW, max_epochs=3))}
    compare(dataset, other, tmp_path / "out", seeds=[0])
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "not allowed the same epochs or patience" in page
    assert cells_of(parsed(page), "Budget")["long"][:2] == ["3", "3"]


def test_a_row_that_failed_stands_in_every_table_with_its_reason(dataset, tmp_path):
    diverging = replace(RECIPES["bpr"], train=replace(FEW, learning_rate=1e38))
    board = compare(dataset, {"popularity": RECIPES["popularity"], "bad": diverging}, tmp_path / "out", seeds=[0])
    page = parsed((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert [row.name for row in board.rows] == ["popularity", "bad"]
    assert cells_of(page, "Budget")["bad"][:4] == ["2", "–", "20", "–"]
    assert set(cells_of(page, "Cost")["bad"]) == set(cells_of(page, "recall@20 by users and items")["bad"]) == {"–"}
    assert "lower the learning rate" in page.text and "kept no ranks" not in page.text


def viral(dataset, out, *words, code=0):
    done = CliRunner().invoke(app, ["compare", str(dataset.path), "--out", str(out), *words])
    assert done.exit_code == code, done.output
    return done


@pytest.mark.slow
def test_the_command_line_runs_each_cell_in_a_process_of_its_own(dataset, tmp_path):
    (tmp_path / "small-bpr.toml").write_text('model = "bpr"\n[config]\nembedding_dim = 4\n')
    words = ["--models", "popularity", "--recipe", str(tmp_path / "small-bpr.toml"), "--set", "train.max_epochs=1"]
    result = json.loads(viral(dataset, tmp_path / "out", *words, "--seeds", "1", "--json").stdout)
    rows = {row["name"]: row for row in result["rows"]}
    assert rows["small-bpr"]["epochs"] == [1] and rows["small-bpr"]["parameters"] == 96
    assert all(row["memory"][0] > 50e6 for row in rows.values())
    assert "--recipe" in result["command"] and "--set train.max_epochs=1" in result["command"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to compare"),
        (["--models", "bpr,bpr"], "same name"),
        (["--models", "bprr"], "unknown model"),
        (["--models", "bpr", "--against", "ease"], "no row is called 'ease'"),
        (["--models", "bpr,viral", "--set", "num_neighbors=3"], "num_neighbors"),
    ],
)
def test_wrong_words_are_told_at_once(dataset, tmp_path, words, said):
    done = viral(dataset, tmp_path / "out", *words, code=2)
    assert said in done.stderr and "Traceback" not in done.output
