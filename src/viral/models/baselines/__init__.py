"""Published models, one file each; none imports another."""
