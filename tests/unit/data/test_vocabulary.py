"""Ids and indices."""

import polars as pl
import pytest
import torch

from viral.base.errors import DataError, UnknownIdError
from viral.data.vocabulary import Vocabulary


def test_there_and_back():
    vocabulary = Vocabulary(["b", "a", "ä", "0"], "item")
    assert [vocabulary.index(external) for external in vocabulary.ids] == [0, 1, 2, 3]
    assert vocabulary.indices(["0", "b", "0"]).tolist() == [3, 0, 3]
    assert vocabulary.indices([]).dtype.is_floating_point is False
    assert "ä" in vocabulary and "c" not in vocabulary and len(vocabulary) == 4


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(UnknownIdError, match="unknown user 'A77x'") as caught:
        Vocabulary(["A77", "B12", "C99"], "user").index("A77x")
    assert "did you mean A77?" in caught.value.hint


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(["0", "b", "ä"])])
def test_a_column_of_ids(dtype):
    vocabulary = Vocabulary(["b", "a", "ä", "0"], "item")
    found = vocabulary.column(pl.Series("any", ["0", "b", "0", "ä"], dtype=dtype))
    assert found.tolist() == [3, 0, 3, 2] and found.dtype == torch.int64
    found += 1  # the caller's to change
    empty = vocabulary.column(pl.Series("any", [], dtype=dtype))
    assert empty.shape == (0,) and empty.dtype == torch.int64


@pytest.mark.parametrize("of", ["sequence", "column"])
@pytest.mark.parametrize(("unknown", "said"), [("A77x", "'A77x'"), (None, "None"), ("", "''")])
def test_the_first_unknown_one_of_many_is_named(unknown, said, of):
    vocabulary, asked = Vocabulary(["A77", "B12", "C99"], "user"), ["C99", unknown, "A77", "zzz", None]
    with pytest.raises(UnknownIdError, match=f"unknown user {said}") as caught:
        vocabulary.indices(asked) if of == "sequence" else vocabulary.column(pl.Series(asked, dtype=pl.String))
    assert unknown != "A77x" or "did you mean A77?" in caught.value.hint


def test_numbers_are_not_ids():
    with pytest.raises(UnknownIdError, match="unknown user 7"):
        Vocabulary(["7"], "user").column(pl.Series([7]))
    with pytest.raises(UnknownIdError, match="unknown user 7"):
        Vocabulary(["7"], "user").indices([7])


def test_an_empty_vocabulary_knows_nothing():
    assert Vocabulary([]).column(pl.Series([], dtype=pl.String)).tolist() == []
    with pytest.raises(UnknownIdError, match="unknown item 'a'"):
        Vocabulary([], "item").column(pl.Series(["a"]))


def test_an_id_is_text_compared_exactly():
    vocabulary = Vocabulary(["7", "07"], "user")
    assert vocabulary.index("7") != vocabulary.index("07")
    with pytest.raises(UnknownIdError):
        vocabulary.index(7)
    with pytest.raises(UnknownIdError):
        vocabulary.index(" 7")


def test_a_repeated_id_is_refused():
    with pytest.raises(DataError, match="user ids are not unique"):
        Vocabulary(["a", "b", "a"], "user")


def test_equality_is_of_ids_in_order():
    assert Vocabulary("abc") == Vocabulary("abc", "item")
    assert hash(Vocabulary("abc")) == hash(Vocabulary("abc"))
    assert Vocabulary("abc") != Vocabulary("acb")
    assert Vocabulary("abc") != ("a", "b", "c")
    assert repr(Vocabulary("abc", "item")) == "Vocabulary(3 item ids)"
