"""Hop 3: words and pictures to vectors."""
