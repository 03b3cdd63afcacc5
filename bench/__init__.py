"""Speed, measured as ratios within one run. ``make bench`` prints a table and writes ``bench/results/latest.json``."""
