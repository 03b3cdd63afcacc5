"""Hop 10: recommendations by raw ids from a bundle, for users, newcomers and items."""

from viral.retrieval.cold import ColdItem
from viral.retrieval.describer import Given, NoDescriber
from viral.retrieval.filters import Filters
from viral.retrieval.foldin import FoldIn
from viral.retrieval.results import Fan, Recommendation, Similar
from viral.retrieval.retriever import Retriever

__all__ = ["ColdItem", "Fan", "Filters", "FoldIn", "Given", "NoDescriber", "Recommendation", "Retriever", "Similar"]
