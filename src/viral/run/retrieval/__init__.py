"""Hop 10: recommendations by raw ids from a bundle, for users, new users and items."""

from viral.run.retrieval.describer import DescriberOptions, NoDescriber
from viral.run.retrieval.filters import Filters
from viral.run.retrieval.fold_in import FoldIn
from viral.run.retrieval.new_items import ColdItem
from viral.run.retrieval.results import AudienceUser, Recommendation, Similar
from viral.run.retrieval.retriever import Retriever

__all__ = [
    "AudienceUser",
    "ColdItem",
    "DescriberOptions",
    "Filters",
    "FoldIn",
    "NoDescriber",
    "Recommendation",
    "Retriever",
    "Similar",
]
