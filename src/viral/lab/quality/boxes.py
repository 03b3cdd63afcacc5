"""Where in a picture of several things the product is: known of a planted shop, and claimed of nothing else."""

from collections.abc import Mapping

from viral.data.dataset import Dataset
from viral.lab.quality.naming_counts import TRUTH_FILE

Box = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the picture's sides


def product_boxes(dataset: Dataset) -> Mapping[str, Box]:
    """The place of the product and its tag by item id; empty where nothing tells it."""
    side = dataset.manifest.get("source", {}).get("options", {}).get("image_size")
    if not isinstance(side, int) or not (dataset.path / TRUTH_FILE).is_file():
        return {}
    import polars as pl

    truth = pl.read_parquet(dataset.path / TRUTH_FILE)
    if not {"item_id", "box"} <= set(truth.columns):
        return {}
    parts = [truth[name].to_list() for name in ("box", "tag_box") if name in truth.columns]
    boxes: dict[str, Box] = {}
    for item_id, *places in zip(truth["item_id"].to_list(), *parts, strict=True):
        lefts, tops, rights, bottoms = zip(*places, strict=True)
        boxes[item_id] = (min(lefts) / side, min(tops) / side, max(rights) / side, max(bottoms) / side)
    return boxes
