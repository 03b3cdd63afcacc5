"""What docs/python.md and the README show is run, block by block, on a small shop that is drawn."""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shop_folder import make_folder, picture

ROOT = Path(__file__).parents[2]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)


BLOCKS = blocks("docs/python.md")


def shown(block: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run a block line by line; what each line that is an expression gives."""
    found = {}
    for line in block.splitlines():
        code = line.split("  #")[0].strip()
        if code.startswith("import ") or not code or re.match(r"\w+ = ", code):
            exec(code, names)
        else:
            found[code] = eval(code, names)
    return found


def test_the_readme_shows_what_is_run_here() -> None:
    assert blocks("README.md") == BLOCKS[:1]


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path / "my_folder")
    picture(tmp_path / "mug.png", "red")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    ten_lines(shown(BLOCKS[0].replace("seeds=5", "seeds=1"), names))
    rest = [shown(block, names) for block in BLOCKS[1:]]
    found = {code: value for one in rest for code, value in one.items()}
    assert len(rest) == 6 and len(found) > 10 and all(value is not None for value in found.values())
    (left,) = (value for code, value in found.items() if "nobody" in code)
    assert left["user_id"].to_list() == ["007"] * 3
    assert found["shop.doctor().trainable"] is True and names["run"].path == Path("runs/next")


def ten_lines(found: dict[str, Any]) -> None:
    """What a user sees of the first block."""
    assert 0 < found['run.metrics["recall@20"]'] <= 1
    table = found['run.recommend(["007", "008"], k=10)']
    assert isinstance(table, pl.DataFrame) and table["user_id"].to_list() == ["007"] * 10 + ["008"] * 10
    assert table.columns[:5] == ["user_id", "rank", "item_id", "title", "score"]
    assert all(name.startswith("score_") for name in table.columns[5:]) and table.width > 6
    explained = found['run.explain("007", "A-17")']
    assert explained.item_id == "A-17" and sum(explained.parts.values()) == pytest.approx(explained.score)
    alike = found["run.similar(mug)"]
    assert alike["title"].str.starts_with("Red")[:3].all() and "A-17" not in found['run.similar("A-17")']["item_id"]
    assert set(found['run.recommend_for(["A-17", "A-2"])']["item_id"]).isdisjoint({"A-17", "A-2"})
    (study,) = (value for code, value in found.items() if code.startswith("viral.compare"))
    assert sorted(row.name for row in study.rows) == ["ease", "lightgcn", "viral"]
    assert Path("study/report.html").is_file() and Path("runs/mine/run.json").is_file()
