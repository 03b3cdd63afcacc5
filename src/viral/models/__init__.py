"""Hop 6, the model zoo: one module per model, one line per model."""

from typing import Any

from viral.models.base import EmbeddingRecommender, Embeddings, ItemFeatures, Recommender, Trained
from viral.models.baselines.bm3 import BM3
from viral.models.baselines.bpr import BPR
from viral.models.baselines.cohesion import COHESION
from viral.models.baselines.contentknn import ContentKNN
from viral.models.baselines.dragon import DRAGON
from viral.models.baselines.dualgnn import DualGNN
from viral.models.baselines.ease import EASE
from viral.models.baselines.easetext import EASEText
from viral.models.baselines.freedom import FREEDOM
from viral.models.baselines.grcn import GRCN
from viral.models.baselines.gume import GUME
from viral.models.baselines.ials import IALS
from viral.models.baselines.itemknn import ItemKNN
from viral.models.baselines.l3ae import L3AE
from viral.models.baselines.lattice import LATTICE
from viral.models.baselines.lgmrec import LGMRec
from viral.models.baselines.lightgcn import LightGCN
from viral.models.baselines.mentor import MENTOR
from viral.models.baselines.mgcn import MGCN
from viral.models.baselines.mmgcn import MMGCN
from viral.models.baselines.popularity import Popularity
from viral.models.baselines.rp3beta import RP3beta
from viral.models.baselines.slim import SLIM
from viral.models.baselines.slmrec import SLMRec
from viral.models.baselines.smore import SMORE
from viral.models.baselines.soil import SOIL
from viral.models.baselines.vbpr import VBPR
from viral.models.scorers import EmbeddingScorer, HistoryScorer, Scorer, SparseHistoryScorer
from viral.models.viral.model import VIRALBeyond
from viral.models.viral.paper import VIRAL

MODELS: dict[str, type[Recommender[Any]]] = {
    "popularity": Popularity,
    "itemknn": ItemKNN,
    "rp3beta": RP3beta,
    "slim": SLIM,
    "ease": EASE,
    "ials": IALS,
    "bpr": BPR,
    "lightgcn": LightGCN,
    "contentknn": ContentKNN,
    "easetext": EASEText,
    "l3ae": L3AE,
    "bm3": BM3,
    "slmrec": SLMRec,
    "lattice": LATTICE,
    "mgcn": MGCN,
    "mmgcn": MMGCN,
    "grcn": GRCN,
    "smore": SMORE,
    "lgmrec": LGMRec,
    "vbpr": VBPR,
    "freedom": FREEDOM,
    "dragon": DRAGON,
    "dualgnn": DualGNN,
    "mentor": MENTOR,
    "cohesion": COHESION,
    "gume": GUME,
    "soil": SOIL,
    "viral": VIRALBeyond,  # ``variant`` leads to VIRAL, the readings of the paper
}

__all__ = [
    "BPR",
    "MODELS",
    "VIRAL",
    "EmbeddingRecommender",
    "EmbeddingScorer",
    "Embeddings",
    "HistoryScorer",
    "ItemFeatures",
    "LightGCN",
    "Popularity",
    "Recommender",
    "Scorer",
    "SparseHistoryScorer",
    "Trained",
    "VIRALBeyond",
]
