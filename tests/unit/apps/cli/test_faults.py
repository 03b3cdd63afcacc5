"""Wrong words end with 2, work that fails with 1; every message says where and what to do; never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from viral.apps.cli import app
from viral.apps.cli.output import verb
from viral.base.locks import this_process
from viral.data.dataset import Dataset


def invoke(*words: str) -> Result:
    done = CliRunner().invoke(app, list(words))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.output
    return done


def fails(code: int, *words: str) -> str:
    done = invoke(*words)
    assert done.exit_code == code, done.output
    return done.stderr


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A shop's own tables: twenty users with number-like ids, six items."""
    source = tmp_path / "source"
    source.mkdir()
    rows = [f"{user:03d},i{item}" for user in range(20) for item in range(6) if (user + item) % 2 == 0]
    (source / "interactions.csv").write_text("user_id,item_id\n" + "\n".join(rows) + "\n")
    items = [f'i{n},"Thing <b>{n}</b>","text",{"" if n == 5 else f"i{n}.jpg"}' for n in range(6)]
    (source / "items.csv").write_text("item_id,title,text,image\n" + "\n".join(items) + "\n")
    (source / "images").mkdir()
    for n in range(5):
        Image.new("RGB", (40, 40), (40 * n, 90, 120)).save(source / "images" / f"i{n}.jpg")
    return source


def imported(log: Path, *words: str) -> tuple[Path, dict[str, int]]:
    dataset = log.parent / "dataset"
    done = invoke("import", "table", str(log), str(dataset), "--images", str(log / "images"), *words, "--json")
    assert done.exit_code == 0, done.output
    return dataset, json.loads(done.stdout)["counts"]["rejected"]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from viral.apps.cli import app; from typer.testing import CliRunner;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        "loaded = {m.split('.')[0] for m in sys.modules};"
        "print(sorted(loaded & {'torch', 'polars', 'numpy', 'PIL', 'pyarrow', 'scipy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_truncated_picture_is_reported_and_its_item_stays(log: Path) -> None:
    picture = log / "images" / "i1.jpg"
    picture.write_bytes(picture.read_bytes()[:200])
    dataset, rejected = imported(log)
    if not rejected:  # its header is whole: found when it is decoded
        done = invoke("doctor", str(dataset), "--json")
        assert any("i1" in str(finding) for finding in json.loads(done.stdout)["findings"])
    statuses = json.loads(invoke("enrich", str(dataset), "--json").stdout)["counts"]
    assert statuses["done"] == 4 and sum(statuses.values()) == 6


def test_a_picture_bomb_is_refused_by_its_header(log: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(log / "images" / "i2.png")
    items = (log / "items.csv").read_text().replace("i2.jpg", "i2.png")
    (log / "items.csv").write_text(items)
    _, rejected = imported(log)
    assert rejected == {"too many pixels": 1}


def test_an_item_without_picture_and_a_title_with_html_pass(log: Path) -> None:
    dataset, rejected = imported(log)
    assert rejected == {}
    counts = json.loads(invoke("enrich", str(dataset), "--json").stdout)["counts"]
    assert counts["missing picture"] == 1
    done = invoke("doctor", str(dataset))
    assert done.exit_code == 0 and "HTML" not in done.stdout
    assert Dataset.open(dataset).catalog()["i3"].title == "Thing 3"


def test_a_missing_column_is_named_with_what_is_there(log: Path) -> None:
    (log / "interactions.csv").write_text("whose,item_id\n1,i1\n")
    message = fails(1, "import", "table", str(log), str(log.parent / "dataset"))
    assert "interactions.csv" in message and "user" in message and "whose" in message and "--column" in message


def test_a_user_id_that_looks_like_a_number_stays_text(log: Path) -> None:
    dataset, _ = imported(log)
    run = log.parent / "run"
    assert invoke("train", str(dataset), "--model", "popularity", "--out", str(run)).exit_code == 0
    assert invoke("recommend", str(run), "--user", "007", "-k", "1").exit_code == 0
    message = fails(1, "recommend", str(run), "--user", "7")
    assert "unknown user '7'" in message and "007" in message


def test_features_with_a_wrong_row_count_name_the_file_and_both_counts(tmp_path: Path) -> None:
    source = tmp_path / "tiny"
    source.mkdir()
    rows = ["userID\titemID\tx_label"] + [f"{u}\t{i}\t{i % 3}" for u in range(4) for i in range(6)]
    (source / "tiny.inter").write_text("\n".join(rows) + "\n")
    np.save(source / "image_feat.npy", np.zeros((5, 3), dtype=np.float32))
    message = fails(1, "import", "mmrec", str(source), str(tmp_path / "dataset"))
    assert "image_feat.npy" in message and "5" in message and "6" in message
    assert not (tmp_path / "dataset").exists()


def test_an_unknown_key_names_the_nearest(log: Path) -> None:
    dataset, _ = imported(log)
    run = str(log.parent / "run")
    message = fails(2, "train", str(dataset), "--model", "lightgcn", "--set", "num_layer=2", "--out", run)
    assert "num_layer" in message and "num_layers" in message
    message = fails(2, "train", str(dataset), "--model", "lightgnc", "--out", run)
    assert "lightgcn" in message
    message = fails(2, "train", str(dataset), "--model", "lightgcn", "--set", "num_layers=two", "--out", run)
    assert "two" in message and "int" in message
    assert not Path(run).exists()


def test_features_that_a_model_needs_and_that_are_not_there(log: Path) -> None:
    dataset, _ = imported(log)
    for word in ('sources=["text"]', "taste=false", "variant=light"):
        words = ["--model", "viral", "--set", word, "--out", str(log.parent / word)]
        message = fails(1, "train", str(dataset), *words)
        assert "features" in message and "viral encode" in message


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (1, ["doctor", "nowhere"], "viral import"),
        (2, ["import", "mmrek", "nowhere", "dataset"], "mmrec"),
        (2, ["enrich"], "DATASET"),
        (2, ["train", "nowhere", "--out", "run"], "--model"),
        (1, ["recommend", "nowhere", "--user", "1"], "viral train"),
        (2, ["evaluate", "nowhere", "--split", "tset"], "test"),
        (2, ["shop", "dataset", "--items", "3"], "items"),
        (2, ["nonsense"], "nonsense"),
    ],
)
def test_faults_say_what_to_do(
    code: int, words: list[str], hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert hint in fails(code, *words)


def test_with_json_a_fault_is_one_document_on_stdout(tmp_path: Path) -> None:
    done = invoke("doctor", str(tmp_path / "nowhere"), "--json")
    assert done.exit_code == 1
    assert set(json.loads(done.stdout)["error"]) == {"what", "where", "hint"}


def test_sigterm_ends_a_verb_as_ctrl_c_does(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, typer; from viral.apps.cli.output import verb\n"
        "@verb\n"
        "def work(json_output: bool = False) -> None:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    signal.pause()\n"
        "typer.run(work)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 130 and done.stderr.startswith("viral: stopped")


def test_what_nobody_foresaw_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    @verb
    def work(json_output: bool = False) -> None:
        raise LookupError("of\nall things")

    with pytest.raises(LookupError):
        work()  # here, to be seen in full
    monkeypatch.delenv("VIRAL_TRACEBACK")
    alone = typer.Typer()
    alone.command()(work)
    done = CliRunner().invoke(alone, [])
    assert done.exit_code == 1 and "did not foresee (LookupError: of all things)" in done.stderr
    assert "VIRAL_TRACEBACK=1" in done.stderr and "Traceback" not in done.output


def test_doctor_removes_what_killed_processes_left(log: Path) -> None:
    dataset, _ = imported(log)
    owner = this_process().rpartition("/")[0] + "/1"  # started at another moment: another process, which is gone
    for folder in (dataset, dataset / "images", dataset.parent):
        (folder / f".x.parquet.{owner.replace('/', '~')}.abcdefgh.parquet").write_text("half")
    assert invoke("doctor", str(dataset)).exit_code == 0 and len(list(dataset.parent.rglob(".x.*"))) == 3
    done = invoke("doctor", str(dataset), "--clean")
    assert done.exit_code == 0 and done.stderr.count("removed: ") == 3
    assert not list(dataset.parent.rglob(".x.*"))
