"""What a planted shop is made from."""

import math
from dataclasses import dataclass

from viral.base.errors import UsageError

KINDS = ("redundant", "unique_text", "unique_picture", "synergistic")
TRUTH_FILE, USERS_FILE = "truth.parquet", "truth_users.parquet"  # beside the tables of the data set
MIN_ITEMS, MIN_IMAGE_SIZE, MAX_IMAGE_SIZE, MAX_DISTRACTORS = 20, 128, 1024, 3
MIN_INTERACTIONS = 3  # a user with fewer has nothing held out


@dataclass(frozen=True, kw_only=True)
class ShopConfig:
    """Size, weights and seed of a planted shop; the same values make the same bytes.

    The four weights say how much of a user's preference each kind of information decides; they are normalised to sum to
    one. An item's log-odds of being chosen are ``(Σ weight × match) / temperature + popularity × N(0, 1)``.
    """

    users: int = 600
    items: int = 300
    interactions_per_user: float = 10.0  # the mean; a user has at least three
    redundant: float = 1.0  # in title and picture both: the colour
    unique_text: float = 1.0  # in the words alone: where the product is made
    unique_picture: float = 1.0  # in the picture alone: the pattern
    synergistic: float = 1.0  # in both together alone: the exclusive-or of the edition and the tag
    liked: float = 0.5  # share of each kind's values that a user likes; at a half every match is a fair coin
    temperature: float = 0.1  # smaller: preferences are stricter
    popularity: float = 0.3  # spread of the items' appeal to everybody, in log-odds
    distractors: int = 3  # each picture shows one to this many other things; 0: none
    image_size: int = 288  # pixels, both sides
    pictures: bool = True  # False: tables only
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("users", "items", "distractors", "image_size", "seed"):
            if isinstance(value := getattr(self, name), bool) or not isinstance(value, int):
                raise _fault(name, value, "is a whole number")
        for name in (*KINDS, "liked", "temperature", "popularity", "interactions_per_user"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                raise _fault(name, value, "is a number of 0 or more")
        if not isinstance(self.pictures, bool):
            raise _fault("pictures", self.pictures, "is true or false")
        if not any(getattr(self, kind) for kind in KINDS):
            hint = f"give one of {', '.join(KINDS)} a weight above 0"
            raise UsageError("all four weights are 0, so nobody has a preference", where="shop", hint=hint)
        self._check_ranges()

    def _check_ranges(self) -> None:
        most = self.items // 2
        for name, low, high in (
            ("users", 1, math.inf),
            ("items", MIN_ITEMS, math.inf),
            ("seed", 0, math.inf),
            ("distractors", 0, MAX_DISTRACTORS),
            ("image_size", MIN_IMAGE_SIZE, MAX_IMAGE_SIZE),
            ("interactions_per_user", MIN_INTERACTIONS, most),
            ("temperature", 0.001, math.inf),
            ("liked", 0, 1),
        ):
            if not low <= (value := getattr(self, name)) <= high:
                upper = "" if high == math.inf else f" and at most {high}"
                raise _fault(name, value, f"is at least {low}{upper}")

    @property
    def weights(self) -> tuple[float, ...]:
        """The four weights in the order of ``KINDS``, summing to one."""
        given = [float(getattr(self, kind)) for kind in KINDS]
        return tuple(value / sum(given) for value in given)


def _fault(name: str, value: object, rule: str) -> UsageError:
    return UsageError(f"{name} = {value!r}", where="shop", hint=f"{name} {rule}")
