"""The backdrop of a picture: surfaces fitted to its frame, the light on it, and what hardly differs from it."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from viral.enrich.pixel.colour_names import Lab
from viral.enrich.pixel.colours import Mask, distance, grid_cells
from viral.enrich.pixel.morphology import closed, opened

FloatGrid = npt.NDArray[np.float32]

CLOSE = 7.0  # colours nearer than this are the same surface, at most
GROWTH = 4.0  # by how much the next pixels of a surface may differ from its fit so far
SOFT = 10  # pixels on each side of the line between two surfaces that may be a blend of them
MOST_LAYERS = 3  # surfaces of which a backdrop may consist: a wall, a floor, a stripe
LEAST_LAYER = 0.10  # of the frame
MOST_SAMPLES = 1200  # of the frame's pixels, evenly spread
STUDIO = 75.0  # lightness of a studio's backdrop at least
NEUTRAL = 7.0  # its chroma at most, which is then the light's
COLOURLESS = 1.6  # chroma that no eye sees
BRIGHTER, LEAST_BRIGHTER = 3.0, 0.003  # lightness above a backdrop's, and the share of a picture that tells of its tint
WHITE = 92.0  # lightness that a darker studio backdrop is raised to
FAINT, NOISE = 1.1, 1.6  # least difference of a white thing on it, and how many times the backdrop's own unevenness


def frame(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Flat indices of pixels along the picture's edge, 3 % wide."""
    height, width = shape[:2]
    inner = np.zeros((height, width), dtype=bool)
    edge = max(2, round(0.03 * min(height, width)))
    inner[edge:-edge, edge:-edge] = True
    flat = np.flatnonzero(~inner)
    return flat[:: max(1, len(flat) // MOST_SAMPLES)]


def backdrop_layers(lab: Lab) -> tuple[list[Lab], float]:
    """Surfaces (each (H, W, 3), a colour that varies linearly) of the backdrop, and the frame's share they explain."""
    height, width = lab.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    place = [np.ones(height * width), x.ravel() / width - 0.5, y.ravel() / height - 0.5]
    design = np.stack(place, axis=1).astype(np.float32)
    edge = frame(lab.shape)
    left, layers = edge, []
    flat = lab.reshape(-1, 3)
    for _ in range(MOST_LAYERS):
        if len(left) < LEAST_LAYER * len(edge):
            break
        coefficients = _plane(design[left], flat[left])
        layer = _on_plane(design, coefficients)
        close = distance(flat[left], layer[left]) < CLOSE
        if close.sum() < LEAST_LAYER * len(edge):
            break
        layers.append(layer.reshape(lab.shape))
        left = left[~close]
    return layers, 1 - len(left) / len(edge)


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
    """Least squares by the normal equations, (n, p) and (n, 3) -> (p, 3), the flattest where places coincide."""
    square = np.einsum("ni,nj->ij", design, design) + 1e-6 * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(square, np.einsum("ni,nj->ij", design, values)), dtype=np.float32)


def _on_plane(design: FloatGrid, coefficients: FloatGrid) -> Lab:
    """The surface's colour at every place, (n, p) and (p, 3) -> (n, 3)."""
    return np.asarray(np.einsum("ni,ij->nj", design, coefficients), dtype=np.float32)


def seams(lab: Lab, layers: list[Lab], near: float) -> Mask:
    """Where two surfaces of the backdrop meet: pixels beside both, in a blend of their colours."""
    found = np.zeros(lab.shape[:2], dtype=bool)
    sides = [ndimage.maximum_filter(distance(lab, layer) < near, 2 * SOFT + 1) for layer in layers]
    for first in range(len(layers)):
        for second in range(first):
            both = sides[first] & sides[second]
            start, way = layers[first][both], layers[second][both] - layers[first][both]
            length = np.maximum(np.square(way).sum(axis=1), 1e-6)
            part = np.clip(((lab[both] - start) * way).sum(axis=1) / length, 0, 1)[:, None]
            found[both] |= distance(lab[both], start + part * way) < 2 * near
    return found


def studio(lab: Lab, layers: list[Lab]) -> bool:
    """Whether a backdrop is what studios use: one surface, pale and without a colour but that of the light."""
    middle = layers[0].mean(axis=(0, 1))
    pale = middle[0] > STUDIO and np.hypot(middle[1], middle[2]) < NEUTRAL
    return bool(len(layers) == 1 and pale and not _painted(lab, layers[0]))


def _painted(lab: Lab, layer: Lab) -> bool:
    """Whether a backdrop has a tint of its own, not of the light: something brighter before it is whiter."""
    middle = layer.mean(axis=(0, 1))
    brighter = lab[lab[..., 0] > layer[..., 0] + BRIGHTER]
    if np.hypot(*middle[1:]) < COLOURLESS or len(brighter) < LEAST_BRIGHTER * lab.shape[0] * lab.shape[1]:
        return False
    away = np.median(brighter, axis=0)[1:] - middle[1:]
    return bool(np.hypot(*away) > np.hypot(*middle[1:]) / 3)


def balanced(lab: Lab, backdrop: Lab) -> Lab:
    """A picture as it looks in the light that makes its studio backdrop neutral and white: (H, W, 3), twice.

    A cast of the light falls on things in proportion to the light that they throw back.
    """
    white = np.maximum(backdrop[..., 0], 1.0)
    light = np.minimum(100.0, lab[..., 0] * np.maximum(1.0, WHITE / white))
    cast = np.minimum(1.0, lab[..., 0] / white)
    return np.stack([light, *(lab[..., c] - backdrop[..., c] * cast for c in (1, 2))], axis=-1).astype(np.float32)


def faint(lab: Lab) -> Mask:
    """What hardly differs from a studio backdrop, white on white: after smoothing, and against a curved surface."""
    soft = np.stack([ndimage.gaussian_filter(lab[..., channel], 1.0) for channel in range(3)], axis=-1)
    height, width = lab.shape[:2]
    y, x = (grid.ravel().astype(np.float32) for grid in np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j])
    design = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    edge = frame(lab.shape)
    flat = soft.reshape(-1, 3)
    change = flat - _on_plane(design, _fit(design[edge], flat[edge]))
    difference = np.sqrt(np.square(change).sum(axis=1))
    near = max(FAINT, NOISE * float(np.percentile(difference[edge], 95)))
    mask = closed((difference > near).reshape(height, width), 2)
    return opened(np.asarray(ndimage.binary_fill_holes(mask)), 2)
