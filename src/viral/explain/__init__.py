"""Why an item is recommended: the score's parts, the history behind it, and the words that matter."""

from viral.explain.explanation import Evidence, Explanation, explain
from viral.explain.words import WordEffect, word_effects

__all__ = ["Evidence", "Explanation", "WordEffect", "explain", "word_effects"]
