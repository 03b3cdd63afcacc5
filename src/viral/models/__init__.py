"""Hop 6: the model zoo."""
