"""Everyday names of colours: regions of CIE Lab by hue, chroma and lightness, and words for dark and pale shades.

Expected are colours under the light that made the backdrop neutral (``backdrop.balanced``): what is near grey there is
told from a faint hue by an ellipse that allows for the bluish white of brightened fabrics and the reddish black of
dyes.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Lab = npt.NDArray[np.float32]  # (…, 3): L* in 0…100, a*, b*
Values = npt.NDArray[np.float64]  # (n,)
Truth = npt.NDArray[np.bool_]  # (n,)

NAMES = (
    "black", "grey", "white", "red", "orange", "yellow", "khaki green", "green", "teal", "turquoise", "blue", "purple",
    "pink", "brown", "beige",
)  # fmt: skip
DEEP, BRIGHT = 25.0, 86.0  # lightness: below, dyes are never quite neutral; from here on, near neutral is white
BLACK = 24.0  # lightness of a neutral colour
OLIVE = 32.0  # lightness from which a greenish yellow is khaki, and not a dark green
CREAM = 3.0  # b* up to which a bright and warm neutral may be a little darker and still be white
# lightness below which a shade is dark, and from which on it is pale
SHADES: dict[str, tuple[float, float]] = {
    "grey": (48, 70),
    "red": (32, 101),
    "orange": (55, 74),
    "yellow": (66, 84),
    "khaki green": (40, 66),
    "green": (36, 74),
    "teal": (30, 101),
    "turquoise": (60, 84),
    "blue": (33, 60),
    "purple": (30, 70),
    "pink": (50, 74),
    "brown": (30, 101),
    "beige": (66, 84),
}
VIVID = 50.0  # chroma from which nothing is pale


def name_of(lab: Lab) -> str:
    """The everyday name of one colour (3,)."""
    return NAMES[int(name_indices(lab[None])[0])]


def shade_of(name: str, lab: Sequence[float]) -> str:
    """``dark``, ``pale`` or nothing, for a colour (3,) of this name."""
    dark, pale = SHADES.get(name, (-1.0, 101.0))
    if lab[0] < dark:
        return "dark"
    return "pale" if lab[0] >= pale and float(np.hypot(lab[1], lab[2])) < VIVID else ""


def name_indices(lab: Lab) -> npt.NDArray[np.int64]:
    """The index into ``NAMES`` of every colour: (n, 3) -> (n,)."""
    light, a, b = (lab[:, channel].astype(np.float64) for channel in range(3))
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    neutral = _neutral(light, a, b)
    warm = (light > 60) & (a > 0.5) & (b > 1.3) & (a + b > 2.2)  # greige
    white = light >= np.where(b > CREAM, BRIGHT, BRIGHT - 2 * np.clip(b, 0, 1))
    grey = [NAMES.index(name) for name in ("black", "white", "beige", "grey")]
    colourless = np.select([light < BLACK, white, warm], grey[:3], grey[3])
    return np.where(neutral, colourless, _hues(light, chroma, hue))


def _neutral(light: Values, a: Values, b: Values) -> Truth:
    """Without a hue to speak of: (n,) each -> (n,)."""
    deep = (a > -1.6) & (a < 5.5) & (b > -6.2 - np.maximum(0, 16 - light) / 2) & (b < np.where(a > 3.5, 3.0, 4.0))
    middle = (a > -1.7) & (a < 3.6) & (b > -6.6) & (b < np.where(a > 0.5, 3.2, 2.6))
    dull = (light < 40) & (a >= 3.6) & (a < 6.2) & (b > -4) & (b < 3.2)
    bright = (light >= BRIGHT) & (a > -3.2) & (a < 2.4) & (b < 6.6) & (b > -6.6)
    return np.where(light < DEEP, deep, middle | dull | bright)


def _hues(light: Values, chroma: Values, hue: Values) -> npt.NDArray[np.int64]:
    """Names of what has a hue, sector by sector around the circle: (n,) each -> (n,)."""
    violet = 300 + chroma / 12  # where blue ends: lines of equal hue are bent there in CIE Lab
    ends = [5, 36, 50, 70, 88, 106, 126, 182, 228]  # then blue, purple from ``violet``, magenta from 328
    sector = np.searchsorted(ends, hue, side="right")
    sector = np.where(
        (sector == 2) & (hue < 43) & (chroma >= 55), 1, sector
    )  # a strong red is a little nearer to yellow
    sector = np.where((sector == len(ends)) & (hue >= violet), len(ends) + 1, sector)
    sector = np.where(hue >= 328, len(ends) + 2, sector)
    reds, camel = _reds(light, chroma), light >= 45 + 0.4 * np.maximum(0, chroma - 20)
    peach = (light >= 70) & np.where(hue < 60, chroma >= 11, (hue < 64) & (chroma >= 18))
    by_sector: list[npt.NDArray[np.int64]] = [
        np.where(light >= 38, _is("pink"), reds),  # up to 5 degrees
        reds,
        np.select(
            [(chroma >= 42) & (light >= 38), (light >= 62) & (chroma >= 10), light >= 66],
            [_is("orange"), _is("orange"), _is("pink")],
            _is("brown"),
        ),
        np.select(
            [(chroma >= np.where(light >= 50, 45, 55)) & (light >= 42) | peach, camel],
            [_is("orange"), _is("beige")],
            _is("brown"),
        ),
        np.select([(chroma >= 30) & (light >= 48), camel], [_is("yellow"), _is("beige")], _is("brown")),
        _olives(light, chroma, hue),
        np.select(
            [(chroma >= 25) & (light >= 40), (light >= 78) | (light < OLIVE)],
            [_is("green"), _is("green")],
            _is("khaki green"),
        ),
        np.full(light.shape, _is("green")),
        np.select([(light < DEEP) & (chroma < 8), light < 67], [_is("green"), _is("teal")], _is("turquoise")),
        np.full(light.shape, _is("blue")),
        np.full(light.shape, _is("purple")),
        np.where((light >= 42) | (chroma >= 70), _is("pink"), _is("purple")),
    ]
    return np.choose(sector, by_sector)


def _reds(light: Values, chroma: Values) -> npt.NDArray[np.int64]:
    """Red, or pink where it is light or faint, or brown where it is dark and faint."""
    red = np.where(light >= 58, chroma >= 62, chroma >= 26)
    return np.select([red, light >= 40], [_is("red"), _is("pink")], np.where(chroma < 15, _is("brown"), _is("red")))


def _olives(light: Values, chroma: Values, hue: Values) -> npt.NDArray[np.int64]:
    """Between yellow and green: lemon, mustard, cream, olive."""
    yellow = (light >= np.where(hue < 98, 46, 58)) & (chroma >= 34) | (light >= 80) & (chroma >= 17)
    faint = [_is("yellow"), _is("beige"), _is("khaki green")]
    return np.select([yellow, light >= 62, light >= OLIVE], faint, np.where(chroma < 8, _is("brown"), _is("green")))


def _is(name: str) -> int:
    return NAMES.index(name)
