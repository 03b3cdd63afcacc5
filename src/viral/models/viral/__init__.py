"""VIRAL: the default variant, and the readings of the paper."""
