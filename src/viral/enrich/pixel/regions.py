"""What stands before what: the background, estimated from the frame of the picture, and the regions before it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from viral.enrich.pixel.backdrop import (
    CLOSE,
    backdrop_layers,
    balanced,
    faint,
    frame,
    seams,
    studio,
)
from viral.enrich.pixel.colour_names import Lab
from viral.enrich.pixel.colours import Mask, distance
from viral.enrich.pixel.morphology import closed, eroded, opened

FloatGrid = npt.NDArray[np.float32]
Backdrop = Literal["plain", "gradient", "patterned", "busy"]

CLEAN, NOISE = 3.2, 3.0  # at least; and how many times the backdrop's own unevenness: white shows on a clean grey
SAME = 0.8  # to which the backdrop's usual unevenness is added: so near is the backdrop itself, seen through a hole
SLOPE = 9.0  # a backdrop whose colour drifts more than this across the picture is a gradient
LEAST_AREA = 0.006  # of the picture; smaller things are specks
EXPLAINED = 0.75  # of the frame, or the picture has no backdrop to speak of
MOST_REGIONS = 6
LEAST_WINDOW, MOST_WINDOWS = 0.025, 3  # share of a thing from which a hole is one to look through; how many it may have
SHADOW = 30.0  # of lightness that a shadow takes at most
WEAK = 14.0  # contrast of a thing that a closer look may see more of
GAIN = 1.3  # by how much more it must see
LEAST_LIT = 0.4  # of a thing is not shade, or it is a grey thing


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One connected thing: its pixels, its box and how it lies in the picture."""

    mask: Mask  # (H, W), small holes filled
    box: tuple[int, int, int, int]  # left, top, right, bottom; right and bottom outside
    area: float  # share of the picture
    centre: tuple[float, float]  # x, y in 0…1
    contrast: float  # mean distance from the backdrop's colour
    cut: float  # share of its outline that lies on the picture's edge

    @property
    def prominence(self) -> float:
        """How much it draws the eye: large, central, contrasting, not cut off; comparable within a picture only."""
        off_centre = np.hypot(self.centre[0] - 0.5, self.centre[1] - 0.5)
        return float(np.sqrt(self.area) * (1.2 - off_centre) * (1 - 0.6 * self.cut) * min(1.0, self.contrast / 25))


@dataclass(frozen=True, slots=True, eq=False)
class PictureScene:
    """A picture taken apart. Without a backdrop the whole picture is its one region."""

    lab: Lab  # (H, W, 3)
    lit: Lab  # the same in the light that makes a studio's backdrop neutral
    backdrop: Backdrop
    backdrop_pixels: Lab  # (n, 3)
    regions: tuple[Region, ...]  # most prominent first
    photo: bool = False  # taken in a studio


def take_apart(lab: Lab) -> PictureScene:
    """Separate the regions of a picture (H, W, 3) from its backdrop."""
    height, width = lab.shape[:2]
    if min(height, width) < 16:
        return PictureScene(lab, lab, "plain", lab.reshape(-1, 3), ())
    layers, explained = backdrop_layers(lab)
    if explained < EXPLAINED:
        return _whole(lab)
    difference, shade = distance(lab, layers[0]), _shade(lab, layers[0])
    for layer in layers[1:]:
        nearer = (other := distance(lab, layer)) < difference
        difference, shade = np.minimum(difference, other), np.where(nearer, _shade(lab, layer), shade)
    edge = difference.reshape(-1)[frame(lab.shape)]
    near = float(np.clip(NOISE * np.percentile(edge[edge < CLOSE], 95), CLEAN, CLOSE))
    same = SAME + 1.5 * float(np.median(edge[edge < CLOSE]))
    regions = _regions((difference > near) & ~seams(lab, layers, near), shade, difference, same)
    if photo := studio(lab, layers):
        regions = _with_faint(lab, regions, difference)
    if _covered(regions) > 0.85 or any(region.cut > 0.5 and region.area > 0.3 for region in regions):
        return _whole(lab)
    free = np.ones((height, width), dtype=bool)
    for region in regions:
        free &= ~region.mask
    lit = balanced(lab, layers[0]) if photo else lab
    return PictureScene(lab, lit, _kind(layers), lab[free], regions, photo=photo)


def _with_faint(lab: Lab, regions: tuple[Region, ...], difference: FloatGrid) -> tuple[Region, ...]:
    """The regions, or what is seen at a closer look where all of them hardly differ from the backdrop."""
    if any(region.contrast > WEAK for region in regions):
        return regions
    nowhere = np.zeros_like(faintly := faint(lab))
    found = _regions(faintly, nowhere, difference, -1.0)
    return found if _covered(found) > GAIN * _covered(regions) else regions


def _covered(regions: tuple[Region, ...]) -> float:
    return sum(region.area for region in regions)


def _whole(lab: Lab) -> PictureScene:
    height, width = lab.shape[:2]
    mask = np.ones((height, width), dtype=bool)
    region = Region(mask, (0, 0, width, height), 1.0, (0.5, 0.5), 100.0, 1.0)
    return PictureScene(lab, lab, "busy", lab[:0].reshape(0, 3), (region,))


def _kind(layers: list[Lab]) -> Backdrop:
    if len(layers) > 1:
        return "patterned"
    corners = layers[0][[0, 0, -1, -1], [0, -1, 0, -1]]
    drift = max(float(distance(one, other)) for one in corners for other in corners)
    return "gradient" if drift > SLOPE else "plain"


def _shade(lab: Lab, backdrop: Lab) -> Mask:
    """Where the backdrop itself may only be darker, under a thing: same hue, a little less light."""
    change = lab - backdrop
    return (change[..., 0] < 0) & (change[..., 0] > -SHADOW) & (np.hypot(change[..., 1], change[..., 2]) < CLOSE)


def _regions(differs: Mask, shade: Mask, difference: FloatGrid, same: float) -> tuple[Region, ...]:
    """Connected things that differ from the backdrop, most prominent first: (H, W) -> at most ``MOST_REGIONS``.

    A shadow that a thing throws is taken off it; a thing that is nothing but shade is a grey thing, and stays.
    """
    solid, lit = _solid(differs), _solid(differs & ~shade)
    labels, number = ndimage.label(solid)
    share = ndimage.mean(lit, labels, np.arange(number + 1))
    labels, _ = ndimage.label(np.where(share[labels] > LEAST_LIT, lit & solid, solid))
    found = []
    for label, window in enumerate(ndimage.find_objects(labels), start=1):
        inside = labels[window] == label
        if inside.sum() >= max(48, LEAST_AREA * difference.size):
            inside = inside & ~_windows(inside, difference[window] < same)
            found.append(_region(inside, window, difference))
    return tuple(sorted(found, key=lambda region: -region.prominence)[:MOST_REGIONS])


def _solid(mask: Mask) -> Mask:
    """A mask without gaps of a pixel, holes or hairs."""
    outside, _ = ndimage.label(~closed(mask))
    edge = np.concatenate([outside[0], outside[-1], outside[:, 0], outside[:, -1]])
    open_air = np.zeros(outside.max() + 1, dtype=bool)
    open_air[edge] = True
    open_air[0] = False
    return opened(~open_air[outside])


def _windows(inside: Mask, same: Mask) -> Mask:
    """Large holes through which the backdrop is seen, a handle's say; many are rather a pattern in its colour."""
    labels, number = ndimage.label(opened(inside & same))
    sizes = np.bincount(labels.ravel(), minlength=number + 1)
    large = sizes >= LEAST_WINDOW * inside.sum()
    large[0] = False
    return large[labels] if large.sum() <= MOST_WINDOWS else np.zeros_like(inside)


def _region(inside: Mask, window: tuple[slice, slice], difference: FloatGrid) -> Region:

    height, width = difference.shape
    mask = np.zeros((height, width), dtype=bool)
    mask[window] = inside
    rows, columns = np.nonzero(inside)
    outline = int(inside.sum()) - int(eroded(inside).sum())
    edge = mask[0].sum() + mask[-1].sum() + mask[1:-1, 0].sum() + mask[1:-1, -1].sum()
    return Region(
        mask,
        (window[1].start, window[0].start, window[1].stop, window[0].stop),
        len(rows) / mask.size,
        (float(columns.mean() + window[1].start + 0.5) / width, float(rows.mean() + window[0].start + 0.5) / height),
        float(difference[window][inside].mean()),
        float(edge / max(1, outline)),
    )
