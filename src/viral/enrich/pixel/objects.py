"""What a region may be: its cut-out on the backdrop's colour, for the ImageNet classifier."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.masks import dilated
from viral.enrich.pixel.regions import Region

if TYPE_CHECKING:
    from PIL.Image import Image

Rgb = npt.NDArray[np.uint8]

MARGIN = 1.3  # side of the cut-out over the region's longer side: the classifier looks at the middle 7/8


def cut_out(rgb: Rgb, region: Region, backdrop: Rgb) -> "Image":
    """A square picture of one region alone, all else covered: bytes (H, W, 3), the region, the covering colour (3,)."""
    from PIL import Image

    left, top, right, bottom = region.box
    inside = dilated(region.mask[top:bottom, left:right], 2)
    cut = np.where(inside[..., None], rgb[top:bottom, left:right], backdrop)
    side = round((1 if region.area == 1 else MARGIN) * max(cut.shape[:2]))
    canvas = Image.new("RGB", (side, side), tuple(backdrop.tolist()))
    canvas.paste(Image.fromarray(cut), ((side - cut.shape[1]) // 2, (side - cut.shape[0]) // 2))
    return canvas


def backdrop_colour(rgb: Rgb, regions: tuple[Region, ...]) -> Rgb:
    """The typical colour beside all regions, of the whole picture where there is no such place: (3,) bytes."""
    free = np.ones(rgb.shape[:2], dtype=bool)
    for region in regions:
        left, top, right, bottom = region.box
        free[top:bottom, left:right] = False
    pixels = rgb[free] if free.any() else rgb.reshape(-1, 3)
    return np.median(pixels[:: max(1, len(pixels) // 4096)], axis=0).astype(np.uint8)
