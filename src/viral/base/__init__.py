"""What every layer needs and what needs no layer: files, errors, recipes, processes."""
