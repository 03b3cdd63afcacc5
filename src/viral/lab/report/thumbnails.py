"""Pictures small enough to be written into the page, and the frame around the product in one."""

import base64
import io
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from viral.base.language import _
from viral.data.pictures import PictureError, open_picture
from viral.lab.report.figures.svg import element

QUALITY = 74
BUDGET = 2_500_000  # characters of all data URIs on one page; a page that nobody can mail or open helps nobody


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A data URI with its size in pixels, or the reason why there is none."""

    uri: str = ""
    width: int = 0
    height: int = 0
    problem: str = ""


@dataclass(slots=True)
class Thumbnails:
    """The thumbnails of one page: each file is decoded once a size, and all of them together stay within a budget."""

    budget: int = BUDGET
    made: dict[tuple[Path, int], Thumbnail] = field(default_factory=dict)

    def of(self, path: Path | None, side: int) -> Thumbnail:
        """A thumbnail whose longer side is at most ``side`` pixels; what cannot be shown says why."""
        if path is None:
            return Thumbnail(problem=_("no picture"))
        if (path, side) not in self.made:
            self.made[path, side] = _encoded(path, side)
        thumbnail = self.made[path, side]
        if len(thumbnail.uri) > self.budget:
            return Thumbnail(problem=_("left out to keep the page small"))
        self.budget -= len(thumbnail.uri)
        return thumbnail


def _encoded(path: Path, side: int) -> Thumbnail:
    from PIL import Image

    try:
        picture = open_picture(path, shorter_side=2 * side)
    except PictureError as error:
        return Thumbnail(problem=_("picture %(status)s", status=_(error.status)))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=QUALITY, method=4)
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/webp;base64,{text}", *picture.size)


def box_mark(box: tuple[float, float, float, float], width: int, height: int) -> Markup:
    """A frame around the product, laid over a picture of that size as the style sheet lays the picture."""
    left, top, right, bottom = box
    size = {"width": (right - left) * width, "height": (bottom - top) * height}
    frames = [element("rect", x=left * width, y=top * height, rx=2, **size) for _ in range(2)]  # pale beneath dark
    return element("svg", *frames, class_="product", viewBox=f"0 0 {width} {height}", aria_hidden="true")
