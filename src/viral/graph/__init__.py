"""Hop 5: the graphs, and the sparse products over them."""
