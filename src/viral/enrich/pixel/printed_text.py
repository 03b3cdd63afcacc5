"""The words in a picture: read by RapidOCR where a cheap look finds strokes, and given to the things they stand on."""

import logging
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from viral.base.errors import DataError
from viral.enrich.pixel.colour_names import Lab, name_of
from viral.enrich.pixel.colours import COLOURED
from viral.enrich.pixel.patterns import IRREGULAR, PLAIN, UNTOLD
from viral.enrich.pixel.regions import PictureScene, Region
from viral.enrich.pixel.surface import Surface

Rgb = npt.NDArray[np.uint8]  # (H, W, 3)
LONGEST_SIDE = 256  # to which the detector scales a larger picture
LEAST_SCORE = 0.7
MOST_LINES, MOST_LETTERS = 5, 60
STROKE = 18.0  # of lightness between a stroke and its ground
DENSE = 0.22  # share of strokes where there may be text
ENLARGED = 2  # how much a region is enlarged for a second look, when the first found strokes but no words
SAME_GROUND = 14.0  # in Lab: words on this are printed on the surface, not on a label
BESIDE = 4  # pixels around a line of text that belong to it
ALL_LABEL = 0.5  # share of a region under one line of text from which it is nothing but that line's label
TIED = 0.06  # of the picture's longer side: a label so near to a thing hangs on it


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line that was read: its words, the reader's confidence, and where they are."""

    words: str
    score: float
    box: tuple[int, int, int, int]  # left, top, right, bottom; right and bottom outside


@dataclass(frozen=True, slots=True)
class PrintedWords:
    """A line of text and the label that it is printed on: ``light``, ``dark``, a colour, or nothing for none."""

    text: str
    ground: str


def may_have_text(lab: Lab) -> bool:
    """Whether thin strokes lie dense enough somewhere that reading is worth its time: (H, W, 3)."""
    light = lab[..., 0]
    if min(light.shape) < 8:
        return False
    dark_strokes = ndimage.grey_closing(light, (5, 5)) - light
    light_strokes = light - ndimage.grey_opening(light, (5, 5))
    strokes = (np.maximum(dark_strokes, light_strokes) > STROKE).astype(np.float32)
    return bool(ndimage.uniform_filter(strokes, (9, 15)).max() > DENSE)


class TextReader:
    """Finds and reads lines of text. The models are loaded at the first use, from the package, never fetched."""

    def __init__(self) -> None:
        self._lock = Lock()  # the engine keeps what it was last asked to do

    def read(self, rgb: Rgb) -> tuple[TextLine, ...]:
        """The tallest lines of a picture, at most ``MOST_LINES``, from top to bottom."""
        bgr = np.ascontiguousarray(rgb[:, :, ::-1])
        with self._lock:
            found = self._engine(bgr, use_det=True, use_cls=False, use_rec=False)
        boxes = [_bounds(corners, bgr.shape) for corners in found.boxes] if found.boxes is not None else []
        boxes = [box for box in boxes if min(box[2] - box[0], box[3] - box[1]) >= 5]
        boxes.sort(key=lambda box: (box[1] - box[3], box[1], box[0]))
        lines = [line for box in boxes[:MOST_LINES] if (line := self._line(bgr, box))]
        return tuple(sorted(lines, key=lambda line: (line.box[1], line.box[0])))

    def _line(self, bgr: Rgb, box: tuple[int, int, int, int]) -> TextLine | None:
        crop = np.ascontiguousarray(bgr[box[1] : box[3], box[0] : box[2]])
        with self._lock:
            found = self._engine(crop, use_det=False, use_cls=False, use_rec=True)
        if found.txts is None or not found.txts or found.scores[0] < LEAST_SCORE:
            return None
        words = clean(found.txts[0])
        return TextLine(words, float(found.scores[0]), box) if sum(map(str.isalnum, words)) >= 2 else None

    @cached_property
    def _engine(self) -> Any:
        import rapidocr

        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        models = Path(rapidocr.__file__).parent / "models"
        parameters = {
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # several would wait for each other, spinning
            "Det.model_path": _model(models, "det"),
            "Det.limit_side_len": LONGEST_SIDE,
            "Det.limit_type": "max",
            "Rec.model_path": _model(models, "rec"),
            "Rec.rec_img_shape": [3, 48, 96],  # a word's width; longer lines make it wider
        }
        return rapidocr.RapidOCR(params=parameters)


def _model(folder: Path, task: str) -> str:
    """The model of a task that the package brings along: given its path, the package does not look for it elsewhere."""
    found = sorted(folder.glob(f"*_{task}_*.onnx"))
    if not found:
        hint = "install a version that brings its models: pip install 'rapidocr>=3.4'"
        raise DataError(f"the package rapidocr has no {task} model inside", where=str(folder), hint=hint)
    return str(found[0])


def _bounds(corners: npt.NDArray[np.float32], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    left, top = (max(0, int(value)) for value in low)
    return left, top, min(shape[1], int(high[0])), min(shape[0], int(high[1]))


def clean(words: str) -> str:
    """One line of letters, digits and plain punctuation, at most ``MOST_LETTERS`` long, without marks at its ends."""
    plain = unicodedata.normalize("NFKC", words)
    kept = "".join(mark if mark.isalnum() or mark in "-'’&.,:!?/%+" else " " for mark in plain)
    return " ".join(kept.split())[:MOST_LETTERS].strip(" -'’&.,:/+")


def read_lines(rgb: Rgb, lab: Lab, scene: PictureScene, reader: TextReader) -> tuple[TextLine, ...]:
    """The picture's lines of text; where none is found, each region is looked at again, enlarged."""
    if not may_have_text(lab):
        return ()
    lines = reader.read(rgb)
    if lines or scene.backdrop == "busy":
        return lines
    found: list[TextLine] = []
    for region in scene.regions:
        left, top, right, bottom = region.box
        left, top = max(0, left - BESIDE), max(0, top - BESIDE)
        part = (slice(top, bottom + BESIDE), slice(left, right + BESIDE))
        if may_have_text(lab[part]):
            found += [_moved(line, left, top) for line in reader.read(_enlarged(rgb[part]))]
    return tuple(found)


def _enlarged(rgb: Rgb) -> Rgb:
    from PIL import Image

    size = (rgb.shape[1] * ENLARGED, rgb.shape[0] * ENLARGED)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def _moved(line: TextLine, left: int, top: int) -> TextLine:
    """A line found in an enlarged part, in the picture's own coordinates."""
    x0, y0, x1, y1 = (value // ENLARGED for value in line.box)
    return TextLine(line.words, line.score, (x0 + left, y0 + top, x1 + left, y1 + top))


def owners(lines: Sequence[TextLine], scene: PictureScene) -> tuple[list[int | None], set[int]]:
    """The region that each line belongs to, if any, and the regions that are only labels of a neighbour.

    A line belongs to the region on which a third of it or more lies. Where that region is nothing but a label and
    another one is near, it belongs to that one.
    """
    found: list[int | None] = []
    labels: set[int] = set()
    for line in lines:
        left, top, right, bottom = line.box
        shares = [float(region.mask[top:bottom, left:right].mean()) for region in scene.regions]
        best = int(np.argmax(shares)) if shares else 0
        if not shares or shares[best] < 1 / 3:
            found.append(None)
            continue
        neighbour = _neighbour(best, scene) if _is_label(scene.regions[best], line) else None
        labels |= set() if neighbour is None else {best}
        found.append(best if neighbour is None else neighbour)
    return found, labels


def _is_label(region: Region, line: TextLine) -> bool:
    left, top, right, bottom = line.box
    return bool(region.mask[top:bottom, left:right].sum() > ALL_LABEL * region.mask.sum())


def _neighbour(number: int, scene: PictureScene) -> int | None:
    """The region whose box is nearest to that of region ``number``, if it is near enough for a label to hang on."""
    left, top, right, bottom = scene.regions[number].box
    gaps: list[tuple[float, int]] = []
    for other, region in enumerate(scene.regions):
        x0, y0, x1, y1 = region.box
        gap = np.hypot(max(0, x0 - right, left - x1), max(0, y0 - bottom, top - y1))
        gaps += [(float(gap), other)] if other != number else []
    gap, nearest = min(gaps, default=(np.inf, 0))
    return nearest if gap <= TIED * max(scene.lab.shape[:2]) else None


def without_prints(mask: npt.NDArray[np.bool_], lines: Sequence[TextLine]) -> npt.NDArray[np.bool_]:
    """A region's mask (H, W) without what is printed on it, unless that is nearly all of it."""
    bare = mask.copy()
    for line in lines:
        x0, y0, x1, y1 = line.box
        bare[max(0, y0 - BESIDE) : y1 + BESIDE, max(0, x0 - BESIDE) : x1 + BESIDE] = False
    return bare if bare.sum() > 0.2 * mask.sum() else mask


def printed(lab: Lab, line: TextLine, surface: Surface | None = None) -> PrintedWords:
    """A line and the ground it is printed on, unless that is the surface itself.

    The middle of a line's box holds less ink than ground, whatever margin the reader gave the box.
    """
    left, top, right, bottom = line.box
    aside, above = (right - left) // 5, (bottom - top) // 3
    middle = lab[top + above : bottom - above, left + aside : right - aside]
    ground = np.median(middle.reshape(-1, 3), axis=0)
    if surface and _bare(surface, ground):
        return PrintedWords(line.words, "")
    if np.hypot(ground[1], ground[2]) > COLOURED:
        return PrintedWords(line.words, name_of(ground))
    return PrintedWords(line.words, "light" if ground[0] > 65 else "dark" if ground[0] < 35 else "grey")


def _bare(surface: Surface, ground: Lab) -> bool:
    """Whether the ground of some words is the surface itself: a regular pattern would not stop around them."""
    plain = surface.pattern in (PLAIN, UNTOLD) and bool(surface.colours)
    return surface.pattern == IRREGULAR or (plain and float(surface.colours[0].distance(ground)) < SAME_GROUND)
