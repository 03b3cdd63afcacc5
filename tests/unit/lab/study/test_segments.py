"""A comparison by whom it serves, what it shows and what its tuning cost; cells of older versions have no ranks."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from unit.lab.report.tree import parsed
from viral.apps.cli import app
from viral.apps.cli.experiment import _recipes, _tuning
from viral.base.files import read_json, write_json
from viral.base.recipe import Recipe, TrainConfig
from viral.evaluation import PairedTest, evaluate, holm, item_segments, least_p, paired_test
from viral.lab.study import TrainingCell, compare, run_cells
from viral.lab.study.comparison.segment_tables import findings, mark
from viral.lab.study.comparison.segments import Segment, SegmentTest
from viral.lab.study.kept_results import RANKS_FILE
from viral.lab.study.statistics import Interval
from viral.lab.study.training_cells import exposure_of
from viral.lab.study.tuning.tuning_study import Effort
from viral.run.bundle import Bundle
from viral.run.pipeline import load_split, train
from worlds import dataset_folder, random_world

FEW = TrainConfig(max_epochs=2, batch_size=64)
BPR = Recipe(model="bpr", config={"embedding_dim": 4}, train=FEW)
RECIPES = {"popularity": Recipe(model="popularity", train=FEW), "bpr": BPR}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return dataset_folder(tmp_path_factory.mktemp("segments") / "world", random_world(30, 80, 0.08, seed=5))


@pytest.fixture(scope="module")
def out(dataset):
    return dataset.path.parent / "study"


@pytest.fixture(scope="module")
def board(dataset, out):
    return compare(dataset, RECIPES, out, seeds=range(2), tuning={"bpr": Effort(20, 300, 400.0)})


def of(board, row, segment):
    return next((each for each in board.segments if (each.row, each.segment) == (row, segment)), None)


def test_segments_are_what_a_ranking_of_their_items_alone_measures(board, dataset, tmp_path):
    split = load_split(dataset)
    train(dataset, replace(BPR, train=replace(FEW, seed=1)), tmp_path / "run")
    scorer = Bundle.load(tmp_path / "run" / "bundle").scorer
    for name, mask in item_segments(split.train).items():
        kept = mask[split.test.items]
        part = replace(split.test, users=split.test.users[kept], items=split.test.items[kept])
        expected = evaluate(scorer, part, split.train)
        found = of(board, "bpr", name)
        assert found.users == len(expected.users)
        means = [expected.mean()["ndcg@20"]]
        train(dataset, replace(BPR, train=replace(FEW, seed=0)), tmp_path / f"run0-{name}")
        other = Bundle.load(tmp_path / f"run0-{name}" / "bundle").scorer
        means.append(evaluate(other, part, split.train).mean()["ndcg@20"])
        assert found.metrics["ndcg@20"].mean == pytest.approx(sum(means) / 2, abs=1e-6)
    assert of(board, "bpr", "cold") is not None, "the world has items that only the test set knows"


def test_light_and_heavy_users_make_up_all(board):
    light, heavy = of(board, "popularity", "light"), of(board, "popularity", "heavy")
    assert light.users + heavy.users == board.users
    whole = next(row for row in board.rows if row.name == "popularity").metrics["recall@20"].mean
    parts = light.users * light.metrics["recall@20"].mean + heavy.users * heavy.metrics["recall@20"].mean
    assert parts / board.users == pytest.approx(whole)


def test_popularity_is_that_of_what_is_shown(board, dataset):
    split = load_split(dataset)
    degrees = split.train.item_degrees().double()
    assert board.held_out_popularity == pytest.approx(degrees[split.test.items].mean().item())
    rows = {row.name: row.metrics["popularity@20"].mean for row in board.rows}
    assert rows["popularity"] > rows["bpr"] > 0

    def by_degree(users, out=None):
        scores = degrees.float().expand(len(users), -1)
        return scores.clone() if out is None else out.copy_(scores)

    metrics = evaluate(by_degree, split.test, split.train)
    shown = [degrees[~torch.isin(torch.arange(80), split.train.items[split.train.users == u])] for u in metrics.users]
    expected = torch.stack([each.sort(descending=True).values[:20].mean() for each in shown]).mean().item()
    assert exposure_of(metrics, split)["popularity@20"] == pytest.approx(expected)


def test_every_output_has_the_segments(board, out):
    document = json.loads((out / "results.json").read_text())
    assert {(each["row"], each["segment"]) for each in document["segments"]} == {
        (row, segment) for row in RECIPES for segment in ("light", "heavy", "head", "tail", "cold")
    }
    assert document["held_out_popularity"] == board.held_out_popularity and document["tuning"]["bpr"]["trials"] == 20
    with (out / "segments.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * 5 * 4
    head = next(
        line for line in lines if (line["row"], line["segment"], line["metric"]) == ("bpr", "head", "recall@20")
    )
    assert float(head["mean"]) == of(board, "bpr", "head").metrics["recall@20"].mean and head["seeds"] == "0 1"
    page = parsed((out / "report.html").read_text(encoding="utf-8"))
    headings = [heading.text for heading in page.all("h2")]
    assert "recall@20 by users and items" in headings and "Popularity bias" in headings
    assert "not tuned with the same effort" in page.text
    budget = page.one(id=f"section-{headings.index('Budget') + 1}").one("tbody").text.replace("\u00a0", " ")
    assert all(said in budget for said in ("20", "300", "6 min 40 s"))
    tables = (out / "results.tex").read_text(encoding="utf-8")
    assert tables.count(r"\begin{table}") == tables.count(r"\end{table}") == 6
    assert all(said in tables for said in ("recall@20 by users and items", "Popularity bias", "wins / ties / losses",
                                           "peak memory", "tuning trials", "6~min 40~s"))  # fmt: skip


def per_user(out, row, segment, split):
    """Recall@20 of each user of a segment, averaged over the seeds, from the cells' files alone."""
    import pyarrow.parquet as pq

    values = []
    for path in sorted((out / "cells").glob("*/result.json")):
        if json.loads(path.read_text())["cell"] != row:
            continue
        if segment in ("light", "heavy"):
            table = pq.read_table(path.parent / "users.parquet")
            degrees = split.train.user_degrees()[split.users.indices(table["user_id"].to_pylist())]
            chosen = (degrees <= degrees.median()).numpy()
            values.append(table["recall@20"].to_numpy()[chosen if segment == "light" else ~chosen])
            continue
        table, mask = pq.read_table(path.parent / RANKS_FILE).to_pydict(), item_segments(split.train)[segment]
        hits = {}
        for user, item, rank in zip(table["user"], table["item"], table["rank"], strict=True):
            if mask[item]:
                hits.setdefault(user, []).append(rank > 0)
        values.append(np.array([np.mean(hits[user]) for user in sorted(hits)]))
    return np.mean(values, axis=0)


def test_segments_are_tested_user_by_user_against_the_reference(board, out, dataset):
    split, other = load_split(dataset), next(row for row in RECIPES if row != board.reference)
    assert all(of(board, board.reference, name).comparison is None for name in ("light", "head", "cold"))
    p = {}
    for name in ("light", "heavy", "head", "tail", "cold"):
        values, theirs = (per_user(out, row, name, split) for row in (other, board.reference))
        found, expected = of(board, other, name).comparison, paired_test(values, theirs)
        assert found.test.difference == pytest.approx(expected.difference)
        assert (found.test.wins, found.test.losses) == (expected.wins, expected.losses)
        assert found.test.p_value == pytest.approx(expected.p_value, abs=0.03)
        assert found.least_p == min(1, 2 / 2 ** (expected.wins + expected.losses))
        p[name] = found.test.p_value
    assert {name: of(board, other, name).comparison.p_holm for name in p} == holm(p), "Holm within the table"


def test_the_csv_has_the_tests_of_the_segments(board, out):
    other = next(row for row in RECIPES if row != board.reference)
    with (out / "segments.csv").open(encoding="utf-8", newline="") as file:
        lines = {(line["row"], line["segment"], line["metric"]): line for line in csv.DictReader(file)}
    found, test = lines[other, "tail", "recall@20"], of(board, other, "tail").comparison
    assert float(found["p_holm"]) == test.p_holm and float(found["least_p"]) == test.least_p
    assert found["against"] == board.reference and float(found["difference"]) == test.test.difference
    assert lines[other, "tail", "ndcg@20"]["p_value"] == lines[board.reference, "tail", "recall@20"]["p_value"] == ""
    document = json.loads((out / "results.json").read_text())
    kept = next(each for each in document["segments"] if (each["row"], each["segment"]) == (other, "tail"))
    assert kept["comparison"]["p_value"] == test.test.p_value and kept["users"] == of(board, other, "tail").users


def a_segment(row, segment, difference, *, differ, p_holm):
    wins, losses = (differ, 0) if difference > 0 else (0, differ)
    test = PairedTest(difference, 0.0, 0.0, p_holm, wins, 5, losses)
    metrics = dict.fromkeys(("recall@10", "recall@20", "ndcg@10", "ndcg@20"), Interval.of([0.3]))
    return Segment(row, segment, differ + 5, metrics, SegmentTest(test, p_holm, least_p(test)))


def test_a_segment_in_which_too_few_users_differ_says_so():
    few = a_segment("a", "cold", 0.2, differ=5, p_holm=0.06)
    enough = a_segment("a", "tail", 0.2, differ=6, p_holm=0.06)
    better, worse = (
        a_segment("a", "head", 0.2, differ=40, p_holm=0.01),
        a_segment("b", "head", -0.2, differ=40, p_holm=0.01),
    )
    assert [mark(each) for each in (few, enough, better, worse)] == ["°", "", "▲", "▼"]
    said = " ".join(findings([few, enough, better, worse], "bpr"))
    assert "beyond luck over its users: a (head)." in said and "Too few users differ for any word on: cold." in said
    assert findings([replace(few, comparison=None)], "bpr") == []


def test_a_row_under_a_second_name_is_one_test(dataset, tmp_path):
    twins = {**RECIPES, "again": BPR}
    board = compare(dataset, twins, tmp_path / "out", seeds=[0], against="popularity")
    assert of(board, "bpr", "tail").comparison == of(board, "again", "tail").comparison
    assert of(board, "bpr", "tail").comparison.p_holm <= min(1, 5 * of(board, "bpr", "tail").comparison.test.p_value)
    same = compare(dataset, twins, tmp_path / "out", seeds=[0], against="bpr")
    assert of(same, "again", "tail").comparison is None and of(same, "popularity", "tail").comparison is not None


@pytest.mark.parametrize("damage", ["of an older version", "changed"])
def test_cells_without_ranks_still_stand_in_the_table(dataset, tmp_path, damage):
    cell = TrainingCell(name="bpr", group="models", recipe=BPR)
    result = run_cells(dataset, [cell], tmp_path / "study")[0].result
    assert len(result.ranks()[0]) == dataset.manifest["counts"]["test"]
    if damage == "changed":
        (result.folder / RANKS_FILE).write_bytes(b"PAR1 of something else")
    else:
        (result.folder / RANKS_FILE).unlink()
        kept = read_json(result.folder / "result.json")
        gone = ("ranks_sha256", "exposure", "seal", "sealed")
        write_json(result.folder / "result.json", {k: v for k, v in kept.items() if k not in gone})
    board = compare(dataset, {"bpr": BPR}, tmp_path / "study", seeds=[0])
    assert of(board, "bpr", "head") is None and of(board, "bpr", "light") is not None
    journal = (tmp_path / "study" / "journal.jsonl").read_text().splitlines()
    assert len(journal) == 2, "a finished cell is not computed again for it"


def test_a_tuned_recipe_is_a_row_of_its_folder_s_name_with_its_effort(dataset, tmp_path):
    words = ["tune", str(dataset.path), "--model", "bpr", "--out", str(tmp_path / "mine"), "--trials", "2"]
    done = CliRunner().invoke(app, [*words, "--epochs", "1"])
    assert done.exit_code == 0, done.output
    best = tmp_path / "mine" / "best.toml"
    assert list(_recipes([], [best], [])) == ["mine"]
    assert _tuning([best])["mine"].trials == 2 and _tuning([best])["mine"].epochs == 2
    best.write_text(best.read_text().replace("max_epochs = 1", "max_epochs = 7"))
    assert _tuning([best]) == {}, "a recipe that was changed since is not what the study ended with"
    (tmp_path / "plain.toml").write_text('model = "bpr"\n')
    assert _tuning([tmp_path / "plain.toml"]) == {} and list(_recipes([], [tmp_path / "plain.toml"], [])) == ["plain"]
