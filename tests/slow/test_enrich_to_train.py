"""From pictures to a recommender by the commands that the README prints, with each vision-language describer."""

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import tiny_qwen
from openai_server import Behaviour, serving
from viral.apps.cli import app
from viral.data.dataset import Dataset
from viral.enrich import load_descriptions
from viral.lab.shop import ShopConfig, make_shop

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"  # what the page asks the server for
USER, ITEM = "007", "A-17"  # whom the README recommends to and explains for


def commands(page: str) -> list[list[str]]:
    """The words of every ``viral …`` line in the code blocks of a page, comments left out."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("viral ")]


def the_way() -> list[list[str]]:
    """The README's way of one's own shop, from the first import to the first explanation."""
    found = commands("README.md")
    verbs = [words[1] for words in found]
    return found[verbs.index("import") : verbs.index("explain") + 1]


def described_by(name: str) -> list[str]:
    """The first command of the documentation by which a describer has a shop described."""
    pages = ["README.md", *(str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("docs/*.md")))]
    typed = (words for page in pages for words in commands(page))
    return next(words for words in typed if words[1] == "enrich" and words[3:5] == ["--describer", name])


def run(words: list[str], places: Mapping[str, str]) -> str:
    """Run a command of a page, with the beginnings of words that ``places`` names replaced; the output."""
    placed = words[1:]
    for name, place in places.items():
        placed = [re.sub(rf"^{name}", place, word) for word in placed]
    done = CliRunner().invoke(app, placed)
    assert done.exit_code == 0, f"{' '.join(placed)}\n{done.output}"
    return done.stdout


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop as its owner has it: two CSV files and a folder of pictures, whose user and item the README names."""
    folder = tmp_path_factory.mktemp("raw")
    shop = make_shop(folder / "planted", ShopConfig(users=40, items=30, interactions_per_user=8))
    items = pl.read_parquet(shop.path / "items.parquet").select("item_id", "title", "image")
    log = pl.read_parquet(shop.path / "interactions.parquet").select("user_id", "item_id")
    items = items.with_columns(pl.col("item_id").replace({items["item_id"][4]: ITEM}))
    names = dict(zip(pl.read_parquet(shop.path / "items.parquet")["item_id"], items["item_id"], strict=True))
    log = log.with_columns(pl.col("item_id").replace(names), pl.col("user_id").replace({log["user_id"][0]: USER}))
    mine = folder / "mine"
    shutil.copytree(shop.path / "images", mine / "pictures")
    items.with_columns(pl.col("image").str.strip_prefix("images/")).write_csv(mine / "items.csv")
    log.write_csv(mine / "interactions.csv")
    return mine


@pytest.fixture
def places(raw: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What stands for the names that the pages use."""
    own = {"MY_FOLDER": str(raw), "my-shop": str(tmp_path / "my-shop"), "runs/mine": str(tmp_path / "run")}
    if request.param == "qwen":
        yield own | {"model=.*": f"model={tiny_qwen.make(tmp_path / 'model')}"}
        return
    with serving(Behaviour(models=(MODEL,))) as server:
        yield own | {"url=.*": f"url={server.url}"}


@pytest.mark.parametrize(("describer", "places"), [("qwen", "qwen"), ("openai", "openai")], indirect=["places"])
def test_described_encoded_trained_recommended(describer: str, places: dict[str, str], tmp_path: Path) -> None:
    way = [described_by(describer) if words[1] == "enrich" else words for words in the_way()]
    assert [words[1] for words in way] == ["import", "doctor", "enrich", "encode", "train", "recommend", "explain"]
    told = {words[1]: run(words, places) for words in way[:-2]}
    dataset = Dataset.open(Path(places["my-shop"]))
    described = load_descriptions(dataset)
    assert described is not None and described.describer.startswith(f"{describer}/")
    assert described.counts["done"] == 30 and len(set(described.texts.values())) > 20
    assert re.search(r"^description: 30 × 384", told["encode"], re.MULTILINE)
    # What is recommended comes from the bundle alone.
    texts, seen = described.texts, _taken(dataset)
    shutil.rmtree(dataset.path)
    told |= {words[1]: run(words, places) for words in way[-2:]}
    titles = {row["item_id"]: row["title"] for row in pl.read_csv(Path(places["MY_FOLDER"]) / "items.csv").to_dicts()}
    named = [item_id for item_id in titles if re.search(rf"\b{re.escape(item_id)}\b", told["recommend"])]
    assert len(named) == 10 and not set(named) & seen and set(texts) == set(titles)
    assert told["explain"].startswith("Because they chose ") and f"{titles[ITEM]}: score " in told["explain"]


def _taken(dataset: Dataset) -> set[str]:
    log = pl.read_parquet(dataset.path / "interactions.parquet")
    return set(log.filter((pl.col("user_id") == USER) & (pl.col("split") == "train"))["item_id"])
