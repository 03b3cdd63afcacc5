"""Hop 1: one file per layout, each turns a foreign source into a data set folder."""
