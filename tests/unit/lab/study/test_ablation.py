"""A whole ablation of a small world through the command line: its files, its report, its faults."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from unit.lab.report.tree import parsed
from viral.apps.cli import app
from viral.encode import FeatureTable
from viral.lab.study import data_hashes
from viral.lab.study import training_rows as analysis
from viral.lab.study.ablation.variants import FULL
from viral.lab.study.statistics import compare_all
from worlds import dataset_folder, two_tastes

SMALL = [
    word
    for setting in (
        "variant=light",
        "embedding_dim=4",
        "hidden_dim=4",
        "num_user_neighbors=5",
        "max_epochs=2",
        "batch_size=64",
    )
    for word in ("--set", setting)
]


def ablate(dataset, out, *words, code=0):
    done = CliRunner().invoke(app, ["ablate", str(dataset.path), "--out", str(out), *SMALL, *words])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return dataset_folder(tmp_path_factory.mktemp("ablation") / "world", two_tastes(12))


@pytest.fixture(scope="module")
def out(dataset):
    return dataset.path.parent / "study"


@pytest.fixture(scope="module")
def result(dataset, out):
    """Printed JSON of the default studies at two seeds."""
    return json.loads(ablate(dataset, out, "--seeds", "2", "--metric", "ndcg@10", "--json").stdout)


def rows_of(result):
    return {(row["group"], row["name"]): row for row in result["rows"]}


def test_every_row_has_its_seeds_its_budget_and_its_test(result):
    rows = rows_of(result)
    assert {("parts", "no S"), ("fusion", "concat fusion"), ("neighbors", "k = 20"), ("alignment", "λ = 0")} <= set(
        rows
    )
    for row in rows.values():
        assert row["seeds"] == [0, 1] and len(row["epochs"]) == len(row["seconds"]) == 2
        assert all(seconds > 0 for seconds in row["seconds"]) and row["commits"] and not row["failures"]
    assert rows["anchors", FULL]["comparison"] is None is rows["neighbors", "k = 10"]["comparison"]
    assert rows["parts", "no S"]["comparison"]["p_holm"] >= rows["parts", "no S"]["comparison"]["p_value"]


def test_the_numbers_are_those_of_the_cells(result, out):
    rows = rows_of(result)
    found = {}
    for path in (out / "cells").glob("*/result.json"):
        summary = json.loads(path.read_text())
        found.setdefault(summary["cell"], {})[summary["seed"]] = (path.parent, summary)
    full = [found[FULL][seed][1]["metrics"]["ndcg@10"] for seed in (0, 1)]
    assert rows["anchors", FULL]["values"]["ndcg@10"] == full
    text = [found["text only"][seed][1]["metrics"]["ndcg@10"] for seed in (0, 1)]
    expected = np.mean([(f - t) / t for f, t in zip(full, text, strict=True)])
    assert result["visual_contribution"]["text only"]["mean"] == pytest.approx(expected)

    import pyarrow.parquet as pq

    def users(name):
        tables = [pq.read_table(found[name][seed][0] / "users.parquet") for seed in (0, 1)]
        return np.mean([table["ndcg@10"].to_numpy() for table in tables], axis=0)

    distinct = {name for name in found if name != FULL}
    expected = compare_all({name: users(name) for name in sorted(distinct)}, users(FULL))["no S"]
    comparison = rows["parts", "no S"]["comparison"]
    assert comparison["p_value"] == expected.test.p_value and comparison["difference"] == expected.test.difference
    assert comparison["p_holm"] == pytest.approx(expected.p_holm)


def test_what_cannot_be_run_is_left_out_and_says_what_to_run(result, dataset):
    left = {row["name"]: row["run"] for row in result["left_out"]}
    assert left["no title guidance"] == f"viral enrich {dataset.path} --prompt plain"
    assert left["title only"] == f"viral encode {dataset.path} --modality title"


def test_the_files_are_there_and_say_how_they_were_made(result, out):
    assert json.loads((out / "results.json").read_text())["rows"] == result["rows"]
    command = result["command"]
    assert command.startswith("viral ablate ") and "--set max_epochs=2" in command and "--metric ndcg@10" in command
    with (out / "results.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(result["rows"]) * len(analysis.METRICS)
    assert r"no S &" in (out / "results.tex").read_text()


def test_the_report_shows_the_rows_the_sweeps_and_the_shares(result, out, dataset):
    page = parsed((out / "report.html").read_text(encoding="utf-8"))
    headings = [heading.text for heading in page.all("h2")]
    assert {"The rows", "Neighbours in the item graph", "Weight of the alignment", "What the picture adds"} <= set(
        headings
    )
    caption = page.one("table", class_="ranking").one("caption").text
    assert "seeds 0, 1" in caption and "viral ablate" in caption and "12 users" in caption
    names = [row.one("th").text for row in page.one("table", class_="ranking").one("tbody").all("tr")]
    assert names[0].startswith(FULL) and len(names) == len([r for r in result["rows"] if r["place"] is None])
    sweep = page.one(id=f"section-{headings.index('Weight of the alignment') + 1}")
    assert [row.one("th").text for row in sweep.one("tbody").all("tr")] == ["0", "0.001", "0.01", "0.1"]
    mean = rows_of(result)["alignment", "λ = 0.1"]["metrics"]["ndcg@10"]["mean"]
    assert sweep.one("tbody").all("tr")[3].all("td")[0].text == f"{mean:.4f}"
    assert "description-plain" in page.text and "2 seeds: too few for an interval" in page.text


def test_the_same_command_computes_nothing(result, dataset, out):
    before = (out / "journal.jsonl").read_bytes()
    again = ablate(dataset, out, "--seeds", "2", "--metric", "ndcg@10", "--json")
    assert json.loads(again.stdout)["rows"] == result["rows"]
    assert (out / "journal.jsonl").read_bytes() == before


def test_more_seeds_are_more_cells_and_no_others(result, dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("seeds")
    for seeds in ("1", "2"):
        done = ablate(dataset, out, "--studies", "fusion,parts", "--seeds", seeds)
    lines = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    finished = [(line["name"], line["seed"]) for line in lines if line["event"] == "finished"]
    assert len(finished) == len(set(finished)) == 2 * 10
    assert "fusion: concat fusion" in done.stdout and "open" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--studies", "fusoin"], 2, "unknown study 'fusoin'"),
        (["--metric", "coverage@20"], 2, "cannot test"),
        (["--set", "synergie=off"], 2, "unknown key 'synergie'"),
        (["--set", "model=lightgcn"], 2, "not 'lightgcn'"),
        (["--set", "visual=audio"], 1, "no 'audio' features"),
        (["--seeds", "0"], 2, "--seeds"),
        (["--set", "learning_rate=1e38", "--studies", "modalities", "--seeds", "1"], 1, "lower the learning rate"),
    ],
)
def test_faults_have_their_status_and_no_traceback(dataset, tmp_path, words, code, said):
    done = ablate(dataset, tmp_path / "out", *words, code=code)
    assert said in done.stderr and "Traceback" not in done.output


def test_rows_that_failed_are_in_the_report(dataset, tmp_path):
    ablate(dataset, tmp_path, "--set", "learning_rate=1e38", "--studies", "modalities", "--seeds", "1", code=1)
    page = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Failed: modalities: text only, seed 0" in page.text and "The full model has no result" in page.text


def test_features_that_change_are_measured_anew(dataset, tmp_path):
    words = ["--studies", "anchors", "--seeds", "1"]
    ablate(dataset, tmp_path, *words)
    before = data_hashes(dataset)
    path = dataset.features_folder / "image.parquet"
    table = FeatureTable.load(path)
    FeatureTable(table.item_ids, "image", table.values * 2, table.encoder).save(dataset.features_folder)
    try:
        assert data_hashes(dataset) != before
        ablate(dataset, tmp_path, *words)
        assert len(list((tmp_path / "cells").iterdir())) == 3, "no row of this study reads the image"
        ablate(dataset, tmp_path, "--studies", "picture", "--seeds", "1")
        assert len(list((tmp_path / "cells").iterdir())) == 5
    finally:
        table.save(dataset.features_folder)


def test_the_default_variant_is_taken_apart_too(dataset, tmp_path):
    """Its own studies, whose rows may differ in training and memory; what a row changes is on the page."""
    words = ["--set", "variant=beyond", "--studies", "components,senses", "--seeds", "1"]
    result = json.loads(ablate(dataset, tmp_path, *words, "--json").stdout)
    rows = rows_of(result)
    assert {group for group, _ in rows} == {"anchors", "components", "senses"} and not result["failures"]
    assert {row["name"] for row in result["left_out"]} == {
        "sound", "picture + sound", "picture + shuffled sound", "shuffled picture + sound"
    }  # fmt: skip
    kept = [json.loads(path.read_text()) for path in (tmp_path / "cells").glob("*/result.json")]
    cells = {each["cell"]: each for each in kept}
    assert set(cells) == {name for _, name in rows}, "no two rows are one"
    for name, summary in cells.items():
        recipe = summary["recipe"]
        if name in ("LightGCN", "Popularity"):
            assert "memory" not in summary and recipe["train"]["loss"] == "own" and summary["reads"] == []
            continue
        assert recipe["train"]["loss"] == ("own" if "BPR" in name else "softmax")
        assert ("memory" in summary) is ("no memory" not in name)
        terms = {term for record in summary["history"] for term in record["losses"]}
        assert terms == ({"bpr"} if "BPR" in name else {"softmax"})
    assert cells[FULL]["reads"] == ["text", "image", "description"] and cells["picture"]["reads"] == ["image"]
    page = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "no memory" in page.text and "What the picture adds" not in page.text
