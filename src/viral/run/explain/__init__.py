"""Why an item is recommended: in one sentence, by the score's parts, the history behind it and its words."""

from viral.run.explain.explanation import Evidence, Explanation, explain
from viral.run.explain.sentence import because, popular
from viral.run.explain.word_attribution import WordEffect, word_effects

__all__ = [
    "Evidence", "Explanation", "WordEffect", "because", "explain", "popular", "word_effects",
]  # fmt: skip
