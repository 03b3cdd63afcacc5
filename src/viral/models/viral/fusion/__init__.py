"""Information-aware fusion: the synergistic, redundant and unique parts of VIRAL (arXiv 2511.02113), and rivals."""

from viral.models.viral.fusion.mixing import AttentionSum, KnowledgeFusion, WeightedSum
from viral.models.viral.fusion.redundancy import Redundancy, without
from viral.models.viral.fusion.synergy import CrossModal, Interaction, OverPairs, Synergy, over_pairs, span
from viral.models.viral.fusion.tokens import NeighborEncoder, TokenEncoder
from viral.models.viral.fusion.unique import unexplained

__all__ = [
    "AttentionSum",
    "CrossModal",
    "Interaction",
    "KnowledgeFusion",
    "NeighborEncoder",
    "OverPairs",
    "Redundancy",
    "Synergy",
    "TokenEncoder",
    "WeightedSum",
    "over_pairs",
    "span",
    "unexplained",
    "without",
]
