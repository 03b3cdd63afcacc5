"""Anybody's own tables: a log of interactions, an item table and a folder of pictures, as shops export them."""
