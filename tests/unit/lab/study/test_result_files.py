"""Rows as files: no formula reaches a spreadsheet, no number is lost, LaTeX shows what was meant."""

import csv
import json
import math

import numpy as np
import pytest

from viral.lab.study.json_values import to_json
from viral.lab.study.result_files import (
    COLUMNS,
    latex_escape,
    latex_table,
    safe_cell,
    text_table,
    write_results,
    write_rows,
)
from viral.lab.study.statistics import UNIT, Interval, compare_all
from viral.lab.study.training_rows import METRICS, Row
from viral.lab.study.tuning.tuning_study import Effort

FORMULAS = ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", " =1", "\r\n=HYPERLINK(1)", "|x", "%x"]


def row(name="row", group="study", values=(0.1, 0.3), comparison=None, **more):
    numbers = dict.fromkeys(METRICS, tuple(values))
    fields = {
        "failures": (),
        "place": None,
        "model": "viral",
        "model_key": name,
        "parameters": 10,
        "memory": (1,),
        "epoch_seconds": (0.5,),
        "commits": ("abc",),
        "code_changed": False,
        "max_epochs": 9,
        "patience": 2,
        "stopped": ("patience",) * len(values),
    }
    return Row(
        name=name, group=group, seeds=tuple(range(len(values))), values=numbers, valid=tuple(values),
        metrics={metric: Interval.of(list(v), UNIT) for metric, v in numbers.items()}, comparison=comparison,
        epochs=(3,) * len(values), seconds=(1.5,) * len(values), **(fields | more),
    )  # fmt: skip


def compared():
    reference = np.linspace(0.2, 0.8, 50)
    return compare_all({"row": reference - 0.1}, reference)["row"]


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_begins_like_a_formula_is_a_text(text, tmp_path):
    write_rows(tmp_path / "r.csv", [row(text, failures=(text,))], metric="recall@20", data="d")
    for line in read(tmp_path / "r.csv"):
        assert line["row"].startswith("'") and line["failures"].startswith("'")
        assert text.strip()[-3:] in line["row"], "the text itself is still there"


def test_numbers_stay_numbers_also_negative_ones():
    assert safe_cell(-0.25) == -0.25 and safe_cell(3) == 3
    assert safe_cell(float("nan")) == safe_cell(float("inf")) == safe_cell(None) == ""
    assert safe_cell("VIRAL (full)") == "VIRAL (full)"


def test_the_csv_has_full_precision_and_the_test_where_it_was_made(tmp_path):
    comparison = compared()
    write_rows(tmp_path / "r.csv", [row(values=(0.1, 0.2, 1 / 3), comparison=comparison)], metric="ndcg@20", data="d")
    lines = {line["metric"]: line for line in read(tmp_path / "r.csv")}
    assert set(lines) == set(METRICS) and tuple(lines["ndcg@20"]) == COLUMNS
    assert float(lines["recall@10"]["mean"]) == (0.1 + 0.2 + 1 / 3) / 3
    assert float(lines["ndcg@20"]["difference"]) == comparison.test.difference == pytest.approx(-0.1)
    assert lines["ndcg@20"]["losses"] == "50" and lines["recall@20"]["difference"] == ""
    assert lines["recall@20"]["seeds"] == "0 1 2" and float(lines["recall@20"]["seconds"]) == 1.5


def test_the_csv_has_every_budget(tmp_path):
    rows = [row(memory=(5, 7)), row("capped", stopped=("max_epochs", "patience"), code_changed=True)]
    tuning = {"row": Effort(20, 300, 400.5)}
    write_rows(tmp_path / "r.csv", rows, metric="recall@20", data="d", tuning=tuning)
    tuned, capped = (next(line for line in read(tmp_path / "r.csv") if line["row"] == each.name) for each in rows)
    budget = ("epochs_allowed", "epochs", "patience", "epoch_seconds", "seconds", "memory", "parameters")
    assert [float(tuned[name]) for name in budget] == [9, 3, 2, 0.5, 1.5, 7, 10]
    assert [tuned[name] for name in ("trials", "tuning_epochs", "tuning_seconds")] == ["20", "300", "400.5"]
    assert capped["stopped"] == "max_epochs; patience" and capped["trials"] == "" and tuned["stopped"] == "patience"
    assert (tuned["code"], capped["code"]) == ("as it is now", "changed since")
    write_rows(tmp_path / "r.csv", [row(memory=())], metric="recall@20", data="d")
    assert {line["memory"] for line in read(tmp_path / "r.csv")} == {""}, "of cells that shared a process"


def test_the_json_has_every_seed_and_no_number_that_json_has_not(tmp_path):
    rows = [row(values=(0.1, 0.2), comparison=compared()), row("failed", values=(), failures=("seed 0: no",))]
    write_results(tmp_path / "r.json", {"rows": to_json(rows), "nan": math.nan})
    text = (tmp_path / "r.json").read_text()
    document = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert document["rows"][0]["values"]["recall@20"] == [0.1, 0.2]
    assert document["rows"][0]["comparison"]["wins"] == 0
    assert document["rows"][1]["metrics"]["recall@20"]["mean"] is None and document["nan"] is None


def test_latex_shows_signs_as_they_are():
    assert latex_escape("50% of a_b & {c} \\ #1 $x^2~") == (
        r"50\% of a\_b \& \{c\} \textbackslash{} \#1 \$x\textasciicircum{}2\textasciitilde{}"
    )
    assert latex_escape("λ = 0.1") == r"$\lambda$ = 0.1"


def test_a_latex_table_of_texts_is_escaped():
    text = text_table(("model", "50 %"), [("a_b", "−1.0\u00a0%"), ("–", "2°")], "of a_b")
    assert r"model & 50 \% \\" in text and r"a\_b & $-$1.0~\% \\" in text and r"-- & 2$^{\circ}$ \\" in text
    assert r"\begin{tabular}{lr}" in text and r"\caption{of a\_b}" in text


def test_the_latex_table_has_a_line_for_each_row_and_stars_what_is_significant():
    rows = [row("full"), row("no_S", "parts", comparison=compared()), row("lost", "parts", values=())]
    text = latex_table(rows, metric="recall@20", caption="100 %")
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert all(line.count("&") - line.count(r"\&") == 5 for line in lines) and len(lines) == 4
    assert r"0.2000 {\scriptsize (0.1000--0.3000)}" in lines[1] and "*" not in lines[1], "two seeds, no interval"
    assert "fewer than four seeds" in text
    assert lines[2].startswith(r"no\_S & ") and lines[2].count("*") == 1
    assert lines[3].count("--") == 4 and r"\caption{100 \%}" in text
    assert text.count(r"\midrule") == 2, "studies are parted"


def test_latex_has_half_the_interval_or_its_ends_where_it_was_cut():
    even, cut = row("even", values=(0.1, 0.1, 0.3, 0.3)), row("cut", values=(0.0, 0.02, 0.04, 0.3))
    text = latex_table([even, cut], metric="recall@20", caption="c")
    assert r"0.2000 {\scriptsize $\pm$ 0.1837}" in text and "fewer than four" not in text
    assert r"0.0900 {\scriptsize [0.0000, " in text
