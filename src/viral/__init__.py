"""VIRAL: a multimodal recommender you can run, trust and build on (arXiv 2511.02113).

The public names, imported when they are first used, so that ``import viral`` costs nothing; ``docs/python.md`` shows
them at work. Functions that share their package's name are had from it: ``from viral.enrich import enrich``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from viral.base.threads import wait_briefly

if TYPE_CHECKING:
    from viral.base.errors import ViralError
    from viral.base.recipe import Recipe, TrainConfig
    from viral.data.catalog import Catalog, Item
    from viral.data.features import FeatureTable
    from viral.data.inputs import ModelInputs
    from viral.data.splitting import Split, split
    from viral.encode.feature_tables import encode_dataset
    from viral.enrich.ledger import Ledger
    from viral.evaluation.evaluate import evaluate
    from viral.lab.studies import ablate, compare, tune
    from viral.models import MODELS
    from viral.models.base import EmbeddingRecommender, Recommender
    from viral.run.bundle import Bundle
    from viral.run.dataset import Dataset
    from viral.run.import_dataset import (
        dataset_from_frames,
        import_amazon2014,
        import_amazon2018,
        import_amazon2023,
        import_hm,
        import_microlens,
        import_mmrec,
        import_movielens,
        import_table,
    )
    from viral.run.retrieval.retriever import Retriever
    from viral.run.train_run import train
    from viral.run.trained_run import Run
    from viral.training.loop import fit

wait_briefly()  # before anything imports torch, which reads it

_MODULES = {
    "viral.base.errors": ["ViralError"],
    "viral.base.recipe": ["Recipe", "TrainConfig"],
    "viral.data.catalog": ["Catalog", "Item"],
    "viral.data.features": ["FeatureTable"],
    "viral.data.inputs": ["ModelInputs"],
    "viral.data.splitting": ["Split", "split"],
    "viral.encode.feature_tables": ["encode_dataset"],
    "viral.enrich.ledger": ["Ledger"],
    "viral.evaluation.evaluate": ["evaluate"],
    "viral.lab.studies": ["ablate", "compare", "tune"],
    "viral.models": ["MODELS"],
    "viral.models.base": ["EmbeddingRecommender", "Recommender"],
    "viral.run.bundle": ["Bundle"],
    "viral.run.dataset": ["Dataset"],
    "viral.run.import_dataset": [
        "dataset_from_frames",
        "import_amazon2014",
        "import_amazon2018",
        "import_amazon2023",
        "import_hm",
        "import_microlens",
        "import_mmrec",
        "import_movielens",
        "import_table",
    ],
    "viral.run.retrieval.retriever": ["Retriever"],
    "viral.run.train_run": ["train"],
    "viral.run.trained_run": ["Run"],
    "viral.training.loop": ["fit"],
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}
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
    "Run",
    "Split",
    "TrainConfig",
    "ViralError",
    "ablate",
    "compare",
    "dataset_from_frames",
    "encode_dataset",
    "evaluate",
    "fit",
    "import_amazon2014",
    "import_amazon2018",
    "import_amazon2023",
    "import_hm",
    "import_microlens",
    "import_mmrec",
    "import_movielens",
    "import_table",
    "split",
    "train",
    "tune",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'viral' has no attribute {name!r}")
    try:
        return getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from viral.base.extras import explained

        raise explained(error) from None


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
