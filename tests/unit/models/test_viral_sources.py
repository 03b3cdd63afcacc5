"""What VIRAL's default variant reads: the modalities that are named, or by rule those that the data set has."""

import pytest
import torch

from viral.base.errors import DataError
from viral.data.inputs import ModelInputs
from viral.models.viral.config import BeyondConfig, sources_of, why_unread
from worlds import interactions, small_model, two_tastes

PIXEL, MODEL = "minilm of pixel/7 with prompt title", "minilm of qwen/2 with prompt title"


def read(there: str, *sources: str, encoders: dict[str, str] | None = None, **config: object) -> tuple[str, ...]:
    features = {name: torch.zeros(2, 3) for name in there.split()}
    inputs = ModelInputs(interactions([(0, 0)], 2, 2), features, {}, encoders or {})
    return sources_of(BeyondConfig(sources=sources or ("auto",), **config), inputs)


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ("", ()),
        ("text", ("text",)),
        ("title text", ("text",)),
        ("title", ("title",)),
        ("image", ("image",)),
        ("video audio image text", ("text", "image", "audio", "video")),
        ("audio image", ("image", "audio")),
        ("text words description-plain", ("text",)),
    ],
)
def test_by_rule_it_is_words_then_senses(there: str, found: tuple[str, ...]) -> None:
    assert read(there) == found


@pytest.mark.parametrize(
    ("there", "encoder", "described"),
    [
        ("text description", PIXEL, True),  # nothing else tells of the picture
        ("text image description", PIXEL, False),
        ("text image description", MODEL, True),
        ("text image description", "minilm of human/1 with prompt human", True),
        ("text image description", "made elsewhere", True),
        ("text audio description", PIXEL, True),
    ],
)
def test_words_made_of_pixels_do_not_stand_beside_the_pixels(there: str, encoder: str, described: bool) -> None:
    found = read(there, encoders={"description": encoder})
    assert ("description" in found) is described
    assert not described or found[-1] == "description"


def test_what_is_named_is_taken_as_it_is_named() -> None:
    assert read("text image", "image", "text") == ("image", "text")
    assert read("text image", "image", "sound") == ("image", "sound"), "the model names what is not there"
    assert read("text", "shuffled:text") == ("shuffled:text",)


def test_what_is_named_beside_the_rule_comes_behind_it() -> None:
    assert read("text image words", "auto", "words") == ("text", "image", "words")
    assert read("text image words", "words", "auto", "image") == ("text", "image", "words")


def test_a_model_of_nothing_is_refused() -> None:
    assert read("", taste=True) == ()
    with pytest.raises(DataError, match="without taste nothing is left"):
        read("", taste=False)
    assert read("text", taste=False) == ("text",)


def test_the_model_reads_what_the_rule_says() -> None:
    world = two_tastes(12)
    model = small_model("viral", world)
    assert model.reads == ("text", "image", "description")
    assert model.branches == ("text", "unique_image", "unique_description", "synergy", "taste")
    assert small_model("viral", world, sources=()).branches == ("taste",)
    assert small_model("viral-light", world).reads == ("text", "description")


@pytest.mark.parametrize(
    ("name", "sources", "why"),
    [
        ("title", ("auto",), "the text has the titles"),
        ("description", ("auto",), "words made of the pixels tell less"),
        ("words", ("auto",), """--set 'sources=["auto","words"]'"""),
        ("image", ("text",), "not among the sources"),
    ],
)
def test_it_says_why_a_modality_is_not_read(name: str, sources: tuple[str, ...], why: str) -> None:
    features = {one: torch.zeros(2, 3) for one in ("title", "text", "image", "description", "words")}
    inputs = ModelInputs(interactions([(0, 0)], 2, 2), features, {}, {"description": PIXEL})
    assert why in why_unread(name, sources, inputs)
