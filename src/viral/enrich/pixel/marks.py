"""Small marks on a surface: compact pieces of another colour, named by their outline."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viral.enrich.pixel.colours import Colour, Mask
from viral.enrich.pixel.masks import eroded

LEAST_AREA, MOST_AREA = 0.004, 0.5  # of the thing that carries the mark
MOST_ALIKE = 2  # more pieces of one colour are a pattern or parts
ANGLES = 72
SMALLEST, SIDE = 30, 48  # pixels of a piece; to what side it is scaled before its outline is measured
LONG, ROUND, POINTED = 0.16, 0.045, 0.1  # amplitudes: of two bumps, below which it is round, from which it is a star
HOLLOW = 0.12  # share of a hole from which a disc is a ring


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: what its outline is (``star``, ``ring``, ``disc``, ``square``, ``triangle``) and its colour's name."""

    shape: str
    colour: str


def find_marks(fields: dict[int, Mask], colours: dict[int, Colour], mask: Mask, pattern: set[int]) -> tuple[Mark, ...]:
    """Marks inside ``mask``, largest first: pieces of ``fields`` (a mask a colour) that make no ``pattern``."""
    from scipy import ndimage

    inside = eroded(mask, 3)
    found: list[tuple[int, Mark]] = []
    for number, field in fields.items():
        if number in pattern:
            continue
        labels, _ = ndimage.label(field)
        pieces = [labels[window] == label for label, window in enumerate(ndimage.find_objects(labels), start=1)]
        windows = ndimage.find_objects(labels)
        kept = [
            piece
            for piece, window in zip(pieces, windows, strict=True)
            if LEAST_AREA * mask.sum() <= piece.sum() <= MOST_AREA * mask.sum() and inside[window][piece].all()
        ]
        if len(kept) <= MOST_ALIKE:
            found += [
                (int(piece.sum()), Mark(shape, colours[number].name)) for piece in kept if (shape := outline(piece))
            ]
    return tuple(mark for _, mark in sorted(found, key=lambda pair: -pair[0])[:MOST_ALIKE])


def outline(piece: Mask) -> str:
    """The name of a piece's outline, or nothing where it has none of the known ones."""
    from scipy import ndimage

    if piece.sum() < SMALLEST:
        return ""
    padded, factor = np.pad(piece, 2).astype(np.float32), SIDE / max(piece.shape)
    smooth = ndimage.zoom(padded, factor, order=1, grid_mode=True, mode="grid-constant") > 0.5
    filled = ndimage.binary_fill_holes(smooth)
    radius = _radii(filled)
    waves = 2 * np.abs(np.fft.rfft(radius / radius.mean())) / ANGLES  # amplitude of k bumps around the outline
    if waves[2] > LONG:
        return ""
    bumps = 3 + int(waves[3:8].argmax())
    if waves[bumps] < ROUND:
        return "ring" if 1 - smooth.sum() / filled.sum() > HOLLOW else "disc"
    if bumps <= 4:
        return "triangle" if bumps == 3 else "square"
    return "star" if waves[bumps] > POINTED else ""


def _radii(filled: Mask) -> npt.NDArray[np.float64]:
    """How far a filled piece reaches from its middle in each of ``ANGLES`` directions."""
    rows, columns = np.nonzero(filled)
    down, right = rows - rows.mean(), columns - columns.mean()
    direction = np.round((np.arctan2(down, right) + np.pi) / (2 * np.pi) * ANGLES).astype(np.int64) % ANGLES
    reach = np.zeros(ANGLES)
    np.maximum.at(reach, direction, np.hypot(down, right))
    known = np.flatnonzero(reach > 0)
    return np.interp(np.arange(ANGLES), known, reach[known], period=ANGLES)
