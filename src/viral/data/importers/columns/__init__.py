"""Which column of a table is what: by the names that exports use, and by what is in it."""
