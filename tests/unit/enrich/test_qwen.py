"""The qwen describer on a tiny checkpoint: the code of the real one, with gibberish for words."""

import io
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import tiny_qwen
from makers import picture
from viral.base.errors import ViralError
from viral.data.pictures import PictureError
from viral.enrich.protocol import Answer, Picture, Prompt
from viral.enrich.qwen import QwenConfig, QwenDescriber

PROMPT = Prompt("short", "What is {title}?", "")
SIZES = [(100, 100), (60, 120), (200, 50), (80, 80), (112, 112), (50, 50), (90, 140), (64, 64)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_qwen.make(tmp_path_factory.mktemp("qwen") / "tiny")


@pytest.fixture(scope="module")
def config(folder):
    return QwenConfig(model=str(folder), max_new_tokens=16)


@pytest.fixture(scope="module")
def describer(config):
    return QwenDescriber(config)


def photo(number):
    """Noise, in another size and with a longer title for each number."""
    generator = np.random.default_rng(number)
    width, height = SIZES[number % len(SIZES)]
    buffer = io.BytesIO()
    Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(buffer, "PNG")
    return Picture(str(number), "a cup" + " in red" * (number % 5), buffer.getvalue())


PHOTOS = [photo(number) for number in range(16)]


def describe(describer, pictures=PHOTOS, size=8):
    return [
        answer
        for start in range(0, len(pictures), size)
        for answer in describer.describe(pictures[start : start + size], PROMPT)
    ]


@pytest.fixture(scope="module")
def brief(tmp_path_factory):
    """A checkpoint in which one token in twelve ends the answer."""
    folder = tiny_qwen.make(tmp_path_factory.mktemp("qwen") / "brief")
    path = folder / "generation_config.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"eos_token_id": [*settings["eos_token_id"], *range(0, 380, 12)]}))
    return folder


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_picture_is_described_alike_in_batches_of_1_4_and_8(config, brief, temperature):
    describer = QwenDescriber(replace(config, model=str(brief), temperature=temperature))
    alone = describe(describer, size=1)
    assert describe(describer, size=4) == alone
    assert describe(describer, size=8) == alone
    assert len({answer.text for answer in alone}) > 10
    assert len({answer.tokens_in for answer in alone}) > 5  # so there was padding in the batches
    spoken = [answer.tokens_out for answer in alone]
    assert min(spoken) < max(spoken) == 16  # and some ended before their neighbours


def test_a_draw_is_decided_by_seed_and_picture_alone(config):
    warm = QwenDescriber(replace(config, temperature=0.8))
    said = describe(warm)
    assert describe(warm, PHOTOS[::-1]) == said[::-1]
    assert describe(QwenDescriber(replace(config, temperature=0.8, seed=1))) != said
    assert len({warm._seed(one, "What?") for one in PHOTOS}) == len(PHOTOS)
    twice = [PHOTOS[0], replace(PHOTOS[0], item_id="its twin")]
    assert describe(warm, twice) == [said[0], said[0]]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P", "RGBA", "1", "LA"])
def test_pictures_of_every_mode_are_described(describer, mode):
    colour = {"RGB": (90, 90, 90), "L": 90, "CMYK": (0, 0, 0, 165), "RGBA": (90, 90, 90, 255), "LA": (90, 255)}
    data = picture("JPEG" if mode == "CMYK" else "PNG", (60, 60), colour.get(mode, 0), mode, **{"quality": 100})
    (answer,) = describer.describe([Picture("a", "a cup", data)], PROMPT)
    assert isinstance(answer, Answer) and answer.text
    if mode in ("L", "RGBA", "LA"):  # the same grey, however it is stored
        assert [answer] == describer.describe([Picture("a", "a cup", picture(size=(60, 60), colour=(90,) * 3))], PROMPT)


def test_a_picture_that_cannot_be_described_fails_alone(describer):
    bad = [Picture("cut", "", PHOTOS[0].data[:60]), Picture("slim", "", picture(size=(1, 300)))]
    mixed = describer.describe([bad[0], PHOTOS[1], bad[1], PHOTOS[2]], PROMPT)
    assert isinstance(mixed[0], PictureError) and mixed[0].status == "truncated or damaged"
    assert isinstance(mixed[2], ViralError) and "1 × 300 is too slim" in str(mixed[2])
    assert [mixed[1], mixed[3]] == describe(describer, PHOTOS[1:3])
    assert isinstance(describer.describe(bad[:1], PROMPT)[0], PictureError)


def test_the_number_of_pixels_is_bounded_from_both_sides(config):
    large, small = (Picture("a", "a cup", picture(size=(side, side))) for side in (2000, 20))

    def tokens(picture, **bounds):
        (answer,) = QwenDescriber(replace(config, **bounds)).describe([picture], PROMPT)
        return answer.tokens_in

    least = tokens(small)  # 56 × 56 in the checkpoint: 2 × 2 tokens
    assert tokens(large) == least - 4 + 16  # 112 × 112
    assert tokens(large, max_pixels=84 * 84) == least - 4 + 9
    assert tokens(large, max_pixels=10**9) == tokens(large)  # never above the checkpoint's own
    assert tokens(small, min_pixels=84 * 84) == least - 4 + 9


def test_a_batch_that_the_gpu_has_no_room_for_is_halved(config, monkeypatch, capsys):
    from viral.enrich.qwen.model import OutOfMemory, VisionModel

    sizes, room, real = [], [3], VisionModel.answer

    def answer(self, images, texts, seeds):
        sizes.append(len(images))
        if len(images) > room[0]:
            raise OutOfMemory("CUDA out of memory")
        return real(self, images, texts, seeds)

    expected = describe(QwenDescriber(config))
    monkeypatch.setattr(VisionModel, "answer", answer)
    describer = QwenDescriber(config)
    assert describer.describe(PHOTOS[:8], PROMPT) == expected[:8]
    assert sizes == [8, 4, 2, 2, 2, 2]
    assert "too small for 4 pictures" in capsys.readouterr().err
    del sizes[:]
    assert describer.describe(PHOTOS[8:], PROMPT) == expected[8:]
    assert sizes == [2, 2, 2, 2]
    room[0] = 0
    answers = describer.describe(PHOTOS[:2], PROMPT)
    assert all(isinstance(a, ViralError) and "too small for this picture" in a.what and a.hint for a in answers)


def test_an_answer_without_words_is_an_attempt_that_failed(folder, tmp_path):
    from viral.enrich.qwen.model import VisionModel

    mute = tiny_qwen.make(tmp_path / "mute", only_end=True)
    config = QwenConfig(model=str(mute), max_new_tokens=16)
    answers = QwenDescriber(config).describe(PHOTOS[:2], PROMPT)
    assert [str(answer) for answer in answers] == ["the model said nothing"] * 2
    image = Image.new("RGB", (60, 60))
    (answer,) = VisionModel(config).answer([image], ["?"], [0])
    assert (answer.text, answer.tokens_out) == ("", 1)


def test_it_is_pickled_as_its_configuration_and_loads_when_it_is_needed(config, capsys):
    describer = QwenDescriber(config)
    assert (describer.name, describer.batch_size, describer.in_flight) == ("qwen", 8, 1)
    assert describer.revision.startswith("sha256-") and describer.parameters["dtype"] == "float32"
    assert "loading" not in capsys.readouterr().err
    said = describe(describer, PHOTOS[:2])
    data = pickle.dumps(describer)
    assert len(data) < 2000
    assert describe(pickle.loads(data), PHOTOS[:2]) == said


def test_threads_share_one_model(config, capsys):
    describer = QwenDescriber(config)
    batches = [PHOTOS[start : start + 3] for start in range(0, 12, 3)]
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda batch: describer.describe(batch, PROMPT), batches))
    assert capsys.readouterr().err.count("loading") == 1
    assert said == [describe(describer, batch) for batch in batches]


def test_what_decides_the_text_is_in_the_key(config):
    key = QwenDescriber(config).parameters
    for change in ({"max_new_tokens": 5}, {"temperature": 0.5}, {"repetition_penalty": 1.3}, {"min_pixels": 800},
                   {"max_pixels": 9000}, {"dtype": "bfloat16"}):  # fmt: skip
        assert QwenDescriber(replace(config, **change)).parameters != key
    assert QwenDescriber(replace(config, batch_size=3, seed=9)).parameters == key  # the seed of no draw
    warm = [QwenDescriber(replace(config, temperature=0.5, seed=seed)).parameters for seed in (0, 1)]
    assert warm[0] != warm[1]


def test_the_revision_is_that_of_the_contents(folder, tmp_path):
    def revision(path):
        return QwenDescriber(QwenConfig(model=str(path))).revision

    copy = tiny_qwen.make(tmp_path / "elsewhere")
    assert revision(copy) == revision(folder)
    (copy / "README.md").write_text("A model.")
    assert revision(copy) == revision(folder)
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1  # one bit of one weight
    weights.write_bytes(data)
    changed = revision(copy)
    assert changed != revision(folder)
    (copy / "chat_template.jinja").write_text("{{ messages }}")
    assert revision(copy) not in (changed, revision(folder))
