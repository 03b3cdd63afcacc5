"""Excel workbooks, encodings told by their looks, and files that are not what they seem."""

import io
import zipfile
import zlib

import pyarrow as pa
import pytest

from makers import write
from viral.base.errors import DataError, UsageError
from viral.data.importers.readers import compressed
from viral.data.importers.readers.encodings import encoding_of, known
from viral.data.importers.readers.formats import Column, look, read_rows
from viral.data.importers.readers.raw import ROW

_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(*sheets):
    """The bytes of a workbook: of each sheet rows of cells; numbers, texts, or ``("date", serial)``."""
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet {_NS}><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
        "xl/workbook.xml": f'<workbook {_NS} xmlns:r="{_REL}"><sheets>'
        + "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="s{n}"/>' for n, _ in enumerate(sheets, 1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        + "".join(f'<Relationship Id="s{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
                  for n, _ in enumerate(sheets, 1))
        + f'<Relationship Id="st" Type="{_REL}/styles" Target="styles.xml"/></Relationships>',
    }  # fmt: skip
    for number, rows in enumerate(sheets, 1):
        lines = "".join(
            f'<row r="{r}">' + "".join(_cell(f"{'ABCDEF'[c]}{r}", cell) for c, cell in enumerate(row)) + "</row>"
            for r, row in enumerate(rows, 1)
        )
        parts[f"xl/worksheets/sheet{number}.xml"] = f"<worksheet {_NS}><sheetData>{lines}</sheetData></worksheet>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + content)
    return buffer.getvalue()


def _cell(place, cell):
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>'
    value, style = (cell[1], ' s="1"') if isinstance(cell, tuple) else (cell, "")
    return f'<c r="{place}"{style}><v>{value}</v></c>'


def columns(*names):
    return [Column(name, (name,)) for name in names]


def test_cells_of_a_workbook_are_text_as_they_are_meant(tmp_path):
    rows = [["item", "title", "price", "when"], ["007", "Kettle", 10.0, ("date", 45365.5)], [8, None, 9.9, None]]
    path = write(tmp_path / "t.xlsx", workbook([], rows))
    read = read_rows(path, columns("item", "title", "price", "when"))
    assert read.frame.drop(ROW).rows() == [("007", "Kettle", "10", "2024-03-14T12:00:00"), ("8", None, "9.9", None)]
    assert look(path).told == "sheet 'S2'"


@pytest.mark.parametrize("name", ["t.xlsx", "t.xlsx.gz"])
def test_what_is_no_workbook_is_said(tmp_path, name):
    with pytest.raises(DataError, match=r"t\.xlsx"):
        look(write(tmp_path / name, b"PK\x03\x04 none"))


def test_an_empty_workbook(tmp_path):
    with pytest.raises(DataError, match="the workbook is empty"):
        look(write(tmp_path / "t.xlsx", workbook([])))


TEXTS = {
    "cp1252": [
        "1,Café au lait\n",
        "1;Grüne Tasse\n",
        "Client;Référence;Date\n",
        "1;Camisón de niña\n2;Pantalón, año\n",
    ],
    "cp1250": ["1;Żółta łyżka do zupy\n2;Książka dla dzieci, część pierwsza\n3;Świeże źródło\n"],
    "cp1251": ["1;Красная кружка для чая\n2;Футболка мужская синяя\n"],
    "cp1253": ["1;Κόκκινη κούπα\n2;Μπλε μπλουζάκι\n"],
    "gb18030": ["1,红色马克杯\n2,蓝色 T恤 男款\n3,儿童雨靴 黄色\n", "商品ID,标题\n1,杯子\n"],
    "cp932": ["1,赤いマグカップ\n2,青いTシャツ メンズ\n", "マグカップ,テスト\n"],
    "big5": ["1,紅色馬克杯\n2,藍色襯衫 男款\n3,兒童雨靴 黃色\n"],
    "cp949": ["1,빨간 머그컵\n2,파란색 티셔츠 남성용\n"],
}


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in TEXTS.items() for text in texts])
def test_an_encoding_is_told_by_its_looks(tmp_path, encoding, text):
    path = write(tmp_path / "t.csv", text.encode(encoding))
    found = encoding_of(path)
    assert path.read_bytes().decode(found.name) == text
    assert found.guessed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_or_utf8_is_no_guess_and_goes_before_the_users_word(tmp_path, encoding):
    path = write(tmp_path / "t.csv", "item,title\na,Käse 奶酪\n".encode(encoding))
    assert not encoding_of(path, "cp1252").guessed
    assert path.read_bytes().decode(encoding_of(path, "cp1252").name) == "item,title\na,Käse 奶酪\n"


def test_the_users_word_goes_before_the_looks(tmp_path):
    path = write(tmp_path / "t.csv", "1;Žluté tričko\n".encode("cp1250"))
    assert encoding_of(path, "windows-1250").name == "cp1250"
    with pytest.raises(UsageError, match="unknown encoding 'klingon'"):
        known("klingon")
    assert known("latin1") == "cp1252"


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(compressed, "_FREE", 2**20)
    path = write(tmp_path / "t.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zlib.compress(b"\0" * 2**24)[2:])
    with pytest.raises(DataError, match=r"come out of [\d,]+ bytes\n.*unpack the file yourself"), \
            compressed.open_bytes(path) as file:  # fmt: skip
        file.read()


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_compressed_file_that_is_cut_off_is_said_to_be(tmp_path, kind):
    whole = write(tmp_path / "whole", b"user,item\n" * 9999)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, {"gz": "gzip", "zst": "zstd"}[kind]) as out:
        out.write(whole.read_bytes())
    path = write(tmp_path / f"t.csv.{kind}", sink.getvalue().to_pybytes()[:-9])
    with pytest.raises(DataError, match="cannot be unpacked to its end"):
        look(path)
