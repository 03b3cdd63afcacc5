"""Pictures from URLs that strangers wrote: fetched once, within limits, and never from inside one's own network."""

from viral.fetch.base import FetchConfig, FetchError
from viral.fetch.fetcher import Fetcher

__all__ = ["FetchConfig", "FetchError", "Fetcher"]
