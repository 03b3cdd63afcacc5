"""Differentiable operations with gradients written by hand, each beside its plain form, and the losses."""

from viral.graph.functions.infonce import info_nce
from viral.graph.functions.losses import bpr_loss, bpr_loss_bits, bpr_triplets, dot, half_squares, norm_penalty, sum_of
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
    "half_squares",
    "info_nce",
    "norm_penalty",
    "propagate_mean",
    "propagate_mean_rows",
    "propagate_sum",
    "sum_of",
    "times_cosine",
    "unit_rows",
]
