"""``viral enrich --describer import`` and what follows it, as a user types it, on a catalogue without pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from makers import write
from viral.apps.cli import app
from viral.encode import load_features
from viral.lab.quality import modality_vectors

LOG = "userID\titemID\tx_label\n" + "".join(f"u{n}\t{n}\t0\nu{n}\t{(n + 1) % 4}\t2\n" for n in range(4))
WORDS = "itemID,words\n" + "".join(f"{n},A thing of red metal with the number {n} on it\n" for n in range(4))
TAKE = ("--describer", "import", "--set", "describer=Qwen", "--prompt", "plain")


def viral(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


def viral_json(*words: object) -> Any:
    return json.loads(viral(*words, "--json"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop whose pictures are elsewhere."""
    from unit.lab.quality.conftest import Words
    from viral.encode import sentence

    monkeypatch.setattr(modality_vectors, "SentenceEncoder", Words)
    monkeypatch.setattr(sentence, "SentenceEncoder", Words)
    source = tmp_path / "source"
    write(source / "toy.inter", LOG)
    write(source / "items.csv", "itemID,title\n" + "".join(f"{n},Thing {n}\n" for n in range(4)))
    np.save(source / "clip.npy", np.arange(8.0).reshape(4, 2))
    text = viral("import", "mmrec", source, tmp_path / "shop", "--features", "image=clip.npy")
    assert "split: published" in text
    write(tmp_path / "words.csv", WORDS)
    return tmp_path / "shop"


def test_words_are_taken_in_encoded_and_reported_on(shop: Path, tmp_path: Path) -> None:
    file = f"file={tmp_path / 'words.csv'}"
    text = viral("enrich", shop, *TAKE, "--set", file)
    assert "4 added, 0 replaced, 0 unchanged" in text and "Qwen-plain.parquet: 4 done" in text
    assert f"next: viral encode {shop}\n" in text
    found = viral_json("enrich", shop, *TAKE, "--set", file)
    assert (found["sets"][0]["unchanged"], found["sets"][0]["describer"]) == (4, "Qwen/imported")
    viral("encode", shop)
    assert {"text", "title", "description", "image"} == set(load_features(shop / "features"))
    viral("encode", shop, "--modality", "words")
    tables = load_features(shop / "features")
    assert not np.allclose(tables["words"].values, tables["description"].values)
    page = tmp_path / "page.html"
    for words in ((), ("--describer", "Qwen"), ("--describer", "Qwen", "--prompt", "plain")):
        page.unlink(missing_ok=True)
        assert "no describer is asked" in viral("enrich", shop, "--report", page, *words)
        shown = page.read_text(encoding="utf-8")
        assert "number 3 on it" in shown and "no picture" in shown and "--describer import --set file=" in shown
    assert viral_json("enrich", shop, "--report", page)["sets"][0]["counts"]["done"] == 4
    assert [one.name for one in (shop / "descriptions").glob("*.parquet")] == ["Qwen-plain.parquet"]


def test_rows_left_out_are_shown_and_counted(shop: Path, tmp_path: Path) -> None:
    write(tmp_path / "words.csv", WORDS + "9,Nothing\n8,Nothing\n1,\n")
    words = (*TAKE, "--set", f"file={tmp_path / 'words.csv'}")
    text = viral("enrich", shop, *words)
    assert "left out: 2 × unknown item" in text and "words.csv row 5, field itemID: unknown item: '9'" in text
    found = viral_json("enrich", shop, *words)
    assert found["left_out"] == {"unknown item": 2, "empty text": 1} and found["first_left_out"][0]["row"] == 5
    assert len(Path(found["rejected"]).read_text().splitlines()) == 3


def test_several_describers_in_a_file_are_named_for_what_comes_next(shop: Path, tmp_path: Path) -> None:
    write(tmp_path / "words.csv", "id,text,describer\n0,A lamp of brass here,A\n0,A lamp of tin here,B\n")
    words = ("--describer", "import", "--set", f"file={tmp_path / 'words.csv'}")
    assert "--describer A --prompt unknown" in viral("enrich", shop, *words)
    assert "of one describer" in viral("enrich", shop, *words, "--report", tmp_path / "p.html", code=2)
    assert "several sets" in viral("encode", shop, "--modality", "words", code=2)
    viral("encode", shop, "--modality", "words", "--describer", "B")
    assert "B/imported" in load_features(shop / "features")["words"].encoder


def test_wrong_words_are_explained(shop: Path, tmp_path: Path) -> None:
    assert "which file has the words" in viral("enrich", shop, "--describer", "import", code=2)
    file = f"file={tmp_path / 'words.csv'}"
    assert "unknown key 'fil'" in viral("enrich", shop, *TAKE, "--set", file, "--set", "fil=x", code=2)
    assert "leave one out" in viral("enrich", shop, *TAKE, "--set", file, "--set", "prompt=title", code=2)
    viral("enrich", shop, *TAKE, "--set", file)
    assert "Qwen with prompt plain" in viral("enrich", shop, "--describer", "Qwen", "--prompt", "title", code=2)
    assert "--features 'image' is not NAME=FILE" in viral(
        "import", "mmrec", tmp_path, "x", "--features", "image", code=2
    )
