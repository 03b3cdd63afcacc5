"""Titles and texts: object, colour, where it is made, the edition; never the pattern or the tag."""

import numpy as np

from viral.lab.shop.world import ORIGINS

# The text bit, in many words: an edition is named after a tree (0) or after a bird (1).
EDITIONS = (
    ("Alder", "Birch", "Cedar", "Hazel", "Juniper", "Maple", "Rowan", "Willow"),
    ("Finch", "Heron", "Kestrel", "Osprey", "Plover", "Robin", "Sparrow", "Wren"),
)
SERIES = (
    ("part of our woodland series", "named after a tree", "from the forest collection"),
    ("part of our songbird series", "named after a bird", "from the feather collection"),
)
ADJECTIVES = dict(
    zip(
        ORIGINS,
        ("Japanese", "Indian", "Moroccan", "Portuguese", "Scottish", "Danish", "Canadian", "Mexican"),
        strict=True,
    )
)
TITLES = (
    "{Colour} {origin} {thing}, {edition} edition",
    "{origin} {thing} in {colour}, {edition} edition",
    "{edition} edition: {colour} {origin} {thing}",
    "{edition} {thing} in {colour}, made in {country}",
)
FACTS = (
    "Made in {country}, {series}.",
    "This {thing}, {series}, is made in {country}.",
    "The {edition} is {series} and is made in {country}.",
)
FILLER = (
    "A gift that people keep.",
    "Packed by hand and sent the next day.",
    "Built to last, and easy to look after.",
    "Our customers write that they would buy it again.",
    "Small batches, fair wages.",
    "Comes in a box without plastic.",
    "A favourite of the whole family.",
    "Thirty days to change your mind.",
)


def write(thing: str, colour: str, country: str, text_bit: int, rng: np.random.Generator) -> tuple[str, str, str]:
    """The title, the text and the edition of one item."""
    edition = str(rng.choice(EDITIONS[text_bit]))
    words = {
        "thing": thing,
        "colour": colour,
        "Colour": colour.capitalize(),
        "country": country,
        "origin": ADJECTIVES[country],
        "edition": edition,
        "series": str(rng.choice(SERIES[text_bit])),
    }
    title = str(rng.choice(TITLES)).format(**words)
    fact = str(rng.choice(FACTS)).format(**words)
    return title, f"{fact} {rng.choice(FILLER)}", edition
