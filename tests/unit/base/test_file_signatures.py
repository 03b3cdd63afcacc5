"""What a file is by its first bytes."""

import gzip
import io
import zipfile

import pytest

from makers import damaged, picture, write
from viral.base.errors import DataError
from viral.base.file_signatures import GZIP, kind_of, refuse_other_kinds
from viral.data.features import load_features

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 841576\n"


def zipped(name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (POINTER, "a Git LFS pointer"),
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b"\xef\xbb\xbf \n<HTML lang=en>", "a web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "a web page"),
        (b"<?xml version='1.0'?>\n<rss xmlns:g='x'><channel>", "an XML file"),
        (gzip.compress(b"a,b", mtime=0), "a gzip archive"),
        (zipped("ratings.csv"), "a zip archive"),
        (zipped("[Content_Types].xml"), "an Excel workbook"),
        (b"PAR1....", "a Parquet file"),
        (b"\x80\x04\x95", "a pickle"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (b"%PDF-1.7", "a PDF document"),
        (b"SQLite format 3\0", "an SQLite database"),
        (picture("JPEG"), "a JPEG picture"),
        (picture("GIF"), "a GIF picture"),
        (picture("BMP"), "a BMP picture"),
        (picture("TIFF"), "a TIFF picture"),
        (b"\0\0\0\x1cftypavif", "an AVIF picture"),
        (b"\0\0\0\x18ftypheic", "a HEIC picture"),
        (b"\0\0\0\x18ftypisom", "an MP4 film"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "an SVG drawing"),
    ],
)
def test_a_file_is_known_by_sight(head, name):
    kind = kind_of(head)
    assert kind is not None and kind.name == name


@pytest.mark.parametrize("head", [b"", b"user,item\n1,2\n", b'{"a": 1}', b"1::2::3", b"<3 likes", b"BMW,x", b"II,a"])
def test_text_has_no_mark(head):
    assert kind_of(head) is None


def test_what_is_known_passes_and_the_rest_is_refused_with_what_to_do(tmp_path):
    archive = write(tmp_path / "a.gz", gzip.compress(b"x", mtime=0))
    refuse_other_kinds(archive, "a table", GZIP)
    with pytest.raises(DataError, match=r"a\.gz: this is a gzip archive, not a table\n.*gunzip"):
        refuse_other_kinds(archive, "a table")
    with pytest.raises(DataError, match=r"Git LFS pointer, not a table\n.*git lfs pull"):
        refuse_other_kinds(write(tmp_path / "b.csv", POINTER), "a table")


@pytest.mark.parametrize("name", ["items.parquet", "interactions.parquet", "features/text.parquet"])
def test_a_data_set_that_was_cloned_without_its_large_files_is_called_so(tmp_path, name):
    dataset = damaged(tmp_path / "data")
    write(dataset.path / name, POINTER)
    with pytest.raises(DataError, match=r"this is a Git LFS pointer, not a .*\n.*git lfs pull"):
        (dataset.catalog(), dataset.interactions(), load_features(dataset.features_folder))
