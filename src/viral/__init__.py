"""VIRAL: a multimodal recommender you can run, trust and build on (arXiv 2511.02113)."""
