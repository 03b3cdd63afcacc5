"""Whether a pattern repeats: peaks of its autocorrelation beside the middle, with a valley on the way."""

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.colours import Mask

FloatGrid = npt.NDArray[np.float64]

OVERLAP = 0.3  # of the surface that must lie on itself for a shift to count
LARGEST = 160  # pixels of a side; more are taken in steps
MOST_PEAKS = 12


def repetition(figure: Mask, known: Mask) -> float:
    """How clearly ``figure`` repeats within ``known`` (H, W): 0 not at all; regular patterns reach about 0.7 to 1.7.

    The height of the best peak of the autocorrelation above the lowest point on the straight way to it, but no more
    than twice the peak's own height.
    """
    from scipy import ndimage

    step = -(-max(known.shape) // LARGEST)
    smooth = ndimage.gaussian_filter(_autocorrelation(figure[::step, ::step], known[::step, ::step]), 0.7)
    middle = np.array(smooth.shape) // 2
    peaks = (smooth == ndimage.maximum_filter(smooth, 5)) & (smooth > 0.05)
    peaks[middle[0] - 2 : middle[0] + 3, middle[1] - 2 : middle[1] + 3] = False
    places = np.argwhere(peaks[: middle[0] + 1])  # the other half mirrors this one
    order = np.argsort(-smooth[tuple(places.T)], kind="stable")[:MOST_PEAKS]
    best = 0.0
    for place in places[order]:
        way = np.round(middle + (place - middle) * np.linspace(0, 1, 24)[:, None]).astype(np.int64)
        height = float(smooth[tuple(place)])
        best = max(best, min(height - float(smooth[tuple(way.T)].min()), 2 * height))
    return best


def _autocorrelation(figure: Mask, known: Mask) -> FloatGrid:
    """Correlation of the figure with itself for every shift, over what overlaps; −1 where too little does."""
    from scipy import fft

    size = [fft.next_fast_len(2 * side, real=True) for side in known.shape]
    values = np.where(known, figure - figure[known].mean(), 0.0)
    products = fft.irfft2(np.abs(fft.rfft2(values, size)) ** 2, size)
    overlap = fft.irfft2(np.abs(fft.rfft2(known.astype(float), size)) ** 2, size)
    variance = products[0, 0] / overlap[0, 0]
    enough = overlap > OVERLAP * overlap[0, 0]
    correlation = np.where(enough, products / np.maximum(overlap, 1) / max(variance, 1e-9), -1)
    return np.asarray(fft.fftshift(correlation))
