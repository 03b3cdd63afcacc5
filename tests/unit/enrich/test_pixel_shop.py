"""The pixel describer on the planted shop: what is planted is named, with a title only what is the product's."""

import pytest

from pixel_drawings import PLAIN_PROMPT, TITLE_PROMPT
from unit.enrich.attribute_accuracy import attribute_accuracy
from viral.data.descriptions import Description
from viral.enrich.pixel import PixelDescriber
from viral.enrich.protocol import Picture
from viral.lab.shop import ShopConfig, make_shop


@pytest.mark.slow
def test_planted_attributes_are_named_and_those_of_other_things_are_not(tmp_path):
    shop = make_shop(tmp_path / "shop", ShopConfig(users=20, items=150, seed=404))
    pictures = [Picture(item.id, item.title, item.image.read_bytes()) for item in shop.catalog()]
    describer, found = PixelDescriber(), {}
    for prompt in (PLAIN_PROMPT, TITLE_PROMPT):
        texts = [answer.text for answer in describer.describe(pictures, prompt)]
        said = [
            Description(picture.item_id, text, "pixel/1", prompt.name, "", "done")
            for picture, text in zip(pictures, texts, strict=True)
        ]
        found[prompt.name] = attribute_accuracy(shop, said)
    title, plain = found["title"], found["plain"]
    assert title["colour"] >= 0.95 and title["pattern"] >= 0.85 and title["tag"] >= 0.95
    assert title["foreign_colour"] <= 0.03 and title["foreign_pattern"] <= 0.08
    assert plain["foreign_colour"] >= 0.95  # without a title, the other things are described too
