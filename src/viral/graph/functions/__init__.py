"""Parts that at least two models share: losses, propagation, fusion."""

from viral.graph.functions.infonce import info_nce
from viral.graph.functions.losses import bpr_loss, bpr_loss_bits, bpr_triplets, dot, norm_penalty
from viral.graph.functions.projection import Projection
from viral.graph.functions.propagation import embedding, propagate_mean, propagate_mean_rows, propagate_sum
from viral.graph.functions.rows import times_cosine, unit_rows

__all__ = [
    "Projection",
    "bpr_loss",
    "bpr_loss_bits",
    "bpr_triplets",
    "dot",
    "embedding",
    "info_nce",
    "norm_penalty",
    "propagate_mean",
    "propagate_mean_rows",
    "propagate_sum",
    "times_cosine",
    "unit_rows",
]
