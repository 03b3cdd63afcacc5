"""A run whose items a server described, not the describer that needs no settings: it is updated, asked and served."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from openai_server import Behaviour, Server, serving
from viral.apps.cli import app
from viral.apps.serve import Settings, create_app
from viral.apps.serve.server import check_describer
from viral.data.dataset import Dataset, Source, write_tables
from viral.run.bundle import Bundle, read_manifest
from viral.run.retrieval import DescriberOptions

OPTIONS = "--describer openai --set url=ADDRESS --set model=tiny"


def viral(*words: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def settings(server: Server, model: str = "tiny", *more: str) -> list[str]:
    words = [f"url={server.url}", f"model={model}", *more]
    return ["--describer", "openai", *(part for word in words for part in ("--set", word))]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Behaviour(models=("tiny", "other"))) as server:
        yield server


@pytest.fixture(scope="module")
def run(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VIRAL after two epochs; the shop that the server described is beside it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shop = folder / "shop"
    viral("shop", shop, "--users", 40, "--items", 24, "--interactions-per-user", 6)
    viral("enrich", shop, *settings(server))
    viral("encode", shop, "--modality", "text", "--modality", "description")
    few = ["--set", "max_epochs=2", "--set", "batch_size=128", "--set", "crossmodal_dim=16"]
    viral("train", shop, "--model", "viral", *few, "--out", folder / "run")
    return folder / "run"


@pytest.fixture
def grown(run: Path, tmp_path: Path) -> Path:
    """The shop with an item more, of a picture that is there."""
    shutil.copytree(run.parent / "shop", tmp_path / "shop")
    items, log = (pl.read_parquet(tmp_path / "shop" / f"{name}.parquet") for name in ("items", "interactions"))
    new = items.head(1).with_columns(item_id=pl.lit("new"), title=pl.lit("Teal umbrella"))
    taken = pl.DataFrame({"user_id": ["u0001"], "item_id": ["new"], "split": ["train"]})
    write_tables(tmp_path / "shop", pl.concat([items, new]), pl.concat([log, taken]), Source(layout="shop"))
    return tmp_path / "shop"


def picture_of(run: Path) -> Path:
    return next(item.image for item in Dataset.open(run.parent / "shop").catalog() if item.image is not None)


def test_an_update_asks_the_same_server_about_what_is_new(run: Path, grown: Path, server: Server) -> None:
    before = len(server.calls)
    out = grown.parent / "updated"
    summary = viral("update", run, grown, "--out", out, *settings(server))
    assert summary["update"]["counts"]["described"] == len(server.calls) - before == 1
    bundle = Bundle.load(out / "bundle")
    assert bundle.material.columns["description"][bundle.items.index("new")].startswith("A ")
    kept = b"".join(file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file())
    assert server.url.encode() not in kept and b"127.0.0.1" not in kept


@pytest.mark.parametrize(
    ("words", "told", "hint"),
    [
        ([], "key 'url' is missing", OPTIONS),
        (["--describer", "pixel"], "were described by openai, not pixel", "name openai"),
        (["model=other"], "described by openai/tiny, and this is openai/other", OPTIONS),
        (["model=tiny", "temperature=0.5"], "other settings: temperature = 0.0, here 0.5", "--set"),
    ],
)
def test_an_update_by_another_describer_is_refused_before_it_costs_anything(
    run: Path, grown: Path, server: Server, words: list[str], told: str, hint: str
) -> None:
    before = len(server.calls)
    given = words if not words or words[0].startswith("--") else settings(server, words[0][6:], *words[1:])
    error = viral("update", run, grown, "--out", grown.parent / "updated", *given, code=2)["error"]
    assert told in error["what"] and hint in error["hint"] and "--describe-anew" in error["hint"]
    assert len(server.calls) == before and not (grown.parent / "updated").exists()


def test_an_update_describes_all_anew_where_that_is_asked_for(run: Path, grown: Path, server: Server) -> None:
    before, out = len(server.calls), grown.parent / "updated"
    summary = viral("update", run, grown, "--out", out, *settings(server, "other"), "--describe-anew")
    assert summary["update"]["counts"]["described"] == len(server.calls) - before == 25
    described = Bundle.load(out / "bundle").material.described
    assert described is not None and described.revision == "other"


def test_a_new_item_is_described_by_the_same_server(run: Path, server: Server) -> None:
    words = ["cold", run, "--title", "Teal umbrella", "--picture", picture_of(run)]
    error = viral(*words, code=2)["error"]
    assert "described by openai/tiny" in error["what"] and OPTIONS in error["hint"]
    assert "--set needs" in viral(*words, "--set", "model=tiny", code=2)["error"]["what"]
    assert "openai/other" in viral(*words, *settings(server, "other"), code=2)["error"]["what"]
    found = viral(*words, *settings(server))
    assert found["description"].startswith("A ") and "description" in found["similar"]


def test_a_server_says_at_its_start_what_it_cannot_do(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_describer(read_manifest(run / "bundle"), DescriberOptions())
    assert "pictures of new items cannot be described" in (told := capsys.readouterr().err) and OPTIONS in told
    done = CliRunner().invoke(app, ["serve", str(run), "--port", "0", "--describer", "pixel"])
    assert done.exit_code == 2 and "described by openai, not pixel" in done.stderr


def test_a_server_tells_whoever_runs_it_what_is_missing(run: Path, server: Server) -> None:
    files = {"picture": ("p.png", picture_of(run).read_bytes())}
    with TestClient(create_app(Settings(run=run)), base_url="http://localhost") as client:
        answer = client.post("/v1/cold", data={"title": "Teal umbrella"}, files=files)
        assert answer.status_code == 409 and OPTIONS in answer.json()["hint"]
        assert client.post("/v1/cold", data={"title": "Teal umbrella"}).status_code == 200  # without a picture
        assert "settings that this server does not have" in client.get("/items/p0001").text


def test_a_server_that_has_the_settings_describes(run: Path, grown: Path, server: Server) -> None:
    given = DescriberOptions("openai", (f"url={server.url}", "model=tiny"))
    files = {"picture": ("p.png", picture_of(run).read_bytes())}
    application = create_app(Settings(run=run, dataset=grown, describer=given))
    with TestClient(application, base_url="http://localhost") as client:
        found = client.post("/v1/cold", data={"title": "Teal umbrella"}, files=files).json()
        assert found["description"].startswith("A ") and found["similar"]["description"]
        assert "settings that this server does not have" not in client.get("/items/p0001").text
        again = client.post("/description/again", data={"item": "p0001"}, headers={"hx-request": "true"})
        assert again.status_code == 200 and "The same words again" in again.text
