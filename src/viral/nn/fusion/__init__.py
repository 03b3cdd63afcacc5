"""Information-aware fusion: the synergistic, redundant and unique parts of VIRAL (arXiv 2511.02113), and rivals."""

from viral.nn.fusion.mixing import AttentionSum, KnowledgeFusion, WeightedSum
from viral.nn.fusion.redundancy import Redundancy, without
from viral.nn.fusion.synergy import CrossModal, Interaction, OverPairs, Synergy, over_pairs, span
from viral.nn.fusion.tokens import NeighborEncoder, TokenEncoder, linear
from viral.nn.fusion.unique import unexplained

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
    "linear",
    "over_pairs",
    "span",
    "unexplained",
    "without",
]
