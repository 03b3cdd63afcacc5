"""``viral compare --cold``: how well items are recommended that came after training."""
