"""What stands before what: the background, estimated from the frame of the picture, and the regions before it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.colours import Lab, Mask, distance, grid_cells
from viral.enrich.pixel.masks import closed, eroded, opened

FloatGrid = npt.NDArray[np.float32]
Backdrop = Literal["plain", "gradient", "patterned", "busy"]

CLOSE = 7.0  # colours nearer than this are the same surface, at most
GROWTH = 4.0  # by how much the next pixels of a surface may differ from its fit so far
CLEAN, NOISE = 3.2, 3.0  # at least; and how many times the backdrop's own unevenness: white shows on a clean grey
SAME = 0.8  # to which the backdrop's usual unevenness is added: so near is the backdrop itself, seen through a hole
SOFT = 10  # pixels on each side of the line between two surfaces that may be a blend of them
SLOPE = 9.0  # a backdrop whose colour drifts more than this across the picture is a gradient
LEAST_AREA = 0.006  # of the picture; smaller things are specks
MOST_LAYERS = 3  # surfaces of which a backdrop may consist: a wall, a floor, a stripe
LEAST_LAYER = 0.10  # of the frame
EXPLAINED = 0.75  # of the frame, or the picture has no backdrop to speak of
MOST_REGIONS = 6
LEAST_WINDOW, MOST_WINDOWS = 0.025, 3  # share of a thing from which a hole is one to look through; how many it may have
MOST_SAMPLES = 1200  # of the frame's pixels, evenly spread
SHADOW = 30.0  # of lightness that a shadow takes at most
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
class Scene:
    """A picture taken apart. Without a backdrop the whole picture is its one region."""

    lab: Lab  # (H, W, 3)
    backdrop: Backdrop
    backdrop_pixels: Lab  # (n, 3)
    regions: tuple[Region, ...]  # most prominent first


def take_apart(lab: Lab) -> Scene:
    """Separate the regions of a picture (H, W, 3) from its backdrop."""
    height, width = lab.shape[:2]
    if min(height, width) < 16:
        return Scene(lab, "plain", lab.reshape(-1, 3), ())
    layers, explained = _backdrop_layers(lab)
    if explained < EXPLAINED:
        return _whole(lab)
    difference, shade = distance(lab, layers[0]), _shade(lab, layers[0])
    for layer in layers[1:]:
        nearer = (other := distance(lab, layer)) < difference
        difference, shade = np.minimum(difference, other), np.where(nearer, _shade(lab, layer), shade)
    frame = difference.reshape(-1)[_frame(lab.shape)]
    near = float(np.clip(NOISE * np.percentile(frame[frame < CLOSE], 95), CLEAN, CLOSE))
    same = SAME + 1.5 * float(np.median(frame[frame < CLOSE]))
    regions = _regions((difference > near) & ~_seams(lab, layers, near), shade, difference, same)
    covered = sum(region.area for region in regions)
    if covered > 0.85 or any(region.cut > 0.5 and region.area > 0.3 for region in regions):
        return _whole(lab)
    free = np.ones((height, width), dtype=bool)
    for region in regions:
        free &= ~region.mask
    return Scene(lab, _kind(lab, layers), lab[free], regions)


def _whole(lab: Lab) -> Scene:
    height, width = lab.shape[:2]
    mask = np.ones((height, width), dtype=bool)
    region = Region(mask, (0, 0, width, height), 1.0, (0.5, 0.5), 100.0, 1.0)
    return Scene(lab, "busy", lab[:0].reshape(0, 3), (region,))


def _kind(lab: Lab, layers: list[Lab]) -> Backdrop:
    if len(layers) > 1:
        return "patterned"
    corners = layers[0][[0, 0, -1, -1], [0, -1, 0, -1]]
    drift = max(float(distance(one, other)) for one in corners for other in corners)
    return "gradient" if drift > SLOPE else "plain"


def _frame(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Flat indices of pixels along the picture's edge, 3 % wide."""
    height, width = shape[:2]
    inner = np.zeros((height, width), dtype=bool)
    edge = max(2, round(0.03 * min(height, width)))
    inner[edge:-edge, edge:-edge] = True
    frame = np.flatnonzero(~inner)
    return frame[:: max(1, len(frame) // MOST_SAMPLES)]


def _backdrop_layers(lab: Lab) -> tuple[list[Lab], float]:
    """Surfaces (each (H, W, 3), a colour that varies linearly) of the backdrop, and the frame's share they explain."""
    height, width = lab.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    place = [np.ones(height * width), x.ravel() / width - 0.5, y.ravel() / height - 0.5]
    design = np.stack(place, axis=1).astype(np.float32)
    frame = _frame(lab.shape)
    left, layers = frame, []
    flat = lab.reshape(-1, 3)
    for _ in range(MOST_LAYERS):
        if len(left) < LEAST_LAYER * len(frame):
            break
        coefficients = _plane(design[left], flat[left])
        layer = _on_plane(design, coefficients)
        close = distance(flat[left], layer[left]) < CLOSE
        if close.sum() < LEAST_LAYER * len(frame):
            break
        layers.append(layer.reshape(lab.shape))
        left = left[~close]
    return layers, 1 - len(left) / len(frame)


def _plane(design: FloatGrid, values: Lab) -> FloatGrid:
    """Linear fit of colour over place, (n, 3) and (n, 3) -> (3, 3): grows from the commonest colour.

    So a wall stays apart from the floor below it, where one fit through both would call them a gradient.
    """
    cells = grid_cells(values, 8)
    mode = values[cells == np.bincount(cells).argmax()].mean(axis=0)
    kept = distance(values, mode[None]) < GROWTH
    coefficients = _fit(design[kept], values[kept])
    for _ in range(12):
        close = distance(values, _on_plane(design, coefficients)) < GROWTH
        if close.sum() < 8 or (close == kept).all():
            break
        kept = close
        coefficients = _fit(design[kept], values[kept])
    return coefficients


def _fit(design: FloatGrid, values: FloatGrid) -> FloatGrid:
    """Least squares by the normal equations, (n, 3) and (n, 3) -> (3, 3), the flattest where places coincide."""
    square = np.einsum("ni,nj->ij", design, design) + 1e-6 * np.eye(3)
    return np.asarray(np.linalg.solve(square, np.einsum("ni,nj->ij", design, values)), dtype=np.float32)


def _on_plane(design: FloatGrid, coefficients: FloatGrid) -> Lab:
    """The plane's colour at every place, (n, 3) and (3, 3) -> (n, 3)."""
    return np.asarray(np.einsum("ni,ij->nj", design, coefficients), dtype=np.float32)


def _seams(lab: Lab, layers: list[Lab], near: float) -> Mask:
    """Where two surfaces of the backdrop meet: pixels beside both, in a blend of their colours."""
    from scipy import ndimage

    seams = np.zeros(lab.shape[:2], dtype=bool)
    sides = [ndimage.maximum_filter(distance(lab, layer) < near, 2 * SOFT + 1) for layer in layers]
    for first in range(len(layers)):
        for second in range(first):
            both = sides[first] & sides[second]
            start, way = layers[first][both], layers[second][both] - layers[first][both]
            length = np.maximum(np.square(way).sum(axis=1), 1e-6)
            part = np.clip(((lab[both] - start) * way).sum(axis=1) / length, 0, 1)[:, None]
            seams[both] |= distance(lab[both], start + part * way) < 2 * near
    return seams


def _shade(lab: Lab, backdrop: Lab) -> Mask:
    """Where the backdrop itself may only be darker, under a thing: same hue, a little less light."""
    change = lab - backdrop
    return (change[..., 0] < 0) & (change[..., 0] > -SHADOW) & (np.hypot(change[..., 1], change[..., 2]) < CLOSE)


def _regions(differs: Mask, shade: Mask, difference: FloatGrid, same: float) -> tuple[Region, ...]:
    """Connected things that differ from the backdrop, most prominent first: (H, W) -> at most ``MOST_REGIONS``.

    A shadow that a thing throws is taken off it; a thing that is nothing but shade is a grey thing, and stays.
    """
    from scipy import ndimage

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
    from scipy import ndimage

    outside, _ = ndimage.label(~closed(mask))
    edge = np.concatenate([outside[0], outside[-1], outside[:, 0], outside[:, -1]])
    open_air = np.zeros(outside.max() + 1, dtype=bool)
    open_air[edge] = True
    open_air[0] = False
    return opened(~open_air[outside])


def _windows(inside: Mask, same: Mask) -> Mask:
    """Large holes through which the backdrop is seen, a handle's say; many are rather a pattern in its colour."""
    from scipy import ndimage

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
