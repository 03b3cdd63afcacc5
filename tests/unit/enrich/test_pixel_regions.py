"""Regions: things are found before even, shaded and two-part grounds, and nothing where nothing is."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from pixel_drawings import COLOURS, backdrop, noise, scene, thing
from viral.enrich.pixel.colours import to_lab
from viral.enrich.pixel.regions import take_apart

PLACES = ((14, 20), (150, 30), (80, 150))


def apart(picture: Image.Image):
    return take_apart(to_lab(np.asarray(picture)))


def overlap(mask: np.ndarray, image: Image.Image, corner: tuple[int, int]) -> float:
    """Intersection over union of a region and what was drawn."""
    truth = np.zeros_like(mask)
    x, y = corner
    truth[y : y + image.height, x : x + image.width] = np.asarray(image)[..., 3] > 128
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize(("ground", "kind"), [("plain", "plain"), ("gradient", "gradient"), ("floor", "patterned")])
def test_three_things_are_found_where_they_are(ground, kind):
    images = [thing("disc", "plain", "red"), thing("bottle", "checked", "blue"), thing("box", "dotted", "green")]
    found = apart(scene(*zip(images, PLACES, strict=True), ground=backdrop(ground)))
    assert found.backdrop == kind
    assert len(found.regions) == 3
    for image, corner in zip(images, PLACES, strict=True):
        assert max(overlap(region.mask, image, corner) for region in found.regions) > 0.85


def test_white_shows_on_a_clean_light_ground():
    image = thing("egg", "striped", "red", "white")
    found = apart(scene((image, (80, 80))))
    assert len(found.regions) == 1
    assert overlap(found.regions[0].mask, image, (80, 80)) > 0.9


def test_a_shadow_is_not_part_of_the_thing():
    image = thing("box", "plain", "blue")
    ground = backdrop()
    shade = Image.new("L", ground.size, 0)
    ImageDraw.Draw(shade).ellipse((80, 160, 200, 186), fill=60)
    ground.paste((30, 30, 36), mask=shade.filter(ImageFilter.GaussianBlur(3)))
    found = apart(scene((image, (80, 80)), ground=ground))
    assert len(found.regions) == 1
    assert overlap(found.regions[0].mask, image, (80, 80)) > 0.9


def room(floor: tuple[int, int, int], softness: float) -> Image.Image:
    ground = Image.new("RGB", (256, 256), (221, 230, 238))
    ground.paste(floor, (0, 170, 256, 256))
    return ground.filter(ImageFilter.GaussianBlur(softness))


def test_the_soft_line_between_wall_and_floor_is_no_thing():
    found = apart(room((96, 70, 48), 3))
    assert (found.backdrop, found.regions) == ("patterned", ())


def test_a_wall_and_a_floor_of_nearly_its_colour_are_not_a_gradient():
    images = [thing("box", "plain", "red", side=90), thing("disc", "plain", "blue", side=90)]
    places = ((16, 130), (150, 130))
    found = apart(scene(*zip(images, places, strict=True), ground=room((202, 198, 192), 1)))
    assert found.backdrop == "patterned"
    assert len(found.regions) == 2
    for image, corner in zip(images, places, strict=True):
        assert max(overlap(region.mask, image, corner) for region in found.regions) > 0.9


def test_the_backdrop_seen_through_a_handle_is_no_part_of_the_thing():
    picture = backdrop()
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 80, 150, 190), fill=COLOURS["green"])
    draw.ellipse((120, 95, 210, 175), outline=COLOURS["green"], width=12)
    region = apart(picture).regions[0]
    assert region.mask[130, 100] and region.mask[135, 204]
    assert not region.mask[135, 180]


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (180, 40, 60)])
def test_a_blank_picture_has_no_things(colour):
    found = apart(Image.new("RGB", (120, 90), colour))
    assert (found.backdrop, found.regions) == ("plain", ())


def test_noise_has_no_backdrop_and_is_one_whole():
    found = apart(noise())
    assert found.backdrop == "busy"
    assert [region.area for region in found.regions] == [1.0]


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (15, 15)])
def test_scraps_are_not_taken_apart(size):
    assert apart(Image.new("RGB", size, "red")).regions == ()


def test_the_large_and_central_thing_comes_first():
    small, large = thing("box", "plain", "red", side=40), thing("box", "plain", "red", side=100)
    found = apart(scene((small, (8, 8)), (large, (90, 90))))
    assert [region.area for region in found.regions] == sorted((r.area for r in found.regions), reverse=True)
    assert found.regions[0].box[0] > 80
    assert found.regions[0].prominence > found.regions[1].prominence


def test_specks_are_left_out():
    picture = backdrop()
    for n in range(20):
        picture.putpixel((10 + 11 * n, 40), (0, 0, 0))
    assert apart(picture).regions == ()
