"""The two verbs as a user types them; descriptions come from the data set's ledger-less files and a cheap describer."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from viral.apps.cli import app


def viral(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


@pytest.fixture
def dataset(shop, tmp_path) -> Path:
    return Path(shutil.copytree(shop.path, tmp_path / "shop"))


def test_map_writes_a_page_and_gives_the_numbers(dataset, tmp_path):
    out = tmp_path / "pages" / "map.html"
    options = ("--out", str(out), "--method", "pca", "--modality", "image", "--modality", "title")
    text = viral("map", str(dataset), *options)
    assert "purity" in text and f"open  {out}" in text
    page = out.read_bytes()
    found = json.loads(viral("map", str(dataset), *options, "--by", "pattern", "--json"))
    assert list(found["modalities"]) == ["image", "title"] and found["by"] == "pattern"
    clusters = found["modalities"]["title"]["clusters"]["pattern"]
    assert clusters["items"] == 48 and 0 <= clusters["purity"] <= 1
    assert found["path"] == str(out) and out.read_bytes() != page


def test_map_faults_are_messages(dataset, tmp_path):
    out = str(tmp_path / "map.html")
    assert "unknown method" in viral("map", str(dataset), "--out", out, "--method", "umap", code=2)
    assert "no modality" in viral("map", str(dataset), "--out", out, "--modality", "smell", code=2)
    assert "not a data set folder" in viral("map", str(tmp_path), "--out", out, code=1)
    assert not Path(out).exists()


def test_help_of_both_verbs_loads_nothing_heavy():
    code = (
        "import sys; from viral.apps.cli import app; from typer.testing import CliRunner;"
        "assert all(CliRunner().invoke(app, [v, '--help']).exit_code == 0 for v in ('map', 'enrich'));"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'polars', 'numpy', 'PIL', 'scipy', 'jinja2'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_enrich_reports_what_it_described_beside_the_other_prompt(dataset, tmp_path, monkeypatch):
    """The describer says what is in the file already, so that no picture has to be looked at."""
    import polars as pl

    from unit.lab.quality.conftest import Words, guided
    from viral.enrich import Answer, describers
    from viral.enrich.pixel import PixelConfig
    from viral.lab.quality import modality_vectors

    truth = {row["item_id"]: row for row in pl.read_parquet(dataset / "truth.parquet").iter_rows(named=True)}

    class Knowing:
        name, revision, parameters, batch_size, in_flight = "pixel", "1", {}, 16, 1

        def __init__(self, config):
            pass

        def describe(self, pictures, prompt):
            return [Answer(guided(truth[picture.item_id])) for picture in pictures]

    monkeypatch.setattr(describers, "DESCRIBERS", {"pixel": lambda: describers.DescriberKind(PixelConfig, Knowing)})
    monkeypatch.setattr(modality_vectors, "SentenceEncoder", Words)
    assert "quality" not in json.loads(viral("enrich", str(dataset), "--json"))
    out = tmp_path / "quality.html"
    found = json.loads(viral("enrich", str(dataset), "--report", str(out), "--seed", "2", "--json"))
    assert found["counts"]["done"] == 48 and found["report"] == str(out)
    assert found["quality"]["planted"]["summaries"]["title"]["exact"] == 1.0
    assert found["quality"]["planted"]["gains"]["title"]["exact"]["relative"] > 0.25
    assert found["quality"]["seed"] == 2
    text = viral("enrich", str(dataset), "--report", str(out))
    assert f"open  {out}" in text and "no other value" in text and "<title>How good" in out.read_text()
