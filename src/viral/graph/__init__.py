"""Hop 5: the graphs, built and normalised here only, and the sparse products over them."""

from viral.graph.functions.sparse import SparseMatrix
from viral.graph.item_cooccurrence import cooccurrence_graph
from viral.graph.item_item_graph import knn_graph, weighted_knn_graph, weighted_sum
from viral.graph.neighbors import nearest_neighbors
from viral.graph.user_item_graph import Bipartite, bipartite_adjacency, distinct_pairs, neighbor_means
from viral.graph.user_user_graph import UserNeighbors, resampled_user_graph, user_graph, user_neighbors

__all__ = [
    "Bipartite",
    "SparseMatrix",
    "UserNeighbors",
    "bipartite_adjacency",
    "cooccurrence_graph",
    "distinct_pairs",
    "knn_graph",
    "nearest_neighbors",
    "neighbor_means",
    "resampled_user_graph",
    "user_graph",
    "user_neighbors",
    "weighted_knn_graph",
    "weighted_sum",
]
