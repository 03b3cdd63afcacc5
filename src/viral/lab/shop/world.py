"""The planted truth: what every item is, and what every user likes. Shapes: U users, I items."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viral.lab.shop.config import KINDS, ShopConfig

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

# The order of a kind's values is a ring: a user likes neighbours, so many users share a set of liked values.
THINGS = (
    "umbrella",
    "balloon",
    "coffee mug",
    "T-shirt",
    "table lamp",
    "bucket",
    "birdhouse",
    "vase",
    "backpack",
    "bow tie",
    "bib",
    "wall clock",
)
COLOURS = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")
ORIGINS = ("Japan", "India", "Morocco", "Portugal", "Scotland", "Denmark", "Canada", "Mexico")
PATTERNS = ("plain", "two-tone", "striped", "zigzag", "checked", "dotted")
TAGS = ("SUN", "MOON")  # the printed word; the tag is light or dark with it

SIZES = dict(zip(KINDS, (len(COLOURS), len(ORIGINS), len(PATTERNS), 2), strict=True))

ATTRIBUTES, PREFERENCES, CHOICES, WORDS, PICTURES = range(5)  # independent streams of random numbers


def stream(config: ShopConfig, *key: int) -> np.random.Generator:
    """The random numbers of one purpose (and one item), whatever the others have drawn."""
    return np.random.default_rng([config.seed, *key])


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Every item's attributes and every user's preferences, as indices into the tuples of this module."""

    thing: IntArray  # (I,) the kind of object: the category
    colour: IntArray  # (I,) redundant
    origin: IntArray  # (I,) unique to the words
    pattern: IntArray  # (I,) unique to the picture
    text_bit: IntArray  # (I,) which of two series the words name
    picture_bit: IntArray  # (I,) which of two words the tag shows
    appeal: FloatArray  # (I,) log-odds that do not depend on the user
    preferences: IntArray  # (U, 4) first liked value of each kind; the next ``num_liked`` on the ring are liked
    logit: FloatArray  # (4,) what a match of each kind adds to the log-odds
    liked: float  # the share of each kind's values that a user likes

    @property
    def xor(self) -> IntArray:
        """The synergistic attribute (I,): neither bit alone says anything about it."""
        return self.text_bit ^ self.picture_bit

    @property
    def values(self) -> IntArray:
        """The attribute of each kind, in the order of ``KINDS``: (I, 4)."""
        return np.stack([self.colour, self.origin, self.pattern, self.xor], axis=1)

    def log_weights(self, users: IntArray) -> FloatArray:
        """True utilities, appeal included: user indices (B,) -> (B, I). An oracle ranks by these."""
        total = np.tile(self.appeal, (len(users), 1))
        for number, kind in enumerate(KINDS):
            matches = likes(kind, self.liked)[self.preferences[users, number]]  # (B, values)
            total += self.logit[number] * matches[:, self.values[:, number]]
        return total


def num_liked(kind: str, share: float = 0.5) -> int:
    """How many values of a kind a user likes: the share, rounded, at least one and never all."""
    return min(max(1, round(SIZES[kind] * share)), SIZES[kind] - 1)


def likes(kind: str, share: float = 0.5) -> npt.NDArray[np.bool_]:
    """Whether a user whose liked values start at row r likes value c: (values, values)."""
    size = SIZES[kind]
    return (np.arange(size)[None, :] - np.arange(size)[:, None]) % size < num_liked(kind, share)


def make_world(config: ShopConfig) -> World:
    """Draw attributes (balanced, independent of each other) and preferences (uniform)."""
    rng = stream(config, ATTRIBUTES)

    def balanced(size: int) -> IntArray:
        return rng.permutation(np.arange(config.items) % size)

    thing, colour, origin, pattern = (balanced(len(names)) for names in (THINGS, COLOURS, ORIGINS, PATTERNS))
    bits = balanced(4)
    appeal = config.popularity * rng.standard_normal(config.items)
    starts = stream(config, PREFERENCES).integers(0, list(SIZES.values()), size=(config.users, len(KINDS)))
    logit = np.array(config.weights) / config.temperature
    return World(thing, colour, origin, pattern, bits // 2, bits % 2, appeal, starts, logit, config.liked)
