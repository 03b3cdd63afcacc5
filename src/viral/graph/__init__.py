"""Hop 5: the graphs, built and normalised here only, and the sparse products over them."""

from viral.graph.functions.sparse import SparseMatrix
from viral.graph.item_cooccurrence import bought_together
from viral.graph.item_item_graph import knn_graph, weighted_knn_graph, weighted_sum
from viral.graph.neighbors import nearest_neighbors
from viral.graph.user_item_graph import Bipartite, bipartite_adjacency, neighbor_means
from viral.graph.user_user_graph import Neighbors, co_occurrence, resampled_user_graph, user_graph

__all__ = [
    "Bipartite",
    "Neighbors",
    "SparseMatrix",
    "bipartite_adjacency",
    "bought_together",
    "co_occurrence",
    "knn_graph",
    "nearest_neighbors",
    "neighbor_means",
    "resampled_user_graph",
    "user_graph",
    "weighted_knn_graph",
    "weighted_sum",
]
