"""The web pages: HTML made here from templates, by routers of one file per page."""
