"""Hop 2: pictures to words."""
