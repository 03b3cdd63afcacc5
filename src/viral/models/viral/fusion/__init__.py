"""Information-aware fusion: the synergistic, redundant and unique parts of VIRAL (arXiv 2511.02113), and rivals."""

from viral.models.viral.fusion.mixing import AttentionSum, KnowledgeFusion, WeightedSum
from viral.models.viral.fusion.redundancy import AnchorAsShared, MaskedRedundancy, Redundancy, without
from viral.models.viral.fusion.synergy import (
    CrossModal,
    FixedInteraction,
    Interaction,
    NoSynergy,
    OverPairs,
    Synergy,
    over_pairs,
    span,
)
from viral.models.viral.fusion.tokens import NeighborEncoder, TokenEncoder
from viral.models.viral.fusion.unique import unexplained

__all__ = [
    "AnchorAsShared",
    "AttentionSum",
    "CrossModal",
    "FixedInteraction",
    "Interaction",
    "KnowledgeFusion",
    "MaskedRedundancy",
    "NeighborEncoder",
    "NoSynergy",
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
