"""Hops 9 and 10: a training and what it leaves: measured, kept, asked, explained, updated, exported."""
