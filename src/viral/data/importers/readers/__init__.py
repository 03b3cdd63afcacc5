"""The file formats: each reader gives a table of text, the row numbers and the rows that cannot be read."""
