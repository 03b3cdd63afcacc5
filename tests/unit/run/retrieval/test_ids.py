"""Files of item ids: one a line, compared exactly."""

from pathlib import Path

import pytest

from viral.base.errors import DataError
from viral.data.vocabulary import Vocabulary
from viral.run.retrieval.filters import check_known, read_ids


def test_every_line_is_an_id_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes("\ufeffA-17\r\n007\n\n two words \n007\n\u2028x\nlast".encode())
    assert read_ids(file) == {"A-17", "007", " two words ", "\u2028x", "last"}
    file.write_bytes(b"")
    assert read_ids(file) == set()


@pytest.mark.parametrize("content", [None, b"a\nb\n\xe4\n"])
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ids.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError) as fault:
        read_ids(file)
    assert fault.value.where.startswith(str(file)) and fault.value.hint
    assert content is None or fault.value.where.endswith("line 3")


def test_a_file_of_other_things_is_found_out(tmp_path: Path) -> None:
    items = Vocabulary(["a", "b"], "item")
    check_known(frozenset({"a", "gone"}), items, tmp_path)
    check_known(frozenset(), items, tmp_path)
    with pytest.raises(DataError, match=r"none of its 2 ids is an item of the run \(for example 'item_id,stock'\)"):
        check_known(frozenset({"x,3", "item_id,stock"}), items, tmp_path)
