"""Hop 8: full-ranking evaluation, per user."""

from viral.evaluation.evaluate import CUTOFFS, Metrics, evaluate
from viral.evaluation.ranking import top_items
from viral.evaluation.significance import PairedTest, holm, paired_test

__all__ = ["CUTOFFS", "Metrics", "PairedTest", "evaluate", "holm", "paired_test", "top_items"]
