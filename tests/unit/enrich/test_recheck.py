"""Rules that came later: what is stored is judged again; and a run whose first answers are all useless is stopped."""

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from describers import LoggingDescriber, draw
from makers import write
from viral.apps.cli import app
from viral.base.errors import ViralError
from viral.data.dataset import Dataset
from viral.data.descriptions import all_descriptions
from viral.data.importers import import_table
from viral.enrich import LEDGER_FILE, Ledger, enrich, load_prompt, save_descriptions
from viral.enrich.answers import NO_WORDS, PLEA
from viral.enrich.enrich_catalog import FIRST
from viral.enrich.ledger_rows import Entry

PLAIN = load_prompt("plain")
NO_PICTURE = "Please upload the image."


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    ids = [f"i{n:02}" for n in range(30)]
    for n, item_id in enumerate(ids):
        draw(tmp_path / "files" / "images" / f"{item_id}.png", n)
    write(tmp_path / "files" / "items.csv", "item,title\n" + "".join(f"{i},thing {i}\n" for i in ids))
    write(tmp_path / "files" / "interactions.csv", "user,item\n" + "".join(f"u,{i}\n" for i in ids))
    return import_table(tmp_path / "files", tmp_path / "shop")


def run(dataset: Dataset, answers: dict[str, str]) -> LoggingDescriber:
    describer = LoggingDescriber(dataset.path / "log", answers)
    with Ledger(dataset.path / LEDGER_FILE) as ledger:
        save_descriptions(enrich(dataset.catalog(), describer, PLAIN, ledger), dataset.path)
    return describer


def test_a_run_whose_first_answers_are_useless_for_one_reason_is_stopped(dataset: Dataset) -> None:
    with pytest.raises(ViralError, match=f"first {FIRST} answers are no descriptions.*asks for the picture") as caught:
        run(dataset, dict.fromkeys(dataset.catalog().ids, NO_PICTURE))
    assert "gets no pictures" in caught.value.hint and "--retry-failed" in caught.value.hint
    assert len((dataset.path / "log").read_text().split()) < 30


@pytest.mark.parametrize("good", [0, 7, 19])
def test_one_description_or_another_reason_among_the_first_lets_a_run_go_on(dataset: Dataset, good: int) -> None:
    answers = dict.fromkeys(dataset.catalog().ids, NO_PICTURE)
    run(dataset, answers | {f"i{good:02}": "A red mug with a handle."})
    assert all_descriptions(dataset)[0].counts["refused"] == 29


def test_two_reasons_among_the_first_are_no_single_fault(dataset: Dataset) -> None:
    run(dataset, dict.fromkeys(dataset.catalog().ids, NO_PICTURE) | {"i03": "..."})
    assert all_descriptions(dataset)[0].counts["failed"] == 1


def stored_under_older_rules(dataset: Dataset) -> None:
    """Descriptions as a ledger had them before answers were checked: everything that has letters is "done"."""
    old = {"i00": NO_PICTURE, "i01": "!!!!", "i02": "A red mug with a handle.<|im_end|>"}
    run(dataset, {})

    connection = sqlite3.connect(dataset.path / LEDGER_FILE)
    with connection:
        connection.executemany(
            "UPDATE entries SET text = ?, sum = NULL WHERE item_id = ?", [(text, id_) for id_, text in old.items()]
        )
    connection.close()
    with Ledger(dataset.path / LEDGER_FILE) as ledger:
        save_descriptions(
            enrich(dataset.catalog(), LoggingDescriber(dataset.path / "log"), PLAIN, ledger), dataset.path
        )


def test_what_is_stored_is_judged_by_the_rules_of_today(dataset: Dataset) -> None:
    stored_under_older_rules(dataset)
    before = {row.item_id: row for row in all_descriptions(dataset)[0].rows}
    assert before["i01"].text == "!!!!"
    result = CliRunner().invoke(app, ["enrich", str(dataset.path), "--recheck"])
    assert result.exit_code == 0 and "30 descriptions in ledger.sqlite: 1 mended, 2 refused" in result.output
    rows = {row.item_id: row for row in all_descriptions(dataset)[0].rows}
    assert (rows["i00"].status, rows["i00"].text) == ("refused", "") and rows["i00"].error.startswith(PLEA)
    assert (rows["i01"].status, rows["i01"].text) == ("failed", "") and rows["i01"].error.startswith(NO_WORDS)
    assert (rows["i02"].status, rows["i02"].text) == ("done", "A red mug with a handle.")
    assert {id_: row for id_, row in rows.items() if id_ > "i02"} == {i: r for i, r in before.items() if i > "i02"}
    asked = len((dataset.path / "log").read_text().split())
    describer = run(dataset, {"i01": "A blue mug with a lid."})
    assert describer.calls[asked:] == ["i01"], "what failed is asked for again, and nothing else is"
    assert CliRunner().invoke(app, ["enrich", str(dataset.path), "--recheck"]).output.startswith("29 descriptions")


def test_there_must_be_a_ledger(dataset: Dataset) -> None:
    result = CliRunner().invoke(app, ["enrich", str(dataset.path), "--recheck"])
    assert result.exit_code == 2 and "there is no ledger" in result.output


def test_a_fault_while_judging_leaves_the_ledger_as_it_was(dataset: Dataset) -> None:
    run(dataset, {})

    def again(entry: Entry) -> Entry | None:
        if entry.key.item_id == "i20":
            raise RuntimeError("stop")
        return Entry(entry.key, "failed", "", "x")

    with Ledger(dataset.path / LEDGER_FILE) as ledger:
        with pytest.raises(RuntimeError):
            ledger.rejudge(again)
        assert {entry.status for entry in ledger.rows("logging", "plain")} == {"done"}
