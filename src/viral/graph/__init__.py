"""Hop 5: the graphs, built and normalised here only, and the sparse products over them."""

from viral.graph.bipartite import Bipartite, bipartite_adjacency, neighbor_means
from viral.graph.cooccurrence import Neighbors, co_occurrence, resampled_user_graph, user_graph
from viral.graph.knn import knn_graph, weighted_knn_graph, weighted_sum
from viral.graph.nearest import nearest_neighbors
from viral.graph.sparse import SparseMatrix
from viral.graph.together import bought_together

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
