"""The catalogue as it is once its pictures have been fetched."""

from dataclasses import replace
from pathlib import Path

from viral.data.catalog import Catalog, Item
from viral.data.dataset import Dataset
from viral.data.fetch.cache import PictureCache

FETCHED = Path(".cache") / "pictures"  # where a data set keeps what was fetched for it


def catalog_with_fetched(dataset: Dataset) -> Catalog:
    """The data set's catalogue, in which an item that only names an address has the fetched file, if there is one.

    Nothing is fetched here: what reads pictures after `viral enrich` (image encoders, reports) sees what it saw.
    """
    cache = PictureCache(dataset.path / FETCHED)

    def known(item: Item) -> Item:
        if not item.image_url or (item.image is not None and item.image.exists()):
            return item
        found = cache.path(item.image_url)
        return item if found is None else replace(item, image=found)

    return Catalog(tuple(map(known, dataset.catalog())))
