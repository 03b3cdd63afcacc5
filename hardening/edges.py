"""The edges at which untrusted bytes come in, and for each what somebody would give it."""

import contextlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Read = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Edge:
    """Where bytes come in: ``prepare`` makes a reader in a folder of its own, and the seeds of its inputs."""

    name: str
    weight: int  # of all inputs
    prepare: Callable[[Path], tuple[Read, Sequence[bytes]]]


LOG = b"user_id,item_id,timestamp\nu1,a,1700000000\nu2,b,1700000001\nu1,b,2026-01-02T03:04:05Z\nu3,a,\n"
ITEMS = b"""item_id,title,text,image,category,price
a,Red mug,"A mug, red",a.png,Home > Mugs,"12,50"
b,Blue lamp,,,Lamps,9
"""
RECIPE = b"""model = "viral"
fill = "zero"

[config]
sources = ["text"]
num_layers = 2

[train]
seed = 3
learning_rate = 0.01
"""
RULES = b"""[[pin]]
item_id = "a"
position = 1
[[boost]]
categories = ["Mugs"]
by = 0.5
[diversity]
max_per_category = 2
"""


def _table(suffix: str, seeds: Sequence[bytes], file: str) -> Callable[[Path], tuple[Read, Sequence[bytes]]]:
    def prepare(folder: Path) -> tuple[Read, Sequence[bytes]]:
        from viral.data.importers import import_table

        source = folder / "source"
        source.mkdir()
        (source / "interactions.csv").write_bytes(LOG)
        (source / "items.csv").write_bytes(ITEMS)
        if suffix != "csv":
            (source / f"{file}.csv").unlink()

        def read(data: bytes) -> None:
            (source / f"{file}.{suffix}").write_bytes(data)
            import_table(source, folder / "dataset", overwrite=True)

        return read, seeds

    return prepare


def _jsonl() -> list[bytes]:
    rows = [{"user": "u1", "item": "a", "time": 3}, {"user": 2, "item": "b", "time": "2026-01-01"}]
    lines = b"\n".join(json.dumps(row).encode() for row in rows)
    return [lines, json.dumps(rows).encode(), json.dumps({"events": rows}, indent=1).encode()]


def _parquet(rows: dict[str, list[Any]]) -> bytes:
    import polars as pl

    buffer = io.BytesIO()
    pl.DataFrame(rows).write_parquet(buffer)
    return buffer.getvalue()


def _recipe(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from viral.base.recipe import Recipe
    from viral.run.configuration import configured

    def read(data: bytes) -> None:
        (folder / "r.toml").write_bytes(data)
        configured(Recipe.read(folder / "r.toml"))

    return read, [
        RECIPE,
        b'model = "lightgcn"\n',
        b'model = "viral"\n[config]\nvariant = "redu2"\n[memory]\nkind = "ease"\n',
    ]


def _setting(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from viral.base.recipe import Recipe
    from viral.run.configuration import with_words

    def read(data: bytes) -> None:
        with_words(Recipe(model="viral"), [data.decode("utf-8", "surrogateescape")])

    return read, [
        b"learning_rate=0.1",
        b"config.num_layers=3",
        b'sources=["text"]',
        b"memory.weight=0.5",
        b"variant=paper",
    ]


def _answer(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from viral.enrich import load_prompt
    from viral.enrich.answers import judge

    prompts = [load_prompt(name) for name in ("title", "title-zh", "attributes")]

    def read(data: bytes) -> None:
        for prompt in prompts:
            judge(data.decode("utf-8", "surrogateescape"), prompt)

    json_answer = b'```json\n{"category": "mug", "colours": ["red"], "material": null}\n```'
    return read, [
        b"<think>hm</think>A red mug with a handle.<|im_end|>",
        json_answer,
        "一个红色的杯子，带有把手。".encode(),
    ]


def _reply(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from viral.enrich.openai.client import read_error, read_reply

    def read(data: bytes) -> None:
        read_error(data, "secret-key-of-mine")
        with contextlib.suppress(ValueError):  # what it raises where the body is no answer
            read_reply(data)

    body = {"choices": [{"message": {"content": "A mug."}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    parts = {"choices": [{"message": {"content": [{"type": "text", "text": "A"}]}}]}
    return read, [json.dumps(body).encode(), json.dumps(parts).encode(), b'{"error": {"code": 3, "message": "no"}}']


def _picture(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from PIL import Image

    from viral.data.pictures import decode

    seeds = []
    for format_ in ("PNG", "JPEG", "WEBP"):
        buffer = io.BytesIO()
        Image.new("RGB", (20, 12), (200, 30, 30)).save(buffer, format_)
        seeds.append(buffer.getvalue())
    return lambda data: decode(data, shorter_side=16), seeds


def _dataset(file: str) -> Callable[[Path], tuple[Read, Sequence[bytes]]]:
    def prepare(folder: Path) -> tuple[Read, Sequence[bytes]]:
        from viral.data.dataset import Dataset
        from viral.data.doctor import examine, render
        from viral.data.importers import import_table

        source = folder / "source"
        source.mkdir()
        (source / "interactions.csv").write_bytes(LOG)
        (source / "items.csv").write_bytes(ITEMS)
        path = import_table(source, folder / "dataset").path

        def read(data: bytes) -> None:
            (path / file).write_bytes(data)
            opened = Dataset.open(path)
            render(examine(opened))
            opened.catalog(), opened.interactions()

        return read, [(path / file).read_bytes()]

    return prepare


def _bundle(file: str) -> Callable[[Path], tuple[Read, Sequence[bytes]]]:
    def prepare(folder: Path) -> tuple[Read, Sequence[bytes]]:
        from hardening.small_run import small_run
        from viral.run.bundle import Bundle

        path = small_run(folder / "run") / "bundle"
        seeds = [(path / file).read_bytes()]

        def read(data: bytes) -> None:
            (path / file).write_bytes(data)
            Bundle.load(path)

        return read, seeds

    return prepare


def _features(folder: Path) -> tuple[Read, Sequence[bytes]]:
    import numpy as np

    from viral.encode import FeatureTable

    path = FeatureTable(("a", "b"), "text", np.ones((2, 4), dtype=np.float32), "e").save(folder)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        FeatureTable.load(path)

    return read, [path.read_bytes()]


def _checkpoint(folder: Path) -> tuple[Read, Sequence[bytes]]:
    import torch

    from viral.training.checkpoint import load_checkpoint, save_checkpoint

    path = folder / "c.safetensors"
    save_checkpoint(path, {"model": {"w": torch.ones(3)}}, {"epoch": 3})

    def read(data: bytes) -> None:
        path.write_bytes(data)
        load_checkpoint(path)

    return read, [path.read_bytes()]


def _ledger(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from viral.enrich import Ledger
    from viral.enrich.ledger_rows import Entry, RequestKey

    path, key = folder / "ledger.sqlite", RequestKey("i", "aa", "bb", "pixel", "1", "title", "cc", "{}")
    with Ledger(path) as ledger:
        ledger.put([Entry(key, "done", "A red mug.")])
    whole = path.read_bytes()

    def read(data: bytes) -> None:
        for rest in folder.glob("ledger.sqlite-*"):
            rest.unlink()
        path.write_bytes(data)
        with Ledger(path) as ledger:
            ledger.find([key.digest])
            list(ledger.rows("pixel", "title"))

    return read, [whole]


def _rules(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from viral.run.retrieval.rules import read_rules

    def read(data: bytes) -> None:
        (folder / "rules.toml").write_bytes(data)
        read_rules(folder / "rules.toml")

    return read, [RULES]


def _feedback(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from viral.data.feedback.events import read as read_events

    def read(data: bytes) -> None:
        (folder / "feedback.jsonl").write_bytes(data)
        read_events(folder / "feedback.jsonl")

    line = {"user_id": "u1", "item_id": "a", "kind": "click", "time": 1700000000.5}
    return read, [json.dumps(line).encode() + b"\n", b'{"user_id": "u", "item_id": "b", "kind": "purchase"}\n']


def _words(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from viral.enrich.import_descriptions import ImportConfig, read_words

    def read(data: bytes) -> None:
        (folder / "words.csv").write_bytes(data)
        read_words(ImportConfig(file=str(folder / "words.csv")), ["a", "b"])

    return read, [b"id,text,describer,prompt\na,A red mug.,Anna,plain\nb,A lamp.,,\n"]


def _http(folder: Path) -> tuple[Read, Sequence[bytes]]:
    from fastapi.testclient import TestClient

    from hardening.small_run import small_run
    from viral.apps.serve import Settings, create_app

    client = TestClient(create_app(Settings(run=small_run(folder / "run"))), raise_server_exceptions=True)
    client.__enter__()
    paths = ("/v1/recommend", "/v1/explain", "/v1/feedback", "/v1/items/new")

    def read(data: bytes) -> None:
        for path in paths:
            answer = client.post(path, content=data, headers={"content-type": "application/json"})
            if answer.status_code >= 500:
                raise RuntimeError(f"{path} answers {answer.status_code}")

    user, both = {"user_id": "u0", "k": 3}, {"user_id": "u0", "item_id": "i3"}
    visit = {"user_id": "u1", "item_ids": ["i0"], "exclude": {"item_ids": ["i2"]}, "offset": 2}
    event = {"events": [{"user_id": "u0", "item_id": "i1", "kind": "click"}]}
    return read, [json.dumps(one).encode() for one in (user, both, visit, event)]


EDGES = (
    Edge("recipe", 12, _recipe),
    Edge("setting", 12, _setting),
    Edge("answer", 20, _answer),
    Edge("reply", 14, _reply),
    Edge("picture", 8, _picture),
    Edge("rules", 4, _rules),
    Edge("feedback", 4, _feedback),
    Edge("features", 4, _features),
    Edge("checkpoint", 4, _checkpoint),
    Edge("ledger", 2, _ledger),
    Edge("words", 2, _words),
    Edge("manifest", 1, _dataset("manifest.json")),
    Edge("items-parquet", 1, _dataset("items.parquet")),
    Edge("log-parquet", 1, _dataset("interactions.parquet")),
    Edge("bundle", 3, _bundle("bundle.json")),
    Edge("scorer", 1, _bundle("scorer.safetensors")),
    Edge("log-csv", 2, _table("csv", [LOG, LOG.replace(b",", b";"), LOG.decode().encode("utf-16")], "interactions")),
    Edge("items-csv", 2, _table("csv", [ITEMS], "items")),
    Edge("log-jsonl", 1, _table("jsonl", _jsonl(), "interactions")),
    Edge("http", 2, _http),
)
