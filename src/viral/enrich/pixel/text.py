"""Words printed in a picture, read by RapidOCR (PP-OCR models inside its wheel) where a cheap look finds strokes."""

import logging
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError
from viral.enrich.pixel.names import Lab

Rgb = npt.NDArray[np.uint8]  # (H, W, 3)

LONGEST_SIDE = 256  # to which the detector scales a larger picture
LEAST_SCORE = 0.7
MOST_LINES, MOST_LETTERS = 5, 60
STROKE = 18.0  # of lightness between a stroke and its ground
DENSE = 0.22  # share of strokes where there may be text


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line that was read: its words, the reader's confidence, and where they are."""

    words: str
    score: float
    box: tuple[int, int, int, int]  # left, top, right, bottom; right and bottom outside


def may_have_text(lab: Lab) -> bool:
    """Whether thin strokes lie dense enough somewhere that reading is worth its time: (H, W, 3)."""
    from scipy import ndimage

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
