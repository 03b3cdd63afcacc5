"""Hops 1, 4 and 5: catalogue, interactions, features, splitting, sampling, and the inputs of a model."""
