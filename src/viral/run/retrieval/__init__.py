"""Hop 10: recommendations by raw ids from a bundle, for users, newcomers and items."""

from viral.run.retrieval.describer import Given, NoDescriber
from viral.run.retrieval.filters import Filters
from viral.run.retrieval.fold_in import FoldIn
from viral.run.retrieval.new_items import ColdItem
from viral.run.retrieval.results import Fan, Recommendation, Similar
from viral.run.retrieval.retriever import Retriever

__all__ = ["ColdItem", "Fan", "Filters", "FoldIn", "Given", "NoDescriber", "Recommendation", "Retriever", "Similar"]
