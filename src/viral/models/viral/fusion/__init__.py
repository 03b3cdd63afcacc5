"""Information-aware fusion: the synergistic, redundant and unique parts of VIRAL (arXiv 2511.02113), and rivals."""
