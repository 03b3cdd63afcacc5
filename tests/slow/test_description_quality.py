"""What the title is worth to the pixel describer, on drawn pictures: issue line B.4, by three measures."""

import pytest

from viral.enrich import Ledger, describer_named, enrich, load_prompt
from viral.lab.quality import Quality, description_quality
from viral.lab.shop import ShopConfig, make_shop

pytestmark = pytest.mark.slow
ITEMS = 100


@pytest.fixture(scope="module")
def quality(tmp_path_factory: pytest.TempPathFactory) -> Quality:
    """A shop of the demonstration's pictures, described with both prompts."""
    dataset = make_shop(tmp_path_factory.mktemp("described") / "shop", ShopConfig(users=20, items=ITEMS, seed=0))
    with Ledger(dataset.path / "ledger.sqlite") as ledger:
        sets = {
            prompt: enrich(dataset.catalog(), describer_named("pixel"), load_prompt(prompt), ledger)
            for prompt in ("plain", "title")
        }
    return description_quality(dataset, sets)


def test_title_guided_beats_plain_by_a_quarter_in_attribute_accuracy(quality: Quality) -> None:
    """Named, and no other value beside it: strictly, and by degrees, where naming others too still earns its share."""
    assert quality.planted is not None and quality.planted.items == ITEMS
    gains = quality.planted.gains["title"]
    for name in ("exact", "f1"):
        assert gains[name].relative >= 0.25 and gains[name].relative_low >= 0.25, (name, gains[name])
        assert gains[name].p_value < 0.001
    assert gains["exact"].guided >= 0.9


def test_the_title_does_not_make_the_describer_see_less_of_the_product(quality: Quality) -> None:
    assert quality.planted is not None
    assert quality.planted.gains["title"]["right"].low >= -0.02


def test_what_a_model_can_read_from_the_vectors_rises_by_a_quarter_too(quality: Quality) -> None:
    """Accuracy on items held out, mean over colour, pattern and tag."""
    assert quality.planted is not None
    read = {
        prompt: sum(max(found[name]["linear"], found[name]["nonlinear"]) for name in ("colour", "pattern", "tag")) / 3
        for prompt, found in quality.planted.read.items()
    }
    assert read["title"] >= 1.25 * read["plain"], read


def test_titles_agree_better_with_guided_words_because_they_repeat_them(quality: Quality) -> None:
    """The gain in agreement is real, and it is words: it does not outlive their removal."""
    said, rest = (quality.against_plain["title"][name] for name in ("as_said", "without_title_words"))
    assert said.difference > 0.05 and said.p_value < 0.001
    assert abs(rest.difference) < said.difference / 4
