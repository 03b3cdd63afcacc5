"""``viral ablate``: VIRAL taken apart, one change a row."""
