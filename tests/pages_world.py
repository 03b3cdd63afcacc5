"""A small shop for tests of the pages: mugs and lamps with pictures, and titles that somebody made to do harm."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import TypeVar

import httpx
import polars as pl
from fastapi import FastAPI
from starlette.testclient import TestClient

from describers import LoggingDescriber, draw
from encoders import BagOfWords, Colours
from viral.apps.serve import Settings, create_app
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset, Source, image_name, write_tables
from viral.encode import encode_dataset
from viral.enrich import Ledger, enrich, load_prompt, save_descriptions
from viral.run.pipeline import train
from worlds import ZOO

T = TypeVar("T")
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
HOSTILE = {
    "i2": SCRIPT,
    "i3": "\u202eetihw ni gum a\u202c קפה ☕️👩🏽‍🚀",
    "i4": "long " * 20_000,
    "i5": '" onmouseover="alert(3)" {{ 7 * 7 }} {% raw %}',
}
ODD = "a/b c?d#e&f=g+h"  # an id, too
SIZES = {"embedding_dim": 4, "hidden_dim": 4, "crossmodal_dim": 4, "num_neighbors": 3}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def make_dataset(folder: Path) -> Dataset:
    """Twelve items, the last without a picture and one whose picture is no picture; ten users."""
    ids = [f"i{n}" for n in range(11)] + [ODD]
    images = [image_name(item_id, ".png") for item_id in ids[:-1]]
    for number, name in enumerate(images):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        draw(folder / name, number)
    (folder / images[6]).write_bytes(b"no picture at all")
    titles = [HOSTILE.get(name, f"{('Red mug', 'Blue lamp')[n % 2]} number {n}") for n, name in enumerate(ids)]
    kinds = [("mugs", "<b>lamps</b>")[n % 2] for n in range(12)]
    items = pl.DataFrame(
        {"item_id": ids, "title": titles, "text": "from Japan", "image": [*images, None], "category": kinds}
    )
    pairs = [(u, i) for u in range(10) for i in range(12) if (u - i) % 2 == 0 and (u + i) % 5]
    log = pl.DataFrame(
        {
            "user_id": [SCRIPT if u == 9 else f"u{u}" for u, _ in pairs],
            "item_id": [ids[i] for _, i in pairs],
            "split": [("train", "train", "train", "valid", "test")[n % 5] for n in range(len(pairs))],
        }
    )
    made = write_tables(folder, items, log, Source(layout="test"))
    with Ledger(folder / "ledger.sqlite") as ledger:
        descriptions = enrich(made.catalog(), describer(folder), load_prompt("title"), ledger)
    save_descriptions(descriptions, folder)
    encode_dataset(made, descriptions=descriptions, encoder=BagOfWords(), vision=Colours())
    return made


def describer(folder: Path, **answers: object) -> LoggingDescriber:
    return LoggingDescriber(folder.parent / "asked.txt", answers)


def make_run(dataset: Dataset, run: Path, name: str = "viral") -> Path:
    """A run of one epoch, of a class of the zoo."""
    model, config = ZOO[name]
    sizes = SIZES if model == "viral" else {}
    train(dataset, Recipe(model=model, config={**config, **sizes}, train=TrainConfig(max_epochs=1)), run)
    return run


def application(run: Path, dataset: Path | None = None, **settings: object) -> FastAPI:
    """A server over the run, with the encoders that made its features."""
    app = create_app(Settings(run=run, dataset=dataset, **settings))  # type: ignore[arg-type]
    encoders = app.state.live.current.retriever.encoders
    encoders.words, encoders.vision, encoders.describer = BagOfWords(), Colours(), describer(run)
    return app


def served(
    run: Path, dataset: Path | None, task: Callable[[httpx.AsyncClient], Awaitable[T]], **settings: object
) -> T:  # fmt: skip
    """The task's result, whose requests and the server share one event loop."""

    async def running() -> T:
        app = application(run, dataset, **settings)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            return await task(client)

    return asyncio.run(running())


@contextmanager
def opened(run: Path, dataset: Path | None = None, **settings: object) -> Iterator[TestClient]:
    """A client of such a server."""
    app = application(run, dataset, **settings)
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


class Tree(HTMLParser):
    """Every element of a page with its attributes, and the text within it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.unclosed: list[int] = []
        self.stray: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))
        if tag not in VOID:
            self.unclosed.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        while self.unclosed:
            found = self.elements[self.unclosed.pop()][0]
            if found == tag:
                return
            if found not in ("li", "p", "option", "tr", "td", "th", "dt", "dd"):  # what HTML lets stay open
                self.stray.append(f"</{tag}> closes <{found}>")
        self.stray.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        for index in self.unclosed:
            self.elements[index][2].append(data)

    def all(self, tag: str, **attributes: str) -> list[tuple[dict[str, str], str]]:
        """Attributes and text of the elements of a kind with these attributes (``_`` for ``-``, ``class_``: a word)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}

        def fits(found: dict[str, str]) -> bool:
            return all(value in (found.get(key), *found.get(key, "").split()) for key, value in wanted.items())

        return [
            (found, " ".join("".join(texts).split()))
            for name, found, texts in self.elements
            if name == tag and fits(found)
        ]

    @property
    def text(self) -> str:
        return next(("".join(texts) for name, _, texts in self.elements if name == "body"), "")
