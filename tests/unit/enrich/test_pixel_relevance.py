"""The title as evidence: which words count, and which thing they point to."""

import numpy as np
import pytest
from PIL import Image

from pixel_drawings import scene, thing
from viral.encode.vision import CLASSES, class_names
from viral.enrich.pixel.printed_text import PrintedWords, TextReader
from viral.enrich.pixel.relevance import colour_share, named_classes, printed_share, read_title, singular, weigh
from viral.enrich.pixel.sight import SeenThing, look

MUG = class_names().index("coffee mug")


def things_of(*placed: tuple[Image.Image, tuple[int, int]]) -> tuple[SeenThing, ...]:
    """Things in the order of their left edges."""
    return tuple(sorted(look(scene(*placed), TextReader()).things, key=lambda one: one.region.box[0]))


@pytest.fixture(scope="module")
def pair():
    """A red striped thing on the left, a blue dotted one of the same size on the right."""
    return things_of((thing("egg", "striped", "red"), (16, 80)), (thing("egg", "dotted", "blue"), (144, 80)))


def even(rows: int) -> np.ndarray:
    return np.full((rows, CLASSES), 1 / CLASSES, dtype=np.float32)


@pytest.mark.parametrize(
    ("plural", "noun"),
    [("mugs", "mug"), ("boxes", "box"), ("berries", "berry"), ("glass", "glass"), ("glasses", "glass"), ("bus", "bus")],
)
def test_plural_endings_are_taken_off(plural, noun):
    assert singular(plural) == noun


def test_a_class_is_named_by_its_noun_or_its_whole_name():
    assert MUG in read_title("Two Mugs for the office").classes
    assert MUG in read_title("a coffee mug").classes
    assert MUG not in read_title("coffee beans").classes  # an adjective of the class's name alone is not the thing
    assert "bow tie" in {class_names()[n] for n in read_title("Bow ties, silk").classes}


def test_a_catalogues_categories_name_classes():
    found = named_classes(["Trench coats", "Mugs & cups", "Unknown"])
    assert {"trench coat", "coffee mug"} <= {class_names()[number] for number in found}
    assert class_names().index("abaya") not in found
    assert named_classes([]) == frozenset()


def test_colours_and_patterns_are_named_by_several_words():
    title = read_title("GREY-striped, crimson polka dots and gold")
    assert title.colours == ("grey", "red", "yellow")
    assert title.patterns == ("striped", "dotted")


@pytest.mark.parametrize("title", ["", "???", "12345", "\x00\x01", "x" * 100_000])
def test_a_title_without_words_is_no_evidence(title, pair):
    read = read_title(title)
    assert (read.classes, read.colours, read.patterns) == ((), (), ())
    evidence = weigh(pair, even(2), read)
    prominence = [one.region.prominence for one in pair]
    assert int(evidence.total.argmax()) == int(np.argmax(prominence))


@pytest.mark.parametrize(("title", "chosen"), [("red one", 0), ("blue one", 1), ("with stripes", 0), ("polka dots", 1)])
def test_colour_and_pattern_choose_the_thing(pair, title, chosen):
    assert int(weigh(pair, even(2), read_title(title)).total.argmax()) == chosen


@pytest.mark.parametrize("chosen", [0, 1])
def test_class_probability_chooses_the_thing(pair, chosen):
    probabilities = even(2)
    probabilities[chosen, MUG] = 0.4
    evidence = weigh(pair, probabilities, read_title("Handmade mug"))
    assert int(evidence.total.argmax()) == chosen
    assert evidence.by_class[chosen] == pytest.approx(0.4)


def test_colour_outweighs_a_faint_guess(pair):
    probabilities = even(2)
    probabilities[1, MUG] = 0.05
    assert int(weigh(pair, probabilities, read_title("red mug")).total.argmax()) == 0


def test_a_faint_guess_that_only_one_thing_gets_outweighs_prominence():
    small_and_large = things_of(
        (thing("egg", "plain", "red", side=60), (8, 8)), (thing("egg", "plain", "red"), (90, 80))
    )
    probabilities = even(2)
    assert int(weigh(small_and_large, probabilities, read_title("mug")).total.argmax()) == 1
    probabilities[0, MUG] = 0.1
    assert int(weigh(small_and_large, probabilities, read_title("mug")).total.argmax()) == 0


def test_words_printed_on_a_thing_choose_it(pair):
    left, right = pair
    labelled = (left, SeenThing(right.region, right.surface, (PrintedWords("Sunny Side", "light"),)))
    evidence = weigh(labelled, even(2), read_title("Sunny Side cereal"))
    assert int(evidence.total.argmax()) == 1
    assert evidence.by_text.tolist() == pytest.approx([0, 2 / 3])


def test_share_of_printed_title_words():
    title = read_title("The Great Escape")
    assert printed_share((PrintedWords("GREAT / ESCAPES", ""),), title) == pytest.approx(2 / 3)
    assert printed_share((), title) == printed_share((PrintedWords("great", ""),), read_title("")) == 0


def test_colour_share_passes_what_is_near_and_stops_what_has_no_hue(pair):
    red = pair[0].surface.colours
    assert colour_share(red, ("red",)) == pytest.approx(red[0].share)
    assert 0 < colour_share(red, ("pink",)) < colour_share(red, ("red",))
    assert colour_share(red, ("blue",)) < 0.02
    assert colour_share(red, ()) == 0
