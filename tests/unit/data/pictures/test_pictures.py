"""Pictures are untrusted: what is let in, what is refused and under which name."""

import io
import os
import threading
import time
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from makers import noise, picture, png, write
from viral.data.pictures import (
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SCANS,
    PictureError,
    decode,
    locate,
    open_picture,
    plain_bytes,
    read_bytes,
    read_header,
)

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
GREY = (120, 120, 120)


def status(call, *arguments, **options):
    with pytest.raises(PictureError) as caught:
        call(*arguments, **options)
    return caught.value.status


def pixel(data, place=(0, 0), **options):
    return decode(data, **options).getpixel(place)


@pytest.mark.parametrize(("format", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp")])
def test_each_format_is_read_by_its_content(format, suffix):
    data = picture(format, size=(10, 7), colour=GREY)
    header = read_header(data)
    assert (header.format, header.width, header.height, header.suffix) == (format, 10, 7, suffix)
    decoded = decode(data)
    assert (decoded.mode, decoded.size) == ("RGB", (10, 7))
    assert np.abs(np.asarray(decoded).astype(int) - 120).max() <= 2


def test_a_wrong_extension_does_not_matter(tmp_path):
    path = write(tmp_path / "really-a.jpg", picture("PNG", colour=GREY))
    assert open_picture(path).getpixel((3, 3)) == GREY
    assert read_header(path.read_bytes()).format == "PNG"


@pytest.mark.parametrize(
    "data", [SVG, b"GIF89a" + bytes(40), picture("BMP"), picture("TIFF"), b"%PDF-1.7", b"RIFF1234WAVE"]
)
def test_other_formats_are_refused(data):
    assert status(decode, data) == status(read_header, data) == "unknown format"


def test_a_cmyk_photo_becomes_rgb():
    decoded = decode(picture("JPEG", mode="CMYK", colour=(0, 255, 255, 0)))  # no cyan: red
    red, green, blue = decoded.getpixel((0, 0))
    assert red > 200
    assert max(green, blue) < 60


def test_sixteen_bit_grey_is_scaled_not_clipped():
    ramp = np.array([[0, 16384, 32768, 65535]], dtype=np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, "PNG")
    assert np.asarray(decode(buffer.getvalue()))[0, :, 0].tolist() == [0, 64, 128, 255]


def test_sixteen_bit_colour_is_read():
    assert pixel(png(1, 1, depth=16, raw=b"\0" + bytes([255, 255, 128, 0, 0, 0]))) == (255, 128, 0)


def test_transparency_is_laid_on_white():
    half = pixel(picture("PNG", mode="RGBA", colour=(0, 0, 0, 128)))
    assert all(abs(value - 127) <= 1 for value in half)
    assert pixel(picture("PNG", mode="LA", colour=(0, 0))) == (255, 255, 255)
    assert pixel(picture("WEBP", mode="RGBA", colour=(9, 9, 9, 0), lossless=True)) == (255, 255, 255)


def test_a_palette_with_a_transparent_entry_is_laid_on_white():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=0)
    assert pixel(buffer.getvalue(), (0, 0)) == (255, 255, 255)
    assert pixel(buffer.getvalue(), (1, 0)) == (0, 0, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_every_exif_orientation_is_undone(orientation, format):
    upright = Image.new("RGB", (32, 16), (0, 0, 0))
    upright.paste((255, 255, 255), (0, 0, 8, 8))  # a white corner, top left
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]  # PIL's numbers of the inverse turns
    stored = upright if undo is None else upright.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, format, exif=exif)
    decoded = decode(buffer.getvalue())
    assert decoded.size == (32, 16)
    assert decoded.getpixel((3, 3))[0] > 200
    assert max(decoded.getpixel(place)[0] for place in ((28, 3), (3, 12), (28, 12))) < 60


def test_the_first_frame_of_an_animation_counts():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert pixel(buffer.getvalue()) == (255, 0, 0)


def test_a_phones_picture_with_a_second_one_in_it_is_a_jpeg():
    frames = [Image.new("RGB", (16, 8), colour) for colour in (GREY, (0, 0, 255))]
    buffer = io.BytesIO()
    frames[0].save(buffer, "MPO", save_all=True, append_images=frames[1:])
    assert read_header(buffer.getvalue()).format == "JPEG"
    assert pixel(buffer.getvalue()) == GREY


@pytest.mark.parametrize("shape", [((100, 50), 10, (20, 10)), ((50, 200), 10, (10, 40)), ((8, 6), 10, (8, 6))])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_the_shorter_side_is_scaled_down_and_never_up(shape, format):
    size, shorter, expected = shape
    assert decode(picture(format, size=size), shorter_side=shorter).size == expected


def test_a_header_bomb_is_refused_before_it_is_decoded():
    bomb = png(20_000, 20_000)
    assert len(bomb) < 200
    assert status(read_header, bomb) == status(decode, bomb) == "too many pixels"


def test_a_real_bomb_is_refused():
    bomb = png(12_000, 12_000, kind=0, depth=1, raw=bytes((1 + 1500) * 12_000))
    assert len(bomb) < 100_000
    assert status(decode, bomb) == "too many pixels"


def test_a_webp_bomb_is_refused():
    data = bytearray(picture("WEBP", size=(16, 16), lossless=True))
    place = data.index(b"VP8L") + 9
    data[place : place + 4] = (16_382 | 16_382 << 14).to_bytes(4, "little")  # 14 bits of width - 1, 14 of height - 1
    assert status(read_header, bytes(data)) == "too many pixels"


def scans(count, size=(64, 64), **options):
    """A progressive JPEG whose last scan comes ``count`` times."""
    data = noise("JPEG", size, progressive=True, **options)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def test_a_jpeg_of_a_thousand_scans_is_refused_before_it_is_decoded():
    assert decode(scans(1)).size == decode(scans(MAX_SCANS - 10)).size == (64, 64)
    bomb = scans(3000, (512, 512), quality=1)
    started = time.process_time()
    assert status(read_header, bomb) == status(decode, bomb) == "too costly to decode"
    assert time.process_time() - started < 0.5
    segments = b"\xff\xd8" + b"\xff\xfe\x00\x02" * 50_000 + scans(1)[2:]
    assert status(decode, segments) == "too costly to decode"


def test_what_lies_behind_or_inside_a_jpeg_is_no_scan():
    behind = noise("JPEG") + b"\xff\xda\x00\x02" * 500  # a film, as phones put there
    inside = noise("JPEG", comment=b"\xff\xda" * 500)
    assert decode(behind).size == decode(inside).size == (64, 48)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_plain_picture_is_handed_on_as_it_is(format):
    for data in (noise(format), picture(format), picture(format, mode="L", colour=9)):
        assert plain_bytes(data) == (data, f"image/{format.lower()}")


def test_a_picture_that_readers_see_differently_is_handed_on_as_we_see_it():
    exif = Image.Exif()
    exif[0x0112] = 6
    sixteen, animated = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.full((4, 4), 40_000, dtype=np.uint16)).save(sixteen, "PNG")
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(animated, "PNG", save_all=True, append_images=frames[1:])
    odd = [
        picture("JPEG", mode="CMYK", colour=(0, 255, 255, 0)),
        picture("JPEG", size=(16, 8), exif=exif),
        picture("PNG", size=(16, 8), exif=exif),
        picture("PNG", mode="RGBA", colour=(0, 0, 0, 128)),
        sixteen.getvalue(),
        animated.getvalue(),
    ]
    for data in odd:
        made, media = plain_bytes(data)
        assert media == "image/jpeg" and read_header(made).format == "JPEG"
        assert plain_bytes(made) == (made, media)
        difference = np.asarray(decode(made)).astype(int) - np.asarray(decode(data)).astype(int)
        assert np.abs(difference).max() <= 4
    assert status(plain_bytes, SVG) == "unknown format"


def test_the_limit_of_pixels_itself_is_allowed():
    side = int(MAX_PIXELS**0.5)
    assert read_header(png(side, side)).width == side
    assert status(read_header, png(side + 1, side)) == "too many pixels"


@pytest.mark.parametrize("data", [noise("JPEG"), noise("JPEG", progressive=True), noise("PNG"), noise("WEBP")])
@pytest.mark.parametrize("shorter_side", [None, 16])
def test_a_truncated_picture_is_damaged(data, shorter_side):
    assert decode(data, shorter_side=shorter_side).mode == "RGB"
    assert status(decode, data[: len(data) // 2], shorter_side=shorter_side) == "truncated or damaged"


def test_a_signature_with_rubbish_behind_it_is_damaged():
    for data in (noise("JPEG"), noise("PNG"), noise("WEBP")):
        assert status(decode, data[:16] + b"rubbish" * 9) == "truncated or damaged"


def test_damaged_bytes_never_raise_anything_else():
    rng = np.random.default_rng(5)
    samples = [
        noise("JPEG", (24, 16)),
        noise("PNG", (24, 16)),
        noise("WEBP", (24, 16)),
        picture("PNG", mode="LA", colour=(9, 9)),
    ]
    outcomes = set()
    for turn in range(600):
        data = bytearray(samples[turn % len(samples)])
        for place in rng.integers(0, len(data), int(rng.integers(1, 8))):
            data[place] = rng.integers(256)
        try:
            outcomes.add(decode(bytes(data), shorter_side=8).mode)
        except PictureError as error:
            outcomes.add(error.status)
    assert (
        {"RGB", "truncated or damaged"}
        <= outcomes
        <= {"RGB", "truncated or damaged", "unknown format", "too many pixels"}
    )


def test_broken_metadata_spoil_no_picture():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = bytearray(picture("JPEG", size=(16, 8), colour=GREY, exif=exif))
    place = data.index(b"Exif\0\0") + 6 + 4
    data[place : place + 4] = b"\xff\xff\xff\x7f"  # the offset of the first directory points nowhere
    assert pixel(bytes(data)) == GREY


def test_threads_that_decode_leave_the_warning_filters_alone():
    before = list(warnings.filters)
    data = noise("PNG", (200, 200))
    threads = [threading.Thread(target=lambda: [decode(data) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_missing_empty_and_too_long_files(tmp_path):
    assert status(read_bytes, tmp_path / "none.jpg") == "missing"
    assert status(read_bytes, write(tmp_path / "empty.jpg", b"")) == "empty"
    with (tmp_path / "long.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert status(read_bytes, tmp_path / "long.jpg") == "too many bytes"
    assert status(read_bytes, tmp_path / "nul\0.jpg") == "missing"


def test_links_folders_and_pipes_are_not_opened(tmp_path):
    target = write(tmp_path / "secret", picture())
    (tmp_path / "link.png").symlink_to(target)
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    assert status(read_bytes, tmp_path / "link.png") == "symbolic link"
    assert status(read_bytes, tmp_path / "folder.png") == "not a file"
    assert status(read_bytes, tmp_path / "pipe.png") == "not a file"
    assert status(read_bytes, tmp_path.parent / "/dev/zero") == "not a file"


def test_locate_stays_inside(tmp_path):
    inside = write(tmp_path / "pictures" / "deep" / "a.png", picture())
    folder = tmp_path / "pictures"
    assert locate(folder, "deep/a.png") == inside
    assert locate(folder, "./deep//a.png") == inside
    for name in ("../../etc/passwd", "/etc/passwd", "deep/../../secret", "a\0.png", ".."):
        assert status(locate, folder, name) == "outside the folder"
    (folder / "away").symlink_to(tmp_path)
    assert status(locate, folder, "away/secret") == "symbolic link"


def test_an_error_says_where_and_what_to_do(tmp_path):
    path = write(tmp_path / "a.png", png(20_000, 20_000))
    with pytest.raises(PictureError, match=r"20000 × 20000") as caught:
        open_picture(path)
    assert caught.value.where == str(path)
    assert "25,000,000" in caught.value.hint


ENDLESS = [("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"quality": 30, "subsampling": 2})]


@pytest.mark.parametrize(("format", "options"), [*ENDLESS, ("PNG", {}), ("WEBP", {})])
@pytest.mark.parametrize("shorter_side", [None, 16])
def test_a_picture_that_lacks_its_end_but_no_line_is_read(format, options, shorter_side):
    data = noise(format, (65, 49), **options)
    whole = np.asarray(decode(data, shorter_side=shorter_side)).astype(int)
    for lacking in (1,) if format == "WEBP" else (1, 2):
        cut = data[:-lacking]
        assert np.abs(np.asarray(decode(cut, shorter_side=shorter_side)).astype(int) - whole).max() <= 1
        made, _ = plain_bytes(cut)
        with Image.open(io.BytesIO(made)) as picture_:  # by any reader, without our help
            picture_.load()
    assert read_header(data[:-1]).format == format


@pytest.mark.parametrize(("format", "options"), [*ENDLESS, ("PNG", {}), ("WEBP", {}), ("WEBP", {"lossless": True})])
@pytest.mark.parametrize("lacking", [100, 300, 0.5, 0.2])
def test_a_picture_that_lacks_lines_is_damaged_whatever_follows_it(format, options, lacking):
    data = noise(format, (65, 49), **options)
    cut = data[: -int(lacking if lacking > 1 else len(data) * lacking)]
    assert status(decode, cut) == "truncated or damaged"
    assert format == "PNG" or status(plain_bytes, cut) == "truncated or damaged"


def test_what_lies_in_the_place_of_a_picture_has_its_name():
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"
    assert status(decode, pointer) == status(read_header, pointer) == "a Git LFS pointer"
    assert status(decode, b"<!doctype html><title>404</title>") == "a web page"
    with pytest.raises(PictureError, match=r"unknown format \(a HEIC picture\)"):
        decode(b"\0\0\0\x18ftypheic" + bytes(40))


@pytest.mark.parametrize("kind", [b"tEXt", b"IDAT", b"abCd"])
def test_a_png_of_very_many_chunks_is_refused_before_it_is_read(kind):
    whole = picture("PNG")
    head = whole[:33]  # signature and IHDR
    empty = b"\0\0\0\0" + kind + zlib.crc32(kind).to_bytes(4)
    assert decode(head + empty * 100 + whole[33:]).size == (8, 6)
    many = head + empty * 30_000 + whole[33:]
    assert status(read_header, many) == status(decode, many) == "too costly to decode"
