"""Pictures on their way into a data set: found in a folder, matched with items, checked and copied."""
