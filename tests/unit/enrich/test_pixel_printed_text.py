"""Words in a picture: read from the models in the package, only where a cheap look finds strokes, cleaned."""

import logging
import socket

import numpy as np
import pytest
from PIL import Image

from pixel_drawings import backdrop, noise, scene, thing, with_words
from viral.base.errors import DataError
from viral.enrich.pixel import printed_text
from viral.enrich.pixel.colours import to_lab
from viral.enrich.pixel.printed_text import TextLine, TextReader, clean, may_have_text, owners, printed, read_lines
from viral.enrich.pixel.regions import take_apart


@pytest.fixture(scope="module")
def reader():
    return TextReader()


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture)


def test_words_are_read_where_they_are(reader):
    picture = with_words(with_words(backdrop(), "Lighthouse", (60, 40)), "Harbour 27", (60, 160))
    first, second = reader.read(pixels(picture))
    assert (first.words, second.words) == ("Lighthouse", "Harbour 27")
    left, top, right, bottom = first.box
    assert 40 < left < 75 and 25 < top < 50 and 150 < right < 240 and 50 < bottom < 90


def test_a_picture_without_words_gives_none(reader):
    assert reader.read(pixels(backdrop())) == ()


def test_the_network_is_never_asked_and_nothing_is_logged(monkeypatch, capfd):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the reader opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    lines = TextReader().read(pixels(with_words(backdrop(), "Offline", (60, 100))))
    assert [line.words for line in lines] == ["Offline"]
    assert capfd.readouterr() == ("", "")
    assert not logging.getLogger("RapidOCR").isEnabledFor(logging.ERROR)


def test_a_package_without_its_models_is_named(monkeypatch, tmp_path):
    import rapidocr

    monkeypatch.setattr(rapidocr, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(DataError, match="no det model"):
        TextReader().read(pixels(with_words(backdrop(), "Words", (60, 100))))


def test_the_cheap_look_lets_words_pass_and_stops_plain_things():
    assert may_have_text(to_lab(pixels(with_words(backdrop(), "Words", (60, 100)))))
    assert not may_have_text(to_lab(pixels(backdrop("gradient"))))
    assert not may_have_text(to_lab(pixels(scene((thing("egg", "two-tone", "blue"), (70, 70))))))
    assert not may_have_text(to_lab(pixels(Image.new("RGB", (4, 4)))))


def test_a_stopped_picture_is_not_read():
    class Deaf(TextReader):
        def read(self, rgb: np.ndarray) -> tuple[TextLine, ...]:
            raise AssertionError("read without need")

    picture = pixels(scene((thing("egg", "plain", "blue"), (70, 70))))
    lab = to_lab(picture)
    assert read_lines(picture, lab, take_apart(lab), Deaf()) == ()


def test_words_missed_at_first_are_read_on_the_enlarged_thing(reader):
    picture = with_words(scene((thing("box", "plain", "blue", side=120), (60, 60))), "MOON", (82, 110))
    seen: list[tuple[int, ...]] = []

    class Short(TextReader):
        """Sees nothing in the whole picture, as the reader does with words in clutter."""

        def read(self, rgb: np.ndarray) -> tuple[TextLine, ...]:
            seen.append(rgb.shape)
            return () if len(seen) == 1 else reader.read(rgb)

    lab = to_lab(pixels(picture))
    (line,) = read_lines(pixels(picture), lab, take_apart(lab), Short())
    assert line.words == "MOON" and len(seen) == 2
    left, top, right, bottom = line.box
    assert 65 < left < 90 and 95 < top < 120 and 140 < right < 180 and 125 < bottom < 155


@pytest.mark.parametrize(
    ("paper", "ground"),
    [((255, 255, 255), "light"), ((20, 20, 24), "dark"), ((120, 120, 124), "grey"), ((200, 30, 45), "red"), (None, "")],
)
def test_what_words_are_printed_on(reader, paper, ground):
    from viral.enrich.pixel.surface import read_surface

    picture = with_words(scene((thing("box", "plain", "yellow", side=130), (60, 60))), "MOON", (88, 110), paper=paper)
    lab = to_lab(pixels(picture))
    region = take_apart(lab).regions[0]
    left, top, right, bottom = region.box
    surface = read_surface(lab[top:bottom, left:right], region.mask[top:bottom, left:right])
    (line,) = reader.read(pixels(picture))
    assert printed(lab, line, surface).ground == ground


def test_the_margin_that_the_reader_gives_a_line_is_not_its_ground():
    white, ink = to_lab(np.array([[250, 250, 250], [20, 20, 24]], dtype=np.uint8))
    lab = np.tile(white, (60, 120, 1))
    lab[20:34, 20:100] = ink  # a dark label within a larger box
    assert printed(lab, TextLine("MOON", 1.0, (6, 8, 114, 46))).ground == "dark"


def test_a_label_that_hangs_beside_a_thing_belongs_to_it(reader):
    ground = backdrop()
    for corner, owner in (((150, 176), 0), ((20, 20), None)):
        picture = with_words(scene((thing("disc", "plain", "green", side=90), (70, 90)), ground=ground), "SUN", corner)
        lab = to_lab(pixels(picture))
        found = take_apart(lab)
        lines = reader.read(pixels(picture))
        holders, labels = owners(lines, found)
        thing_number = int(np.argmax([region.area for region in found.regions]))
        assert [line.words for line in lines] == ["SUN"]
        if owner is None:
            assert labels == set() and holders[0] != thing_number
        else:
            assert holders == [thing_number]


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("(SUN)", "SUN"),
        ("  two   words ", "two words"),
        ("<b>bold</b>\x00\n", "b bold /b"),
        ("“quoted” {x}", "quoted x"),
        ("Dr. No: 007!", "Dr. No: 007!"),
        ("ＦＵＬＬ", "FULL"),
        ("a" * 500, "a" * printed_text.MOST_LETTERS),
        ("—•—", ""),
    ],
)
def test_what_is_read_is_cleaned(raw, kept):
    assert clean(raw) == kept


def test_noise_is_not_words(reader):
    assert all(len(line.words) <= printed_text.MOST_LETTERS for line in reader.read(pixels(noise())))
