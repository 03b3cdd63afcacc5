"""Binary morphology on masks (H, W) by shifted copies: for small masks ten times as fast as the general filters.

A neighbourhood is a cross of five pixels, or a square of nine; what lies outside the picture is not in the mask.
"""

import numpy as np

from viral.enrich.pixel.colours import Mask


def eroded(mask: Mask, times: int = 1, *, square: bool = False) -> Mask:
    """The pixels whose whole neighbourhood is in the mask."""
    for _ in range(times):
        mask = ~_spread(~mask, square)
        mask[[0, -1]] = False
        mask[:, [0, -1]] = False
    return mask


def dilated(mask: Mask, times: int = 1) -> Mask:
    """The mask and every pixel beside it."""
    for _ in range(times):
        mask = _spread(mask, False)
    return mask


def opened(mask: Mask, times: int = 1, *, square: bool = False) -> Mask:
    """The mask without what is narrower than the neighbourhood."""
    smaller = eroded(mask, times, square=square)
    for _ in range(times):
        smaller = _spread(smaller, square)
    return smaller


def closed(mask: Mask, times: int = 1) -> Mask:
    """The mask with its gaps closed that are narrower than the neighbourhood."""
    wide = dilated(np.pad(mask, times), times)
    return eroded(wide, times)[times:-times, times:-times] | mask


def _spread(mask: Mask, square: bool) -> Mask:
    """The mask with the neighbours of its pixels, always a new array."""
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    source = wide.copy() if square else mask
    wide[:, 1:] |= source[:, :-1]
    wide[:, :-1] |= source[:, 1:]
    return wide
