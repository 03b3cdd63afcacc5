"""``viral compare``: models side by side on one data set."""
