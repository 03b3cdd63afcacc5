"""Which patterns are believed on a photo of a product: those that are in every place, and of colours that cover it."""

from collections.abc import Sequence

from viral.enrich.pixel.patterns import IRREGULAR, PATTERNED, PLAIN, TWO_TONE, UNTOLD, Pattern, running
from viral.enrich.pixel.texture import Texture

PRINTED = 1.0  # roughness everywhere from which a surface has a pattern
LIKELY = 0.8  # the same where the pieces of its colours look like a pattern, and mostly
PARALLEL = 0.6  # of the edges of stripes
PAIR = 0.9  # of the surface that the two colours of a regular pattern cover
MANY = 3  # colours of a print
HALF = 0.28  # of the surface for each of two tones
CALM = 0.6  # roughness below which two tones are two cloths


def seen_in_photo(found: Pattern, texture: Texture, shares: Sequence[float]) -> Pattern:
    """The pattern that is told of a surface whose pieces look like ``found``; ``shares`` are its colours'."""
    largest = sorted(shares, reverse=True)[:2]
    pair = len(largest) == 2 and sum(largest) > PAIR
    if found == TWO_TONE and pair and largest[1] > HALF and texture.mostly < CALM:
        return TWO_TONE
    regular = found not in (PLAIN, TWO_TONE, IRREGULAR)
    if texture.everywhere < (PRINTED if found in (PLAIN, TWO_TONE) else LIKELY) and not (
        regular and pair and texture.mostly > LIKELY
    ):
        return UNTOLD
    if texture.parallel > PARALLEL:
        return Pattern("striped", running(texture.axis))
    if regular and found.name != "zigzag" and pair:
        return found
    return IRREGULAR if found == IRREGULAR or len(shares) >= MANY else PATTERNED
