"""Hop 8: full-ranking evaluation."""
