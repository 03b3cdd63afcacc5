"""Pictures from untrusted URLs: fetched once, within limits, and never from inside one's own network."""

from viral.data.fetch.cache import FETCHED, catalog_with_fetched
from viral.data.fetch.fetcher import Fetcher
from viral.data.fetch.limits import FetchConfig, FetchError

__all__ = ["FETCHED", "FetchConfig", "FetchError", "Fetcher", "catalog_with_fetched"]
