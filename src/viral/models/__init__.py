"""Hop 6, the model zoo: one module per model, one line per model."""

from typing import Any

from viral.models.base import EmbeddingRecommender, Embeddings, EmbeddingScorer, HistoryScorer, Recommender, Scorer
from viral.models.bm3 import BM3
from viral.models.bpr import BPR
from viral.models.cohesion import COHESION
from viral.models.contentknn import ContentKNN
from viral.models.dragon import DRAGON
from viral.models.dualgnn import DualGNN
from viral.models.ease import EASE
from viral.models.easetext import EASEText
from viral.models.freedom import FREEDOM
from viral.models.grcn import GRCN
from viral.models.gume import GUME
from viral.models.ials import IALS
from viral.models.item_weights import SparseHistoryScorer
from viral.models.itemknn import ItemKNN
from viral.models.l3ae import L3AE
from viral.models.lattice import LATTICE
from viral.models.lgmrec import LGMRec
from viral.models.lightgcn import LightGCN
from viral.models.mentor import MENTOR
from viral.models.mgcn import MGCN
from viral.models.mmgcn import MMGCN
from viral.models.popularity import Popularity
from viral.models.rp3beta import RP3beta
from viral.models.slim import SLIM
from viral.models.slmrec import SLMRec
from viral.models.smore import SMORE
from viral.models.soil import SOIL
from viral.models.vbpr import VBPR
from viral.models.viral import VIRAL
from viral.models.viral_beyond import VIRALBeyond

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
    "BM3",
    "BPR",
    "COHESION",
    "DRAGON",
    "EASE",
    "FREEDOM",
    "GRCN",
    "GUME",
    "IALS",
    "L3AE",
    "LATTICE",
    "MENTOR",
    "MGCN",
    "MMGCN",
    "MODELS",
    "SLIM",
    "SMORE",
    "SOIL",
    "VBPR",
    "VIRAL",
    "ContentKNN",
    "DualGNN",
    "EASEText",
    "EmbeddingRecommender",
    "EmbeddingScorer",
    "Embeddings",
    "HistoryScorer",
    "ItemKNN",
    "LGMRec",
    "LightGCN",
    "Popularity",
    "RP3beta",
    "Recommender",
    "SLMRec",
    "Scorer",
    "SparseHistoryScorer",
    "VIRALBeyond",
]
