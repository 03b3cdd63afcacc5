"""Colours: the conversion to Lab, everyday names, and the main colours of a region."""

import numpy as np
import pytest
from PIL import Image

from pixel_drawings import COLOURS, OUTLINES, thing
from viral.enrich.pixel.backdrop import balanced, faint, studio
from viral.enrich.pixel.colour_names import NAMES, name_of
from viral.enrich.pixel.colours import Colour, distance, main_colours, prototypes_of, to_lab
from viral.enrich.pixel.surface import read_surface


def lab(*rgb: int) -> np.ndarray:
    return to_lab(np.array(rgb, dtype=np.uint8))


@pytest.mark.parametrize(
    ("rgb", "expected"),  # CIE's own values for the primaries of sRGB under D65
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.74, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0.0, 0.0)),
    ],
)
def test_lab_of_known_colours(rgb, expected):
    np.testing.assert_allclose(lab(*rgb), expected, atol=0.1)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((250, 250, 250), "white"),
        ((15, 15, 18), "black"),
        ((130, 130, 132), "grey"),
        ((220, 20, 60), "red"),
        ((255, 140, 0), "orange"),
        ((255, 215, 0), "yellow"),
        ((34, 139, 34), "green"),
        ((0, 128, 128), "teal"),
        ((64, 224, 208), "turquoise"),
        ((65, 105, 225), "blue"),
        ((0, 0, 128), "blue"),
        ((138, 43, 226), "purple"),
        ((255, 105, 180), "pink"),
        ((139, 69, 19), "brown"),
        ((245, 222, 179), "beige"),
        ((128, 0, 0), "red"),
        ((128, 128, 0), "khaki green"),
    ],
)
def test_everyday_names(rgb, name):
    assert name_of(lab(*rgb)) == name


@pytest.mark.parametrize(
    ("values", "words"),  # of cloth before a studio's backdrop, in Lab
    [
        ((20.0, 3.2, -13.4), "dark blue"),
        ((17.0, 3.2, -7.5), "dark blue"),
        ((12.0, 2.2, -3.0), "black"),
        ((53.0, -2.6, -16.2), "blue"),
        ((68.0, -1.0, -13.3), "pale blue"),
        ((72.0, 1.9, -6.0), "pale grey"),
        ((79.0, 3.0, 9.0), "beige"),
        ((78.0, 1.0, 1.7), "beige"),
        ((48.0, 11.6, 17.8), "dark beige"),
        ((35.0, 14.0, 20.0), "brown"),
        ((49.0, -3.0, 9.0), "khaki green"),
        ((23.0, -3.6, 6.8), "dark green"),
        ((18.0, -2.9, -2.7), "dark green"),
        ((85.0, 7.1, -6.5), "pale purple"),
        ((79.0, 4.6, -0.6), "pale pink"),
        ((77.0, 11.7, 10.7), "pale orange"),
        ((87.5, -3.7, 20.3), "pale yellow"),
        ((90.0, 1.4, -4.7), "white"),
        ((88.0, -0.4, 1.0), "white"),
        ((85.7, 0.4, -2.1), "pale grey"),
        ((23.0, 32.0, 9.0), "dark red"),
    ],
)
def test_dull_dark_and_pale_shades_keep_their_hue(values, words):
    assert Colour(name_of(np.float32(values)), 1.0, values).words == words


def gradient(light: tuple[float, float], tint: tuple[float, float]) -> np.ndarray:
    """A backdrop in Lab whose lightness runs from left to right."""
    ground = np.zeros((60, 80, 3), dtype=np.float32)
    ground[..., 0] = np.linspace(*light, 80)
    ground[..., 1:] = tint
    return ground


def test_the_backdrop_tells_the_light():
    ground = gradient((80.0, 90.0), (1.0, 3.0))
    shirt = ground.copy()
    shirt[20:40, 30:50] = (82.0, 1.0, 3.0)
    assert studio(shirt, [ground])
    assert name_of(shirt[30, 40]) == "beige"
    seen = balanced(shirt, ground)[30, 40]
    assert name_of(seen) == "white" and seen[0] > 86


def test_a_backdrop_of_a_colour_or_of_two_surfaces_is_not_a_studio():
    for layers in (
        [gradient((80, 90), (9.0, 0.0))],
        [gradient((40, 50), (0.0, 0.0))],
        [gradient((80, 90), (0, 0))] * 2,
    ):
        assert not studio(layers[0], layers)


def test_a_painted_backdrop_is_known_by_what_is_whiter_before_it():
    ground = gradient((86.0, 92.0), (-2.0, 3.0))
    paper, shirt = ground.copy(), ground.copy()
    paper[10:30, 10:30] = (97.0, 0.0, 0.5)
    shirt[10:30, 10:30] = (97.0, -2.0, 3.2)
    assert not studio(paper, [ground])
    assert studio(ground, [ground]) and studio(shirt, [ground])


def test_white_on_white_is_seen():
    rng = np.random.default_rng(0)
    ground = gradient((91.0, 93.0), (0.0, 1.0)) + rng.normal(0, 0.3, (60, 80, 3)).astype(np.float32)
    shirt = ground.copy()
    shirt[15:45, 20:60, 0] += 2.0
    seen = faint(shirt)
    assert seen[20:40, 25:55].mean() > 0.95 and seen[:10].mean() < 0.05
    assert faint(ground).mean() < 0.05


def test_every_name_is_the_name_of_its_own_prototypes():
    for name in NAMES:
        assert {name_of(shade) for shade in prototypes_of(name)} == {name}


def test_main_colours_come_with_their_shares():
    pixels = np.concatenate([np.tile(lab(200, 30, 45), (700, 1)), np.tile(lab(35, 80, 190), (300, 1))])
    first, second = main_colours(pixels)
    assert (first.name, second.name) == ("red", "blue")
    assert first.share == pytest.approx(0.7) and second.share == pytest.approx(0.3)
    assert float(first.distance(lab(200, 30, 45))) < 0.5


def test_blended_edge_pixels_start_no_colour_of_their_own():
    picture = np.zeros((60, 60, 3), dtype=np.uint8)
    picture[:, :30], picture[:, 30:] = (255, 255, 255), (200, 30, 45)
    soft = np.asarray(Image.fromarray(picture).resize((24, 24)).resize((60, 60)))
    assert [colour.name for colour in main_colours(to_lab(soft).reshape(-1, 3))] in (["white", "red"], ["red", "white"])


def test_no_pixels_have_no_colours():
    assert main_colours(np.zeros((0, 3), dtype=np.float32)) == ()


def test_distance_is_a_distance():
    colours = to_lab(np.random.default_rng(0).integers(0, 256, (40, 3), dtype=np.uint8))
    assert (distance(colours, colours) == 0).all()
    np.testing.assert_allclose(distance(colours, colours[::-1]), distance(colours[::-1], colours))


def test_lightness_counts_less_than_hue():
    grey, lighter, redder = np.float32([[50, 0, 0], [60, 0, 0], [50, 10, 0]])
    assert distance(grey, lighter) == pytest.approx(7)
    assert distance(grey, redder) == pytest.approx(10)


@pytest.mark.parametrize(
    ("name", "darkest"), [("red", 0.68), ("green", 0.4), ("blue", 0.6), ("purple", 0.4), ("orange", 0.35)]
)
def test_light_and_shade_do_not_change_a_surface_colour(name, darkest):
    side = 90
    ramp = np.linspace(darkest, 1.0, side)[None, :, None]
    shaded = (np.array(COLOURS[name]) * ramp * np.ones((side, 1, 1))).astype(np.uint8)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    surface = read_surface(to_lab(shaded), OUTLINES["egg"](x, y))
    assert [colour.name for colour in surface.colours] == [name]
    assert surface.pattern.name == "plain"


def test_what_tells_most_is_named_first():
    image = np.asarray(thing("disc", "striped", "white", "red"))
    surface = read_surface(to_lab(image[..., :3]), image[..., 3] > 128)
    assert [colour.name for colour in surface.colours] == ["red", "white"]
    assert surface.colours[0].share < surface.colours[1].share
