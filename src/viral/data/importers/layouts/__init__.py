"""The layouts that can be imported, one file each; the sets of Amazon and anybody's own tables are packages."""
