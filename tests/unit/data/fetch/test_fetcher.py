"""Fetching pictures over real sockets: what is got, what is refused and how long that may take."""

import shutil
import ssl
import subprocess
import threading
import time

import polars as pl
import pytest

import picture_server as web
from makers import picture, png
from picture_server import serving
from viral.data.dataset import Source, write_tables
from viral.data.fetch import FETCHED, FetchConfig, Fetcher, FetchError, catalog_with_fetched
from viral.data.pictures import MAX_BYTES

RED, BLUE = picture(colour=(255, 0, 0)), picture("JPEG", colour=(0, 0, 255))
HERE = {"allow_private": True, "wait": 0.01, "seconds": 20.0}


def fetcher(folder, *, resolver=None, tls=None, **config):
    config = FetchConfig(**{**HERE, **config})
    return Fetcher(folder / "cache", config, tls=tls, **({"resolver": resolver} if resolver else {}))


def status(call, *arguments):
    with pytest.raises(FetchError) as caught:
        call(*arguments)
    return caught.value.status


def everywhere(name, port):
    return ["127.0.0.1"]


def test_a_picture_is_fetched_once_for_ever(tmp_path):
    with serving({"/a.png": RED, "/b.jpg": BLUE}) as server:
        one = fetcher(tmp_path)
        assert [one.get(server.url("/a.png")), one.get(server.url("/b.jpg"))] == [RED, BLUE]
        assert one.get(server.url("/a.png")) == RED
        assert fetcher(tmp_path).get(server.url("/a.png")) == RED  # another run
        assert [path for _, path in server.requests] == ["/a.png", "/b.jpg"]


def test_what_was_fetched_is_the_picture_of_its_item_from_then_on(tmp_path):
    with serving({"/a.png": RED}) as server:
        items = pl.DataFrame(
            {
                "item_id": ["a", "b", "c"],
                "title": ["", "", ""],
                "text": ["", "", ""],
                "image": [None, None, "own.png"],
                "image_url": [server.url("/a.png"), server.url("/never.png"), server.url("/a.png")],
            },
            schema_overrides={"image": pl.String},
        )
        (tmp_path / "own.png").write_bytes(BLUE)
        users = pl.DataFrame({"user_id": ["u"], "item_id": ["a"]})
        dataset = write_tables(tmp_path, items, users, Source(layout="test"))
        assert [item.image and item.image.name for item in catalog_with_fetched(dataset)] == [None, None, "own.png"]
        Fetcher(dataset.path / FETCHED, FetchConfig(allow_private=True)).get(server.url("/a.png"))
        images = [item.image for item in catalog_with_fetched(dataset)]
        assert [path and path.read_bytes() for path in images] == [RED, None, BLUE]
        assert [path for _, path in server.requests] == ["/a.png"], "nothing is fetched by looking"


def test_equal_pictures_are_one_file_and_a_damaged_one_is_fetched_again(tmp_path):
    with serving({"/a": RED, "/b": RED}) as server:
        for path in ("/a", "/b"):
            fetcher(tmp_path).get(server.url(path))
        (file,) = [path for path in (tmp_path / "cache" / "pictures").rglob("*") if path.is_file()]
        file.write_bytes(BLUE)
        assert fetcher(tmp_path).get(server.url("/a")) == RED
        assert file.read_bytes() == RED
        assert [path for _, path in server.requests] == ["/a", "/b", "/a"]


def test_threads_that_want_one_url_share_one_request(tmp_path):
    def slow(handler):
        time.sleep(0.2)
        handler.give(RED)

    with serving({"/a": slow, "/gone": lambda handler: (time.sleep(0.2), handler.give(b"", status=410))}) as server:
        one, got = fetcher(tmp_path), []

        def ask():
            got.append(one.get(server.url("/a")))
            got.append(status(one.get, server.url("/gone")))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, got)) == sorted(map(str, [RED, "behind a dead link"] * 8))
        assert sorted(path for _, path in server.requests) == ["/a", "/gone"]


def test_warming_fetches_several_at_a_time_and_keeps_faults_for_later(tmp_path):
    together = threading.Barrier(4, timeout=20)

    def at_once(handler):
        together.wait()
        handler.give(RED)

    with serving({f"/{n}": at_once for n in range(4)}) as server:
        one = fetcher(tmp_path, connections=4)
        one.warm([server.url(f"/{n}") for n in (0, 1, 2, 3, 0)])
        one.warm([server.url("/gone"), server.url("/0")])
        assert one.get(server.url("/3")) == RED
        assert status(one.get, server.url("/gone")) == "behind a dead link"
        assert len(server.requests) == 5


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_fault_that_passes_is_tried_again(tmp_path, code, times):
    with serving({"/a": web.fails(code, times, RED)}) as server:
        assert fetcher(tmp_path).get(server.url("/a")) == RED
        assert len(server.requests) == times + 1


@pytest.mark.parametrize(
    ("page", "expected", "requests"),
    [
        (web.fails(503, 9, RED), "behind a faulty server", 3),
        (web.cut(BLUE), "behind a faulty server", 3),
        (None, "behind a dead link", 1),
        (web.fails(403, 9, RED), "behind a dead link", 1),
        (b"", "empty", 1),
        (b"<html>not here</html>", "a web page", 1),
        (picture("GIF"), "unknown format", 1),
        (png(20_000, 20_000), "too many pixels", 1),
        (RED[:20], "truncated or damaged", 1),
        (web.redirect("http://[::1"), "at a forbidden address", 1),
        (web.redirect("file:///etc/passwd"), "at a forbidden address", 1),
        (web.redirect("gopher://127.0.0.1/"), "at a forbidden address", 1),
        (web.redirect("http://user@127.0.0.1/"), "at a forbidden address", 1),
        (web.redirect("http://169.254.169.254/latest/meta-data/"), "at a forbidden address", 1),
        (web.redirect("/a"), "redirected too often", 4),
        (lambda handler: handler.give(b"", **{"Content-Length": str(MAX_BYTES + 1)}), "too many bytes", 1),
        (lambda handler: handler.give(RED, **{"Content-Encoding": "gzip"}), None, 1),
    ],
)
def test_what_a_server_may_answer_and_what_it_is_called(tmp_path, page, expected, requests):
    with serving({} if page is None else {"/a": page}) as server:
        one = fetcher(tmp_path)
        if expected is None:
            assert one.get(server.url("/a")) == RED
        else:
            assert status(one.get, server.url("/a")) == expected
            assert status(one.get, server.url("/a")) == expected  # and is not tried again
        assert len(server.requests) == requests
        assert bool([*tmp_path.rglob("*")]) == (expected is None)  # nothing is kept of what failed


@pytest.mark.parametrize("page", [web.drip(RED, 0.02), web.drip(RED, 0.02, head=True), web.silent])
def test_a_slow_server_has_one_deadline_for_all(tmp_path, page):
    with serving({"/a": page}) as server:
        started = time.monotonic()
        assert status(fetcher(tmp_path, seconds=0.4).get, server.url("/a")) == "too slow"
        assert 0.3 < time.monotonic() - started < 20
        assert len(server.requests) <= 1


def test_a_server_that_never_finishes_its_handshake_is_too_slow(tmp_path):
    with serving({"/a": RED}) as plain:
        plain.RequestHandlerClass = type("Mute", (web.Handler,), {"handle": web.silent})
        assert status(fetcher(tmp_path, seconds=0.3).get, plain.url("/a", scheme="https")) == "too slow"


def test_an_endless_body_is_cut_off_at_the_limit(tmp_path):
    with serving({"/a": web.endless}) as server:
        assert status(fetcher(tmp_path, max_bytes=1_000_000).get, server.url("/a")) == "too many bytes"


def test_redirects_are_followed_each_with_a_look_up_of_its_own(tmp_path):
    asked = []

    def resolver(name, port):
        asked.append(name)
        return ["127.0.0.1"]

    umlaut = "/ä b?q=1".encode().decode("latin-1")  # as servers send it: raw UTF-8
    with serving({"/2": web.redirect("three"), "/three": web.redirect(umlaut), "/%C3%A4%20b?q=1": RED}) as server:
        server.pages["/1"] = web.redirect(server.url("/2", "two.test"))
        assert fetcher(tmp_path, resolver=resolver).get(server.url("/1", "one.test")) == RED
        port = server.port
        assert [host for host, _ in server.requests] == [f"one.test:{port}", *[f"two.test:{port}"] * 3]
        assert asked == ["one.test", *["two.test"] * 3]


@pytest.mark.parametrize(
    "target", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "2130706433", "0", "inside.test"]
)
def test_no_request_goes_inside_directly_or_by_a_redirect(tmp_path, target):
    with serving({"/a": RED}) as canary:
        with serving({"/a": web.redirect(canary.url("/a", target)), "/b": RED}) as outside:
            one = Fetcher(tmp_path, FetchConfig(wait=0), resolver=web.resolver, backend=web.Outside())
            assert one.get(outside.url("/b", "outside.test")) == RED
            for url in (canary.url("/a", target), outside.url("/a", "outside.test")):
                assert status(one.get, url) == "at a forbidden address"
            assert [path for _, path in outside.requests] == ["/b", "/a"]
        assert canary.requests == []


def test_a_name_is_looked_up_once_so_that_a_second_answer_gains_nothing(tmp_path):
    answers = [["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]]
    with serving({"/a": RED}) as server:
        one = fetcher(tmp_path, resolver=lambda name, port: answers.pop(0))
        assert one.get(server.url("/a", "shop.test")) == RED
        assert len(answers) == 2


def test_a_second_address_serves_where_the_first_is_dead(tmp_path):
    with serving({"/a": RED}) as server:
        one = fetcher(tmp_path, resolver=lambda name, port: ["127.0.0.2", "127.0.0.1"])
        assert one.get(server.url("/a", "shop.test")) == RED


def test_a_server_that_is_not_there_is_a_fault_that_may_pass(tmp_path):
    with serving({}) as server:
        url = server.url("/a")
    assert status(fetcher(tmp_path).get, url) == "behind a faulty server"


@pytest.mark.parametrize(
    "url", ["", "a.png", "//shop/a", "http://", "ftp://shop.test/a", "data:image/png;base64,AA", "\0"]
)
def test_what_is_no_url_of_a_web_server_is_refused(tmp_path, url):
    assert status(fetcher(tmp_path).get, url) == "at a forbidden address"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a certificate for shop.test and nobody else."""
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=shop.test", "-addext", "subjectAltName=DNS:shop.test"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(
        [shutil.which("openssl"), "req", *kind, *names, "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


def test_tls_goes_by_the_name_though_the_address_is_connected_to(tmp_path, certificate):
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    ours = ssl.create_default_context(cafile=str(certificate / "certificate.pem"))
    asked = []
    theirs.sni_callback = lambda sock, name, context: asked.append(name)
    with serving({"/a": RED}, tls=theirs) as server:
        one = fetcher(tmp_path, resolver=everywhere, tls=ours)
        assert one.get(server.url("/a", "shop.test", "https")) == RED
        assert asked == ["shop.test"] and server.requests == [(f"shop.test:{server.port}", "/a")]
        assert status(one.get, server.url("/a", "other.test", "https")) == "behind a faulty server"
        unknown = fetcher(tmp_path / "else", resolver=everywhere)  # the certificate is nobody's it knows
        assert status(unknown.get, server.url("/a", "shop.test", "https")) == "behind a faulty server"
        assert len(server.requests) == 1
