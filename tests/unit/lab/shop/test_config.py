import pytest

from viral.base.errors import UsageError
from viral.lab.shop import ShopConfig


def test_weights_are_normalised():
    config = ShopConfig(redundant=1, unique_text=3, unique_picture=0, synergistic=4)
    assert config.weights == pytest.approx((0.125, 0.375, 0.0, 0.5))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"items": 19}, "items"),
        ({"users": 0}, "users"),
        ({"users": 1.5}, "users"),
        ({"users": True}, "users"),
        ({"seed": -1}, "seed"),
        ({"distractors": 4}, "distractors"),
        ({"image_size": 64}, "image_size"),
        ({"temperature": 0.0}, "temperature"),
        ({"redundant": -0.1}, "redundant"),
        ({"unique_text": float("nan")}, "unique_text"),
        ({"synergistic": "much"}, "synergistic"),
        ({"popularity": float("inf")}, "popularity"),
        ({"pictures": "no"}, "pictures"),
        ({"interactions_per_user": 2}, "interactions_per_user"),
        ({"items": 40, "interactions_per_user": 21}, "interactions_per_user"),
    ],
)
def test_a_bad_value_is_named_with_its_rule(changes, named):
    with pytest.raises(UsageError) as fault:
        ShopConfig(**changes)
    assert fault.value.what.startswith(f"{named} = ")
    assert fault.value.hint.startswith(named)


def test_somebody_must_have_a_taste():
    with pytest.raises(UsageError, match="weights are 0"):
        ShopConfig(redundant=0, unique_text=0, unique_picture=0, synergistic=0)
