"""Pictures and addresses that somebody meant ill by, through ``enrich``: a status for each, and no request inside."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

import picture_server as web
from describers import LoggingDescriber, said
from makers import noise, picture, png, write
from picture_server import serving
from viral.base.errors import DataError
from viral.data.catalog import Catalog, Item
from viral.data.fetch import FetchConfig, Fetcher
from viral.data.pictures import MAX_BYTES, MAX_SCANS
from viral.enrich import EnrichOptions, Ledger, Picture, enrich, load_prompt

PLAIN = load_prompt("plain")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1/a.png"/></svg>'


def animated(format, **options):
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(buffer, format, save_all=True, append_images=frames[1:], **options)
    return buffer.getvalue()


def sixteen_bits():
    buffer = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000).save(buffer, "PNG")
    return buffer.getvalue()


def archive():
    """A JPEG for one reader, a ZIP for another."""
    buffer = io.BytesIO(picture("JPEG"))
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("run.sh", "rm -rf /")
    return buffer.getvalue()


def scans(count):
    """A progressive JPEG whose last scan comes again and again."""
    data = noise("JPEG", (64, 64), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("JPEG", size=(16, 8), exif=exif)


FINE = {
    "jpeg-and-zip": archive(),
    "jpeg-and-html": picture("JPEG", comment=b"<script>alert(1)</script>"),
    "apng": animated("PNG"),
    "webp-animation": animated("WEBP", lossless=True),
    "cmyk": picture("JPEG", mode="CMYK", colour=(0, 255, 255, 0)),
    "turned": turned(),
    "16-bit": sixteen_bits(),
    "wrong-extension": picture("WEBP"),
}
BAD = {
    "bomb": (png(20_000, 20_000), "too many pixels"),
    "real-bomb": (png(12_000, 12_000, kind=0, depth=1, raw=bytes((1 + 1500) * 12_000)), "too many pixels"),
    "scans": (scans(MAX_SCANS), "too costly"),
    "svg": (SVG, "unknown format"),
    "gif": (animated("GIF"), "unknown format"),
    "html": (b"<html><img src=http://127.0.0.1/></html>", "a web page"),
    "pdf": (b"%PDF-1.7 " + picture("JPEG"), "unknown format"),
    "zip-and-jpeg": (b"PK\x03\x04" + picture("JPEG"), "unknown format"),
    "truncated": (noise("JPEG")[:700], "damaged"),
    "cut-png": (noise("PNG")[:-400], "damaged"),
    "rubbish": (b"\xff\xd8\xff" + b"rubbish" * 99, "damaged"),
    "zero-bytes": (b"", "empty"),
    "no-width": (png(0, 5), ""),
}


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield ledger


@pytest.fixture
def describer(tmp_path):
    return LoggingDescriber(tmp_path / "calls.log")


def test_every_file_ends_in_a_status_and_spoils_no_other(tmp_path, ledger, describer):
    files = {name: write(tmp_path / f"{name}.jpg", data) for name, data in FINE.items()}
    files |= {name: write(tmp_path / f"{name}.png", data) for name, (data, _) in BAD.items()}
    files["none"] = tmp_path / "none.png"
    files["huge"] = tmp_path / "huge.png"
    with files["huge"].open("wb") as file:
        file.write(picture())
        file.truncate(MAX_BYTES + 1)
    files["link"] = tmp_path / "link.png"
    files["link"].symlink_to(write(tmp_path.parent / f"{tmp_path.name}-secret.png", picture()))
    files["folder"] = tmp_path / "folder.png"
    files["folder"].mkdir()
    catalog = Catalog(tuple(Item(name, "", "", path) for name, path in sorted(files.items())))
    rows = {row.item_id: row for row in enrich(catalog, describer, PLAIN, ledger).rows}
    for name, data in FINE.items():
        assert rows[name].text == said(Picture(name, "", data), PLAIN), name
    told = {name: why for name, (_, why) in BAD.items()}
    told |= {"huge": "too many bytes", "link": "symbolic link", "folder": "not a file"}
    for name, why in told.items():
        assert rows[name].status == "unreadable" and why in rows[name].error, (name, rows[name])
    assert rows["none"].status == "missing picture"
    assert set(rows) == {*FINE, *told, "none"}
    assert sorted(describer.calls) == sorted(FINE)  # the describer never saw the others


@pytest.mark.parametrize("image", ["../secret.png", "/etc/passwd", "images/../../secret.png"])
def test_a_catalogue_cannot_name_a_file_outside_its_folder(tmp_path, image):
    import polars as pl

    write(tmp_path / "secret.png", picture())
    items = pl.DataFrame({"item_id": ["a"], "title": ["A"], "text": [""], "image": [image]})
    (tmp_path / "shop").mkdir()
    items.write_parquet(tmp_path / "shop" / "items.parquet")
    with pytest.raises(DataError, match="image"):
        Catalog.read(tmp_path / "shop")


PAGES = {
    "/fine": FINE["cmyk"], "/svg": SVG, "/bomb": BAD["bomb"][0], "/cut": web.cut(picture("JPEG")),
    "/endless": web.endless,     "/drip": web.drip(picture(), 0.02),
    "/loop": web.redirect("/loop"), "/error": web.fails(503, 99, b""),
    "/file": web.redirect("file:///etc/passwd"), "/metadata": web.redirect("http://169.254.169.254/latest/meta-data/"),
}  # fmt: skip
TOLD = {
    "/svg": "unknown format", "/bomb": "too many pixels", "/cut": "faulty server", "/endless": "too many bytes",
    "/drip": "too slow", "/loop": "redirected too often", "/error": "HTTP 503", "/gone": "HTTP 404",
    "/file": "forbidden", "/metadata": "forbidden", "/inside": "forbidden", "/inside-name": "forbidden",
}  # fmt: skip
INSIDE = ("127.0.0.1", "localhost", "inside.test", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0177.0.0.1")


def test_every_address_ends_in_a_status_and_none_in_a_request_inside(tmp_path, ledger, describer):
    with serving({"/": picture()}) as canary, serving(PAGES) as outside:
        outside.pages["/inside"] = web.redirect(canary.url("/"))
        outside.pages["/inside-name"] = web.redirect(canary.url("/", "inside.test"))
        urls = {path: outside.url(path, "outside.test") for path in (*PAGES, *TOLD)}
        urls |= {host: canary.url("/", host) for host in INSIDE} | {"gopher": "gopher://127.0.0.1/", "rubbish": "::"}
        catalog = Catalog(tuple(Item(name, "", "", None, image_url=url) for name, url in urls.items()))
        limits = FetchConfig(seconds=3.0, wait=0.0, max_bytes=1_000_000)
        fetcher = Fetcher(tmp_path / "cache", limits, resolver=web.resolver, backend=web.Outside())
        rows = {
            row.item_id: row
            for row in enrich(catalog, describer, PLAIN, ledger, options=EnrichOptions(fetcher=fetcher)).rows
        }
        assert canary.requests == []
        assert {host for host, _ in outside.requests} == {f"outside.test:{outside.port}"}
    assert rows["/fine"].text == said(Picture("/fine", "", FINE["cmyk"]), PLAIN)
    for name, why in {**TOLD, **dict.fromkeys((*INSIDE, "gopher", "rubbish"), "forbidden")}.items():
        assert rows[name].status == "unreadable" and why in rows[name].error, (name, rows[name])
    assert describer.calls == ["/fine"]
