"""What a trained model is used for: encoding, loading a bundle, one recommendation. Seconds; the first row is ours."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from bench import retrieval
from bench.measures import Rows
from bench.timing import medians
from viral.encode import SentenceEncoder
from viral.encode.vision import EfficientNetLite, preprocess
from viral.lab.shop.item_texts import write
from viral.models.scorers import EmbeddingScorer, product
from viral.run.bundle import Bundle
from viral.run.retrieval import Retriever

SENTENCES, PICTURES, REQUESTS = 64, 16, 500


def encoding() -> Rows:
    """Seconds a sentence and a picture, against the bare network on inputs that are ready."""
    rng = np.random.default_rng(0)
    texts = [". ".join(write("vase", "teal", "Japan", n % 2, rng)[:2]) for n in range(SENTENCES)]
    words, vision = SentenceEncoder(), EfficientNetLite()
    ready = words._model.preprocess(sorted(texts, key=len))
    pictures = [Image.fromarray(rng.integers(0, 255, (288, 288, 3), dtype=np.uint8)) for _ in range(PICTURES)]
    inputs = torch.from_numpy(np.stack([preprocess(picture) for picture in pictures]))
    inputs = inputs.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def bare_words() -> None:
        words._model.forward(dict(ready))

    @torch.inference_mode()
    def bare_pictures() -> None:
        vision._model.extract_features(inputs)

    of_words = medians({"ours": lambda: words.encode(texts), "limit": bare_words}, repeats=5, warmup=1)
    of_pictures = medians({"ours": lambda: vision.features(pictures), "limit": bare_pictures}, repeats=5, warmup=1)
    return {
        "encoding a sentence": {name: value / SENTENCES for name, value in of_words.items()},
        "encoding a picture": {name: value / PICTURES for name, value in of_pictures.items()},
    }


def bundle(items: int = 100_000) -> Rows:
    """Loading a bundle of 100,000 items, against reading its bytes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bundle"
        retrieval.world(items, 64).save(path)
        files = [file for file in path.rglob("*") if file.is_file()]
        seconds = medians(
            {"ours": lambda: Bundle.load(path), "limit": lambda: [file.read_bytes() for file in files]},
            repeats=5,
            warmup=1,
        )
    return {f"loading a bundle of {items:,} items": seconds}


def recommendation(items: int = 100_000) -> Rows:
    """One user's twenty best among 100,000 items, exact, from a bundle that was saved and loaded.

    By the width of one table of ids (64) and of VIRAL's three branches (192), the latter with directions that fall off,
    and alike in all: median and 99th percentile.
    """
    rows: Rows = {}
    for kind, width, falling in (("64 wide", 64, 0.0), ("192 wide", 192, 0.9), ("192 wide and round", 192, 0.0)):
        with TemporaryDirectory() as folder:
            retrieval.world(items, width, falling=falling).save(Path(folder) / "bundle")
            retriever = Retriever.load(Path(folder) / "bundle")
            rows |= _requests(retriever, f"one recommendation of {items:,} items, {kind}")
    return rows


def _requests(retriever: Retriever, title: str) -> Rows:
    scorer = retriever.bundle.scorer
    assert isinstance(scorer, EmbeddingScorer)
    spent = retrieval.timed(
        {
            "ours": lambda user: retriever.recommend(f"u{user}", 20),
            "limit": lambda user: product(scorer.items, scorer.users[user]).topk(20),
        },
        REQUESTS,
    )
    times = {name: torch.tensor(values).double() / 1000 for name, values in spent.items()}
    return {
        title: {name: values.median().item() for name, values in times.items()},
        f"{title}, 99th percentile": {name: values.quantile(0.99).item() for name, values in times.items()},
    }
