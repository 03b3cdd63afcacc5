"""One small shop with a run for all tests of the pages; who changes the data set gets a copy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages_world import describer, make_dataset, make_run, opened


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``data`` and ``run``."""
    folder = tmp_path_factory.mktemp("shop")
    make_run(make_dataset(folder / "data"), folder / "run")
    return folder


@pytest.fixture(scope="session")
def client(shop: Path) -> Iterator[TestClient]:
    """Only looks."""
    with opened(shop / "run", shop / "data") as client:
        yield client


@pytest.fixture
def own(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TestClient, Path]]:
    """May change its data set; the describer that the descriptions come from is at hand."""
    data = tmp_path / "data"
    shutil.copytree(shop / "data", data)
    monkeypatch.setattr("viral.apps.serve.pages.describe_again._describer", lambda name: describer(data))
    with opened(shop / "run", data) as client:
        yield client, data
