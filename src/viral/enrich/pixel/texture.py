"""How much goes on everywhere on a surface: what tells a printed cloth from a plain one in folds.

A fold, a seam or a logo is strong in its place; a print is in every place. So the roughness of a surface is taken from
its smoothest places: folds leave most of those alone, and prints none.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.colours import Mask
from viral.enrich.pixel.masks import eroded
from viral.enrich.pixel.names import Lab

FloatGrid = npt.NDArray[np.float32]

COARSE, AROUND = 5.0, 6.0  # pixels: what varies more slowly is light and shade; around which roughness is averaged
LIGHTNESS, HUE = 7.0, 5.0  # deviations from the surroundings that are clearly seen
RIM = 4  # pixels along a thing's outline that are not looked at
LEAST_PIXELS = 2000  # of an earring nothing is told


@dataclass(frozen=True, slots=True)
class Texture:
    """Roughness (1 is clearly seen) that nine tenths and three quarters of a surface reach, and how its edges run."""

    everywhere: float
    mostly: float
    axis: float = 0.0  # the common direction across the edges, in radians
    parallel: float = 0.0  # how far they share it: 0…1


SMOOTH = Texture(0.0, 0.0)


def read_texture(lab: Lab, mask: Mask) -> Texture:
    """The texture of a surface: its pixels (H, W, 3) and where they count (H, W)."""
    from scipy import ndimage

    inner = eroded(mask, RIM)
    if inner.sum() < LEAST_PIXELS:
        return SMOOTH
    weight = np.maximum(ndimage.gaussian_filter(mask.astype(np.float32), COARSE), 1e-3)
    around = [ndimage.gaussian_filter(lab[..., channel] * mask, COARSE) / weight for channel in range(3)]
    light, *hue = (np.square(lab[..., channel] - around[channel]) * inner for channel in range(3))
    near = np.maximum(ndimage.gaussian_filter(inner.astype(np.float32), AROUND), 1e-3)
    power = light / LIGHTNESS**2 + (hue[0] + hue[1]) / HUE**2
    rough = np.sqrt(ndimage.gaussian_filter(power, AROUND) / near)[inner]
    everywhere, mostly = np.percentile(rough, [10, 25])
    return Texture(float(everywhere), float(mostly), *_direction(lab, inner))


def _direction(lab: Lab, inner: Mask) -> tuple[float, float]:
    """The common direction across the edges of all three channels (structure tensor), and how far they share it."""
    across, along, both = (np.zeros(inner.shape, dtype=np.float32) for _ in range(3))
    for channel in range(3):
        down, right = np.gradient(lab[..., channel])
        across, along, both = across + right * right, along + down * down, both + right * down
    strength = np.sqrt(across + along)[inner]
    doubled = (strength * np.exp(1j * np.arctan2(2 * both, across - along)[inner])).sum() / max(strength.sum(), 1e-6)
    return float(np.angle(doubled) / 2), float(abs(doubled))
