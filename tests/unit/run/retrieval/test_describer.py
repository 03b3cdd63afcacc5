"""The describer of a run's items is had again as it was, or whoever runs the program is told what to give."""

import io
from pathlib import Path

import pytest
from PIL import Image

from openai_server import Behaviour, Call, Fault, serving
from viral.base.errors import UsageError, ViralError
from viral.enrich.pixel import PixelDescriber
from viral.run.bundle_extras import DescriptionSource, Material
from viral.run.retrieval.describer import DescriberOptions, NoDescriber, describer_of, options_of
from viral.run.retrieval.item_encoders import ItemEncoders


def described(describer: str, revision: str, prompt: str = "title") -> DescriptionSource:
    return DescriptionSource("words/1", describer, revision, prompt)


def photo() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), (200, 30, 30)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (described("openai", "a/b c"), "--describer openai --set url=ADDRESS --set model='a/b c'"),
        (described("qwen", f"Org/Model@{'a' * 40}"), f"--set model=Org/Model --set revision={'a' * 40}"),
        (described("qwen", "sha256-0123"), "--describer qwen --set model=FOLDER (of digest sha256-0123)"),
        (described("pixel", "1", "mine"), "--describer pixel --prompt FILE (named mine, as it was then)"),
    ],
)
def test_what_to_give_is_told_as_exactly_as_the_bundle_knows_it(made: DescriptionSource, told: str) -> None:
    assert options_of(made).endswith(told)


def test_words_of_an_older_pixel_describer_are_made_anew() -> None:
    with pytest.raises(NoDescriber, match="described by pixel/0") as fault:
        describer_of(described("pixel", "0"), DescriberOptions())
    assert "viral enrich DATASET, viral encode DATASET, viral train" in fault.value.hint


def test_a_setting_needs_the_describer_whose_it_is() -> None:
    with pytest.raises(UsageError, match="--set needs the describer"):
        DescriberOptions(settings=("model=tiny",))


def test_a_prompt_of_ones_own_is_given_as_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("What is {title}?")
    made = described("pixel", PixelDescriber().revision, "mine")
    with pytest.raises(NoDescriber, match="unknown prompt 'mine'") as fault:
        describer_of(made, DescriberOptions())
    assert "--prompt FILE (named mine" in fault.value.hint
    assert describer_of(made, DescriberOptions(prompt=str(file)))[1].template == "What is {title}?"
    with pytest.raises(NoDescriber, match="with prompt mine, not plain"):
        describer_of(made, DescriberOptions(prompt="plain"))


def test_the_default_model_does_not_stand_in_for_another() -> None:
    with pytest.raises(NoDescriber, match="described by qwen/sha256-0123, and this is qwen/Qwen/") as fault:
        describer_of(described("qwen", "sha256-0123"), DescriberOptions())
    assert "--set model=FOLDER (of digest sha256-0123)" in fault.value.hint


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    given = DescriberOptions("openai", ("url=http://localhost:1/v1", "modle=tiny"))
    with pytest.raises(NoDescriber, match="unknown key 'modle'") as fault:
        describer_of(described("openai", "tiny"), given)
    assert "did you mean model?" in fault.value.hint and "--set model=tiny" in fault.value.hint


def test_a_server_that_failed_is_asked_again() -> None:
    """A describer that ended with a fault is not kept: it would answer nothing for as long as the program runs."""

    def faults(call: Call, number: int) -> Fault | None:
        return ("status", 401) if number == 1 else None

    material = Material(encoders={"description": "words/1 of openai/tiny with prompt title"})
    with serving(Behaviour(faults=faults)) as server:
        encoders = ItemEncoders(material, options=DescriberOptions("openai", (f"url={server.url}", "model=tiny")))
        with pytest.raises(ViralError):
            encoders.describe("Teal umbrella", photo())
        assert encoders.describe("Teal umbrella", photo()).startswith("A 20 by 10 picture")
        assert len(server.calls) == 2


def test_nobody_is_asked_where_a_human_described_the_items() -> None:
    material = Material(encoders={"description": "words/1 of human/1 with prompt human"})
    assert ItemEncoders(material).describe("Teal umbrella", photo()) == ""


@pytest.mark.parametrize("modality", ["description", "words"])
def test_nobody_is_asked_where_the_words_came_from_a_file(modality: str) -> None:
    material = Material(encoders={modality: "words/1 of Qwen2.5-VL-3B-Instruct/imported with prompt plain"})
    assert material.described is not None and material.described.describer == "Qwen2.5-VL-3B-Instruct"
    assert ItemEncoders(material).describe("Teal umbrella", photo()) == ""
