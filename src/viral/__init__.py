"""VIRAL: a multimodal recommender you can run, trust and build on (arXiv 2511.02113).

The public names, imported when they are first used, so that ``import viral`` costs nothing. Functions that share
their module's name are had from it: ``from viral.enrich import enrich``, ``from viral.explain import explain``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from viral.threads import wait_briefly

if TYPE_CHECKING:
    from viral.bundle import Bundle
    from viral.catalog import Catalog, Item
    from viral.data import ModelInputs, Split, split
    from viral.dataset import Dataset
    from viral.encode import FeatureTable, encode_dataset
    from viral.enrich import Ledger
    from viral.errors import ViralError
    from viral.evaluation import evaluate
    from viral.models import MODELS, EmbeddingRecommender, Recommender
    from viral.pipeline import train
    from viral.recipe import Recipe, TrainConfig
    from viral.retrieval import Retriever
    from viral.training import fit

wait_briefly()  # before anything imports torch, which reads it

_HOME = {
    "Bundle": "viral.bundle",
    "Catalog": "viral.catalog",
    "Dataset": "viral.dataset",
    "EmbeddingRecommender": "viral.models",
    "FeatureTable": "viral.encode",
    "Item": "viral.catalog",
    "Ledger": "viral.enrich",
    "MODELS": "viral.models",
    "ModelInputs": "viral.data",
    "Recipe": "viral.recipe",
    "Recommender": "viral.models",
    "Retriever": "viral.retrieval",
    "Split": "viral.data",
    "TrainConfig": "viral.recipe",
    "ViralError": "viral.errors",
    "encode_dataset": "viral.encode",
    "evaluate": "viral.evaluation",
    "fit": "viral.training",
    "split": "viral.data",
    "train": "viral.pipeline",
}

__all__ = [
    "MODELS",
    "Bundle",
    "Catalog",
    "Dataset",
    "EmbeddingRecommender",
    "FeatureTable",
    "Item",
    "Ledger",
    "ModelInputs",
    "Recipe",
    "Recommender",
    "Retriever",
    "Split",
    "TrainConfig",
    "ViralError",
    "encode_dataset",
    "evaluate",
    "fit",
    "split",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'viral' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
