"""Surface patterns of two colours, told from where one colour lies on the other.

What distinguishes them: the edges of stripes share one direction; the spots of a dotted surface are many, compact and
lie on a connected ground; squares of a check are compact in both colours; a zigzag is made of long bands whose edges
have two directions; and all but stripes must repeat. Lines, small marks and shading do not make a pattern.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from viral.enrich.pixel.colours import Mask
from viral.enrich.pixel.morphology import closed, eroded, opened

FloatGrid = npt.NDArray[np.float64]
LEAST_SHARE = 0.1  # of the pair of colours: less of the second one is a mark, not a pattern
ONE_DIRECTION = 0.6  # resultant length of the edges' directions, doubled: 1 is parallel, 0 is none
LEAST_PIECES = 4
SPECK = 0.15  # of the typical piece
ONE_FIELD = 0.7  # of a colour in one piece
LEAST_FIELD = 0.28  # of the surface: less of a second colour in one piece is a part, not a second tone
LINE = 2  # half the width of a seam, in pixels
LEAST_CHANGES = 3  # of colour across stripes
LEAST_RIM = 0.1  # of the outline for each of two tones
LEAST_REPETITION = {"dotted": 0.5, "checked": 0.75, "zigzag": 0.75}  # what repeats less is none of them
LEAST_BALANCE = 0.28  # of the surface for each colour of a check or a zigzag
LONG = 1.5  # length over width of a piece that is a band rather than a square
ONE_GROUND = 0.75  # of a colour in one piece, on which the other one lies in spots
OVERLAP = 0.3  # of the surface that must lie on itself for a shift to count
LARGEST = 160  # pixels of a side; more are taken in steps
MOST_PEAKS = 12


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern's name (``plain``, ``striped`` …) and, of stripes, the direction in which they run."""

    name: str
    direction: str = ""

    def __str__(self) -> str:
        return f"{self.direction} {self.name}" if self.direction else self.name


PLAIN = Pattern("plain")


TWO_TONE = Pattern("two-tone")


IRREGULAR = Pattern("irregular")


PATTERNED = Pattern("patterned")  # some pattern, nobody knows which


UNTOLD = Pattern("")  # none was made out, which does not say that there is none


def find_pattern(ground: Mask, figure: Mask) -> Pattern:
    """The pattern that ``figure`` makes on ``ground``: two disjoint masks (H, W) of one surface's two main colours."""
    ground, figure = _without_lines(ground, figure)
    known = ground | figure
    share = figure.sum() / max(1, known.sum())
    if not LEAST_SHARE < share < 1 - LEAST_SHARE:
        return PLAIN
    if min(_unity(ground), _unity(figure)) > ONE_FIELD:
        return TWO_TONE if min(share, 1 - share) > LEAST_FIELD and not _enclosed(ground, figure) else PLAIN
    soft = ndimage.gaussian_filter(figure.astype(float), 1.0) / np.maximum(
        ndimage.gaussian_filter(known.astype(float), 1.0), 1e-6
    )
    axis, parallel = _direction(soft, eroded(known, 2))
    if parallel > ONE_DIRECTION:
        return _bands(figure, known, axis)
    found = _pieces(ground, figure, share)
    if found in (PLAIN, TWO_TONE) or repetition(figure, known) > LEAST_REPETITION[found.name]:
        return found
    return IRREGULAR


def _without_lines(ground: Mask, figure: Mask) -> tuple[Mask, Mask]:
    """Give the pixels of seams and other thin lines to whichever of the two fields is nearest."""
    ground, figure = opened(ground, square=True), opened(figure, square=True)
    known = ground | figure
    gap, nearest = ndimage.distance_transform_edt(~known, return_indices=True)
    inside = closed(known, LINE)
    taken = inside & (gap <= LINE)
    belongs = figure[tuple(nearest)]
    return taken & ~belongs, taken & belongs


def _unity(mask: Mask) -> float:
    """The share of a mask that lies in its largest piece."""
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels[mask])
    return float(sizes.max() / sizes.sum()) if len(sizes) else 0.0


def _enclosed(ground: Mask, figure: Mask) -> bool:
    """Whether one of two fields lies within the other: a face or a print, not a second half."""
    whole = ndimage.binary_fill_holes(ground | figure)
    rim = whole & ~eroded(whole, 2)
    return bool(min((ground & rim).sum(), (figure & rim).sum()) < LEAST_RIM * rim.sum())


def _direction(soft: FloatGrid, where: Mask) -> tuple[float, float]:
    """The common direction across the edges (radians, 0 is along x) and how far they share it (0…1)."""
    down, right = np.gradient(soft, axis=0)[where], np.gradient(soft, axis=1)[where]
    strength = np.hypot(down, right)
    total = strength.sum()
    if total < 1e-6:
        return 0.0, 0.0
    doubled = (strength * np.exp(2j * np.arctan2(down, right))).sum() / total
    return float(np.angle(doubled) / 2), float(abs(doubled))


def _bands(figure: Mask, known: Mask, axis: float) -> Pattern:
    """Parallel edges: stripes if they change often, else two tones or one band."""
    rows, columns = np.nonzero(known)
    place = np.round(columns * np.cos(axis) + rows * np.sin(axis)).astype(np.int64)
    place -= place.min()
    amount = np.bincount(place)
    profile = np.bincount(place, weights=figure[known]) / np.maximum(amount, 1)
    profile = profile[amount > 0.15 * amount.max()]
    changes = int(np.abs(np.diff(_levels(profile))).sum())
    if changes >= LEAST_CHANGES:
        return Pattern("striped", running(axis))
    return TWO_TONE if min(figure.sum(), known.sum() - figure.sum()) > LEAST_FIELD * known.sum() else PLAIN


def _levels(profile: FloatGrid) -> npt.NDArray[np.int64]:
    """A profile as 0 and 1 with hysteresis, so that a noisy crossing counts once."""
    state, levels = int(profile[0] > 0.5), []
    for value in profile:
        if value > 0.6:
            state = 1
        elif value < 0.4:
            state = 0
        levels.append(state)
    return np.array(levels)


def running(axis: float) -> str:
    """How stripes run whose edges are crossed along ``axis``."""
    slope = abs(np.degrees(axis)) % 180
    slope = min(slope, 180 - slope)
    if slope < 22:
        return "vertically"
    return "horizontally" if slope > 68 else "diagonally"


def _pieces(ground: Mask, figure: Mask, share: float) -> Pattern:
    """No common direction: dots, checks, a zigzag, or a few large fields."""
    smaller, larger = (figure, ground) if share < 0.5 else (ground, figure)
    spots, rest = _measure(smaller), _measure(larger)
    balance = min(share, 1 - share)
    if len(spots) + len(rest) > LEAST_PIECES:
        if max((area for area, _ in rest), default=0) > ONE_GROUND * sum(area for area, _ in rest):
            many = len(spots) >= (LEAST_PIECES if _length(spots) < LONG else 2 * LEAST_PIECES)
            return Pattern("dotted") if many else PLAIN
        if balance > LEAST_BALANCE:
            return Pattern("zigzag" if min(_length(spots), _length(rest)) > LONG else "checked")
        if len(spots) >= LEAST_PIECES:
            return Pattern("dotted")
    return TWO_TONE if balance > LEAST_FIELD else PLAIN


def _length(pieces: list[tuple[float, float]]) -> float:
    """Length over width of the typical piece: the median by area, so that neither specks nor a handle decide."""
    ordered = sorted(pieces, key=lambda piece: piece[1])
    areas = np.cumsum([area for area, _ in ordered])
    return ordered[int(np.searchsorted(areas, areas[-1] / 2))][1] if ordered else 0.0


def _measure(mask: Mask) -> list[tuple[float, float]]:
    """Area, and length over width, of every piece of a mask that is not a speck; corners that touch do not join."""
    labels, number = ndimage.label(eroded(mask, square=True))
    if not number:
        return []
    depth = ndimage.distance_transform_edt(labels)
    index = np.arange(1, number + 1)
    areas = ndimage.sum_labels(labels > 0, labels, index)
    deepest = ndimage.maximum(depth, labels, index)
    kept = areas >= 4
    kept &= areas >= SPECK * np.median(areas[kept]) if kept.any() else False
    return [(area, area / (4 * radius**2)) for area, radius in zip(areas[kept], deepest[kept], strict=True)]


def repetition(figure: Mask, known: Mask) -> float:
    """How clearly ``figure`` repeats within ``known`` (H, W): 0 not at all; regular patterns reach about 0.7 to 1.7.

    The height of the best peak of the autocorrelation above the lowest point on the straight way to it, but no more
    than twice the peak's own height.
    """
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
    size = [fft.next_fast_len(2 * side, real=True) for side in known.shape]
    values = np.where(known, figure - figure[known].mean(), 0.0)
    products = fft.irfft2(np.abs(fft.rfft2(values, size)) ** 2, size)
    overlap = fft.irfft2(np.abs(fft.rfft2(known.astype(float), size)) ** 2, size)
    variance = products[0, 0] / overlap[0, 0]
    enough = overlap > OVERLAP * overlap[0, 0]
    correlation = np.where(enough, products / np.maximum(overlap, 1) / max(variance, 1e-9), -1)
    return np.asarray(fft.fftshift(correlation))
