"""Published numbers as data: each with a source and a caveat, beside ours, and never as if they were of these data."""

import csv
import json
import math

import pytest
from typer.testing import CliRunner

from unit.lab.report.tree import parsed
from viral.apps.cli import app
from viral.base.errors import UsageError
from viral.base.recipe import Recipe, TrainConfig
from viral.lab.study import compare
from viral.lab.study.comparison.published_numbers import (
    METRICS,
    SPLITS,
    Published,
    PublishedRow,
    pairs,
    published,
    published_json,
    published_latex,
    published_section,
    write_published,
)
from viral.lab.study.statistics import Interval
from viral.lab.study.training_rows import METRICS as ALL_METRICS
from viral.lab.study.training_rows import Row
from viral.models import MODELS
from worlds import dataset_folder, two_tastes

FEW = TrainConfig(max_epochs=1, batch_size=64)
# Of the zoo, present or to come.
KEYS = {"bpr", "lightgcn", "vbpr", "mmgcn", "grcn", "freedom", "cohesion", "mentor", "dualgnn", "lattice", "slmrec",
        "bm3", "mgcn", "lgmrec", "dragon", "smore", "gume", "soil", "ease", "easetext", "viral"}  # fmt: skip
THEIRS = Published(
    "amazon-baby",
    (
        PublishedRow("BPR", "bpr", {"recall@20": 0.05, "ndcg@20": 0.02}, "a paper", "one seed"),
        PublishedRow("Other", "", {"recall@20": 0.09}, "=a README", "not verified, 100 % of it"),
        PublishedRow("BPR", "bpr", {"recall@20": 0.06}, "a fork", "a rerun"),
    ),
)


def row(name, model, mean):
    numbers = {metric: (mean, mean) for metric in ALL_METRICS}
    return Row(
        name=name, group="models", model=model, model_key=name, place=None, seeds=(0, 1), values=numbers, valid=(),
        metrics={metric: Interval.of(list(values)) for metric, values in numbers.items()}, epochs=(), epoch_seconds=(),
        seconds=(), parameters=None, memory=(), commits=(), failures=(),
        code_changed=None, max_epochs=1, patience=1, stopped=(),
    )  # fmt: skip


OURS = [row("bpr", "bpr", 0.06), row("bpr_tuned", "bpr", 0.055), row("mine", "mine:Mine", 0.01)]


@pytest.mark.parametrize("name", list(SPLITS))
def test_every_row_has_numbers_that_can_be_a_source_and_a_caveat(name):
    rows = published(name).rows
    assert len(rows) > 30
    for each in rows:
        assert each.metrics and all(0 < value < 0.2 for value in each.metrics.values())
        for metric in ("recall", "ndcg"):
            ten, twenty = (each.metrics.get(f"{metric}@{k}") for k in (10, 20))
            assert ten is None or twenty is None or ten < twenty, each
        assert each.source and each.caveat and each.key in KEYS | {""}
    assert len({(each.model, each.source) for each in rows}) == len(rows)
    assert {key for key in MODELS if key in KEYS} & {each.key for each in rows} >= {"bpr", "lightgcn", "viral"}


def test_numbers_that_everybody_quotes():
    baby, sports, clothing = ({each.model: each.metrics for each in reversed(published(n).rows)} for n in SPLITS)
    assert baby["LightGCN"] == {"recall@10": 0.0479, "recall@20": 0.0754, "ndcg@10": 0.0257, "ndcg@20": 0.0328}
    assert baby["VIRAL"] == {"recall@10": 0.0705, "ndcg@20": 0.0474}
    assert sports["MF-BPR"]["ndcg@20"] == 0.0298 and clothing["FREEDOM"]["recall@20"] == 0.0941


def test_a_report_stands_with_every_row_of_its_model_and_the_others_alone():
    made = pairs(THEIRS, OURS)
    named = [(p.theirs and p.theirs.source, p.ours and p.ours.name) for p in made]
    assert named == [
        ("a paper", "bpr"), ("a paper", "bpr_tuned"), ("=a README", None), ("a fork", "bpr"), ("a fork", "bpr_tuned"),
        (None, "mine"),
    ]  # fmt: skip
    assert made[0].relative("recall@20") == pytest.approx(0.2)
    assert made[4].relative("recall@20") == pytest.approx(0.055 / 0.06 - 1)
    assert math.isnan(made[0].relative("recall@10")) and math.isnan(made[2].relative("recall@20"))


def test_the_section_has_theirs_ours_and_every_caveat():
    table = published_section(THEIRS, OURS, "")
    cells = [(line[0], line[2], note) for line, note in zip(table.rows, table.notes, strict=True)]
    ours = "ours, 2 seeds: chosen on validation"
    assert cells == [
        ("BPR", "0.0500", "a paper: one seed"),
        ("Other", "0.0900", "=a README: not verified, 100 % of it"),
        ("BPR", "0.0600", "a fork: a rerun"),
        ("bpr", "0.0600 (+20.0\u00a0%)", ours),
        ("bpr_tuned", "0.0550 (+10.0\u00a0%)", ours),
        ("mine", "0.0100", ours),
    ]
    assert table.rows[0][1] == "–", "a number that is not known is not invented"
    assert table.highlight == {3, 4, 5}
    other = published_section(THEIRS, OURS, "Not the same data.")
    assert other.intro == "Not the same data." and "cannot be compared" in other.notes[3]
    assert other.rows[3][2] == "0.0600", "what cannot be compared is not divided"


def test_the_csv_has_a_line_for_each_pair_and_metric(tmp_path):
    write_published(tmp_path / "p.csv", THEIRS, OURS, "")
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["metric"] == "recall@20"]
    assert len(lines) == 6 and float(lines[0]["relative"]) == pytest.approx(0.2) and lines[0]["comparable"] == "yes"
    assert lines[2]["source"] == "'=a README" and lines[2]["mean"] == ""
    assert (lines[5]["model"], lines[5]["published"], lines[5]["ours"]) == ("mine:Mine", "", "mine")
    write_published(tmp_path / "p.csv", THEIRS, OURS, "other data")
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        assert {line["relative"] for line in csv.DictReader(file)} == {""}
    assert "yes" not in {line.rpartition(",")[2] for line in (tmp_path / "p.csv").read_text().splitlines()}


def test_the_latex_table_numbers_the_caveats():
    text = published_latex(THEIRS, OURS, caption="C", fault="Other data.")
    assert "%)" not in text and r"\caption{C Other data.}" in text
    text = published_latex(THEIRS, OURS, caption="C", fault="")
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert all(line.count("&") == 4 for line in lines) and len(lines) == 7
    assert lines[1].startswith("BPR$^{1}$ & -- & 0.0500") and r"0.0600 (+20.0~\%)" in lines[4]
    assert r"$^{2}$ =a README: not verified, 100 \% of it." in text and r"\caption{C}" in text
    assert r"bpr\_tuned, ours" in text


def test_only_the_published_split_is_compared(tmp_path):
    world = dataset_folder(tmp_path / "world", two_tastes(12))
    theirs = published("amazon-baby")
    assert "118,551 / 20,559 / 21,682" in theirs.fault(world.manifest["counts"])
    sizes = dict(zip(("train", "valid", "test"), SPLITS["amazon-baby"], strict=True))
    world.manifest["counts"].update(sizes)
    assert theirs.fault(world.manifest["counts"]) == "" and published("amazon-sports").fault(world.manifest["counts"])
    with pytest.raises(UsageError, match="nothing published"):
        published("amazon-babby")


def test_compare_puts_theirs_beside_ours_everywhere(tmp_path, capsys):
    dataset = dataset_folder(tmp_path / "world", two_tastes(12))
    recipes = {"bpr": Recipe(model="bpr", config={"embedding_dim": 4}, train=FEW)}
    board = compare(dataset, recipes, tmp_path / "out", seeds=[0], beside_published="amazon-baby")
    assert board.unlike and board.unlike in capsys.readouterr().err
    document = json.loads((tmp_path / "out" / "results.json").read_text())["published"]
    assert document["comparable"] is False and len(document["rows"]) == len(published("amazon-baby").rows)
    first = document["rows"][0]
    assert first["model"] == "MF-BPR" and first["ours"] == "bpr" and first["caveat"]
    assert first["relative"] is None, "of another split"
    same = published_json(board.published, board.rows, "")["rows"][0]
    mine = board.rows[0].metrics["recall@20"].mean
    assert same["relative"]["recall@20"] == pytest.approx(mine / 0.0575 - 1) and set(METRICS) <= set(same["relative"])
    page = parsed((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert "Beside the published numbers of amazon-baby" in [heading.text for heading in page.all("h2")]
    for each in published("amazon-baby").rows:
        assert each.caveat in page.text and each.model in page.text
    assert board.unlike in page.text and (tmp_path / "out" / "published.csv").exists()
    assert "LGMRec's own logs" in (tmp_path / "out" / "published.tex").read_text(encoding="utf-8")


def test_an_unknown_benchmark_is_told_before_anything_is_trained(tmp_path):
    dataset = dataset_folder(tmp_path / "world", two_tastes(12))
    words = ["compare", str(dataset.path), "--models", "bpr", "--out", str(tmp_path / "out"), "--published", "baby"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2 and "amazon-baby" in done.stderr and not (tmp_path / "out").exists()
