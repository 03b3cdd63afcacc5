"""Which patterns are believed on a photo of a product: those that are in every place, and of colours that cover it.

A fold, a seam or a logo is strong in its place; a print is in every place. So the roughness of a surface is taken from
its smoothest places: folds leave most of those alone, and prints none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from viral.enrich.pixel.colour_names import Lab
from viral.enrich.pixel.colours import Mask
from viral.enrich.pixel.morphology import eroded
from viral.enrich.pixel.patterns import IRREGULAR, PATTERNED, PLAIN, TWO_TONE, UNTOLD, Pattern, running

PRINTED = 1.0  # roughness everywhere from which a surface has a pattern
LIKELY = 0.8  # the same where the pieces of its colours look like a pattern, and mostly
PARALLEL = 0.6  # of the edges of stripes
PAIR = 0.9  # of the surface that the two colours of a regular pattern cover
MANY = 3  # colours of a print
HALF = 0.28  # of the surface for each of two tones
CALM = 0.6  # roughness below which two tones are two cloths
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


def seen_in_photo(found: Pattern, texture: Texture, shares: Sequence[float]) -> Pattern:
    """The pattern that is told of a surface whose pieces look like ``found``; ``shares`` are its colours'."""
    largest = sorted(shares, reverse=True)[:2]
    pair = len(largest) == 2 and sum(largest) > PAIR
    if found == TWO_TONE and pair and largest[1] > HALF and texture.mostly < CALM:
        return TWO_TONE
    regular = found not in (PLAIN, TWO_TONE, IRREGULAR)
    if texture.everywhere < (PRINTED if found in (PLAIN, TWO_TONE) else LIKELY) and not (
        regular and pair and texture.mostly > LIKELY
    ):
        return UNTOLD
    if texture.parallel > PARALLEL:
        return Pattern("striped", running(texture.axis))
    if regular and found.name != "zigzag" and pair:
        return found
    return IRREGULAR if found == IRREGULAR or len(shares) >= MANY else PATTERNED


SMOOTH = Texture(0.0, 0.0)


def read_texture(lab: Lab, mask: Mask) -> Texture:
    """The texture of a surface: its pixels (H, W, 3) and where they count (H, W)."""
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
