"""What is believed of a photo of a product: patterns that are everywhere, no folds, and nothing rather than plain."""

import numpy as np
import pytest

from viral.enrich.pixel.colour_names import Lab
from viral.enrich.pixel.patterns import IRREGULAR, PATTERNED, PLAIN, TWO_TONE, UNTOLD, Pattern
from viral.enrich.pixel.photo_patterns import Texture, read_texture, seen_in_photo
from viral.enrich.pixel.regions import take_apart
from viral.enrich.pixel.surface import read_surface

SIDE = 140
y, x = np.mgrid[0:SIDE, 0:SIDE]
CLOTH = np.ones((SIDE, SIDE), dtype=bool)


def cloth(figure: np.ndarray, ground: tuple[float, ...] = (35, 5, -25), ink: tuple[float, ...] = (92, 0, 2)) -> Lab:
    """A cloth in Lab, ``figure`` printed on it, in soft folds that darken it."""
    folds = 6 * np.sin(x / 9 + y / 40) + 4 * np.sin(y / 23)
    lab = np.where(figure[..., None], np.float32(ink), np.float32(ground)).astype(np.float32)
    lab[..., 0] += folds
    return lab


def blots(seed: int = 0) -> np.ndarray:
    """Three levels of irregular patches (SIDE, SIDE)."""
    from scipy import ndimage

    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(SIDE, SIDE)), 3)
    return np.digitize(noise, np.quantile(noise, [0.4, 0.75]))


def test_folds_are_no_pattern():
    surface = read_surface(cloth(np.zeros_like(CLOTH)), CLOTH, photo=True)
    assert surface.pattern == UNTOLD and surface.colours[0].words.endswith("blue")


def test_a_logo_is_no_pattern():
    logo = (abs(x - 70) < 20) & (abs(y - 50) < 8) & ((x // 4) % 2 == 0)
    assert read_surface(cloth(logo), CLOTH, photo=True).pattern == UNTOLD


def test_stripes_are_seen_and_how_they_run():
    across = read_surface(cloth((y // 6) % 2 == 0), CLOTH, photo=True).pattern
    along = read_surface(cloth((x // 6) % 2 == 0), CLOTH, photo=True).pattern
    assert (across.name, across.direction) == ("striped", "horizontally")
    assert (along.name, along.direction) == ("striped", "vertically")


def test_a_print_in_patches_is_an_all_over_print():
    lab = cloth(blots() == 1)
    lab[blots() == 2] = (60, 45, 20)
    assert read_surface(lab, CLOTH, photo=True).pattern in (IRREGULAR, PATTERNED)


def test_nothing_is_told_of_what_is_too_small():
    small = np.zeros_like(CLOTH)
    small[40:80, 40:80] = True
    assert read_texture(cloth((y // 6) % 2 == 0), small) == Texture(0.0, 0.0)


CALM, ROUGH = Texture(0.2, 0.3), Texture(1.5, 2.0)


@pytest.mark.parametrize(
    ("found", "texture", "shares", "told"),
    [
        (PLAIN, CALM, [1.0], UNTOLD),
        (Pattern("striped", "vertically"), CALM, [0.6, 0.4], UNTOLD),  # folds
        (Pattern("dotted"), ROUGH, [0.7, 0.3], Pattern("dotted")),
        (Pattern("dotted"), ROUGH, [0.5, 0.3, 0.2], IRREGULAR),  # flowers
        (Pattern("zigzag"), ROUGH, [0.6, 0.4], PATTERNED),
        (PLAIN, ROUGH, [1.0], PATTERNED),
        (IRREGULAR, ROUGH, [0.6, 0.4], IRREGULAR),
        (PLAIN, Texture(1.5, 2.0, 0.0, 0.9), [0.6, 0.4], Pattern("striped", "vertically")),
        (TWO_TONE, CALM, [0.6, 0.4], TWO_TONE),
        (TWO_TONE, CALM, [0.5, 0.3, 0.2], UNTOLD),
    ],
)
def test_what_is_told(found, texture, shares, told):
    assert seen_in_photo(found, texture, shares) == told


def test_a_thing_is_a_photo_before_a_studio_and_not_before_a_tinted_wall():
    picture = np.zeros((120, 120, 3), dtype=np.float32)
    picture[...] = (92, 0, 1)
    picture[30:90, 30:90] = (40, 5, -25)
    assert take_apart(picture).photo
    picture[..., 2] += 8
    assert not take_apart(picture).photo
