"""Hop 8: full-ranking evaluation, per user."""

from viral.evaluation.evaluate import CUTOFFS, Metrics, evaluate
from viral.evaluation.ranking import top_items
from viral.evaluation.segments import item_segments, user_segments, within
from viral.evaluation.significance import PairedTest, holm, least_p, paired_test, quick_paired_test

__all__ = [
    "CUTOFFS",
    "Metrics",
    "PairedTest",
    "evaluate",
    "holm",
    "item_segments",
    "least_p",
    "paired_test",
    "quick_paired_test",
    "top_items",
    "user_segments",
    "within",
]
